"""Who leaves a page, or asks for something newer, holds no place in the line for the device."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from pages.shared import counters, engine
from tests.browser.driver import serve

SCRIPT = "tests/pages/waiting_app.py"


async def ask(socket: Any, query: str = "") -> None:
    message = BackMsg()
    message.rerun_script.query_string = query
    await socket.send(message.SerializeToString())


async def told(path: Path, waiting: int) -> dict[str, Any]:
    """The server's numbers, as soon as that many wait."""
    seen: dict[str, Any] = {}
    for _ in range(600):
        if path.exists():
            seen = json.loads(path.read_text())
            if seen["queue"]["waiting"] == waiting:
                return seen
        await asyncio.sleep(0.1)
    pytest.fail(f"{waiting} should wait, but the server tells {seen}")


async def text_of(socket: Any) -> list[str]:
    """The texts of a run of the script, to its end."""
    texts = []
    while True:
        message = ForwardMsg.FromString(await asyncio.wait_for(socket.recv(), 60))
        if message.WhichOneof("type") == "new_session":
            texts.clear()
        elif message.WhichOneof("type") == "delta":
            texts.append(message.delta.new_element.markdown.body)
        elif message.WhichOneof("type") == "script_finished":
            if message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
                return texts


async def story(address: str, path: Path) -> None:
    url = address.replace("http", "ws") + "/_stcore/stream"
    first = await websockets.connect(url, subprotocols=["streamlit"], max_size=None)
    second = await websockets.connect(url, subprotocols=["streamlit"], max_size=None)
    await ask(first)
    await told(path, 1)
    await ask(second)
    numbers = await told(path, 2)
    assert numbers["queue"]["busy"] and numbers["errors"] == 0 and numbers["passes"] == 0
    assert numbers["caches"]["traces"]["cap_bytes"] == engine.TRACE_BYTES
    assert numbers["resident_bytes"] > 2**20
    await first.close()  # a reader who closes the page
    await told(path, 1)
    await ask(second, "free")  # one who asks for something newer
    assert await text_of(second) == ["waits"]
    await told(path, 0)
    await second.close()


def test_who_leaves_or_asks_anew_gives_up_the_place(tmp_path, monkeypatch) -> None:
    path = tmp_path / "counters.json"
    monkeypatch.setenv(counters.VARIABLE, str(path))
    with serve(tmp_path, SCRIPT) as address:
        asyncio.run(story(address, path))
