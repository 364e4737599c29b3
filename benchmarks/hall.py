"""A hall of people at one server: python -m benchmarks.hall --people 1 10 30

Starts the app and speaks its websocket protocol, without browsers. Everybody opens Predictions on a
sample photo, then moves the score threshold every ``--every`` seconds. Printed for each size of the
hall: median and 95th percentile of the first prediction and of the moves (seconds from sending to
the end of the script), resident memory of the server, errors, and wrong answers: what somebody gets
for a photo and a threshold is compared with what the first person who asked alone got.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from benchmarks.common import report
from vision_core.samples import names

PORT = 8517
THRESHOLDS = tuple(round(0.3 + 0.05 * i, 2) for i in range(10))
LABEL = "Score threshold"
_FULL = 2**26  # a message may hold a photo


@dataclass
class Tally:
    """What a hall of one size measured.

    Attributes:
        first, moves: seconds.
        errors: what went wrong, by its sentence.
        wrong: answers that differ from those of one person alone.
        truth: picture by (photo, threshold), as one person alone got it.
    """

    first: list[float] = field(default_factory=list)
    moves: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    wrong: int = 0
    truth: dict[tuple[str, float], str] = field(default_factory=dict)


class Person:
    """One open page."""

    def __init__(self, photo: str, tally: Tally) -> None:
        self.photo, self.tally = photo, tally
        self.query = urlencode({"photo": photo, "model": "fcos_s"})
        self.widget = self.fragment = self.page = ""
        self.seen: dict[str, ForwardMsg] = {}
        self.shown = ""

    async def open(self, address: str) -> None:
        """Connect and wait for the first prediction."""
        url = f"{address.replace('http', 'ws')}/_stcore/stream"
        self.socket = await websockets.connect(url, subprotocols=["streamlit"], max_size=_FULL)
        began = time.perf_counter()
        await self._send(BackMsg(), page_name="predictions")
        await self._finished()
        self.tally.first.append(time.perf_counter() - began)
        if not self.widget:
            raise RuntimeError(f"the page has no {LABEL!r}")

    async def move(self, score: float) -> None:
        """Move the threshold and wait for the answer."""
        message = BackMsg()
        state = message.rerun_script.widget_states.widgets.add()
        state.id, state.double_value = self.widget, score
        message.rerun_script.fragment_id = self.fragment
        began = time.perf_counter()
        await self._send(message)
        await self._finished()
        self.tally.moves.append(time.perf_counter() - began)
        expected = self.tally.truth.setdefault((self.photo, score), self.shown)
        self.tally.wrong += expected != self.shown

    async def _send(self, message: BackMsg, page_name: str = "") -> None:
        client = message.rerun_script
        client.query_string, client.page_script_hash = self.query, self.page
        client.page_name = page_name
        await self.socket.send(message.SerializeToString())

    async def _finished(self) -> None:
        """Read messages until the script has ended."""
        while True:
            message = ForwardMsg.FromString(await self.socket.recv())
            if message.WhichOneof("type") == "ref_hash":
                message = self.seen[message.ref_hash]
            elif message.hash:
                self.seen[message.hash] = message
            kind = message.WhichOneof("type")
            if kind == "new_session":
                self.page = message.new_session.page_script_hash
            elif kind == "delta":
                self._element(message)
            elif kind == "script_finished":
                return

    def _element(self, message: ForwardMsg) -> None:
        element = message.delta.new_element
        kind = element.WhichOneof("type")
        if kind == "number_input" and element.number_input.label == LABEL:
            self.widget, self.fragment = element.number_input.id, message.delta.fragment_id
        elif kind == "bidi_component":
            told = json.loads(element.bidi_component.json or "{}")
            if "boxes" in told:
                picture = {name: told[name] for name in ("boxes", "labels", "scores", "ids")}
                self.shown = json.dumps(picture, sort_keys=True)
        elif kind in ("exception", "alert"):
            body = element.exception.message if kind == "exception" else element.alert.body
            if kind == "exception" or "went wrong" in body or "too little memory" in body:
                self.tally.errors[body[:80]] += 1


async def hall(address: str, people: int, every: float, minutes: float, truth: Any) -> Tally:
    """Everybody comes within the first ``every`` seconds and moves until the time is over."""
    tally = Tally(truth=truth)
    until = time.monotonic() + 60 * minutes

    async def live(number: int) -> None:
        draw = random.Random(number)
        await asyncio.sleep(draw.uniform(0, every))
        person = Person(names()[number % len(names())], tally)
        try:
            await person.open(address)
            while time.monotonic() < until:
                await asyncio.sleep(draw.uniform(0.5, 1.5) * every)
                await person.move(draw.choice(THRESHOLDS))
            await person.socket.close()
        except Exception as error:
            tally.errors[f"{type(error).__name__}: {error}"[:80]] += 1

    await asyncio.gather(*(live(number) for number in range(people)))
    return tally


def resident(pid: int) -> float:
    """Memory of a process in MB (Linux)."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


def percentile(values: list[float], share: float) -> float:
    """The value below which ``share`` of all lie; NaN without any."""
    if len(values) < 2:
        return values[0] if values else float("nan")
    return statistics.quantiles(values, n=100, method="inclusive")[round(100 * share) - 1]


def main() -> None:
    """Print one line for each size of the hall."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, nargs="+", default=[1, 10, 30, 100])
    parser.add_argument("--every", type=float, default=10.0, help="seconds between two moves")
    parser.add_argument("--minutes", type=float, default=1.0)
    chosen = parser.parse_args()
    address = f"http://127.0.0.1:{PORT}"
    words = ["-m", "streamlit", "run", "app.py", "--server.headless=true"]
    words += [f"--server.port={PORT}", "--server.address=127.0.0.1"]
    with tempfile.TemporaryFile() as log:
        server = subprocess.Popen([sys.executable, *words], stdout=log, stderr=log)
        try:
            _measure(address, server.pid, chosen)
        finally:
            server.terminate()
            server.wait(20)


def _measure(address: str, pid: int, chosen: argparse.Namespace) -> None:
    time.sleep(8)
    truth: dict[tuple[str, float], str] = {}
    alone = hall_of_one(address, truth)
    if alone.errors:
        raise SystemExit(f"One person alone met errors: {dict(alone.errors)}")
    for people in chosen.people:
        before = resident(pid)
        tally = asyncio.run(hall(address, people, chosen.every, chosen.minutes, truth))
        report(
            "hall",
            people=people,
            every_s=chosen.every,
            first_p50=percentile(tally.first, 0.5),
            first_p95=percentile(tally.first, 0.95),
            move_p50=percentile(tally.moves, 0.5),
            move_p95=percentile(tally.moves, 0.95),
            moves=len(tally.moves),
            wrong=tally.wrong,
            errors=dict(tally.errors),
            resident_mb_before=before,
            resident_mb_after=resident(pid),
        )


def hall_of_one(address: str, truth: dict[tuple[str, float], str]) -> Tally:
    """One person asks for every photo and threshold alone; the answers are kept in ``truth``."""
    tally = Tally(truth=truth)

    async def ask() -> None:
        for photo in names():
            person = Person(photo, tally)
            await person.open(address)
            for score in THRESHOLDS:
                await person.move(score)
            await person.socket.close()

    asyncio.run(ask())
    return tally


if __name__ == "__main__":
    main()
