"""Somebody with an open page, who speaks the app's websocket protocol in place of a browser."""

from __future__ import annotations

import asyncio
import io
import json
import time
import urllib.request
import uuid
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode

import numpy as np
import websockets
from PIL import Image
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from vision_core.samples import names, sample

LABEL = "Score threshold"
_FULL = 2**26  # a message may hold a photo
_PATIENCE = 120.0  # seconds without a message


@dataclass(frozen=True)
class OwnPhoto:
    """A file that somebody brings.

    Attributes:
        name: of the file.
        content: JPEG.
    """

    name: str
    content: bytes


def own_photo(number: int) -> OwnPhoto:
    """What person ``number`` brings: their own cut of a sample, with their own noise."""
    pixels = sample(names()[number % len(names())]).pixels.astype(np.int16)
    draw = np.random.default_rng(number)
    top, left = draw.integers(0, 40, 2)
    cut = pixels[top:, left:] + draw.integers(-6, 7, (*pixels[top:, left:].shape[:2], 1))
    out = io.BytesIO()
    Image.fromarray(cut.clip(0, 255).astype(np.uint8)).save(out, "JPEG", quality=88)
    return OwnPhoto(f"person_{number}.jpg", out.getvalue())


class Visitor:
    """One open Predictions page.

    Args:
        address: of the server, without a slash at its end.
        photo: name of a sample, or a file to upload.
    """

    def __init__(self, address: str, photo: str | OwnPhoto) -> None:
        self.address, self.photo = address, photo
        source = {"photo": photo} if isinstance(photo, str) else {"source": "upload"}
        self.query = urlencode({**source, "model": "fcos_s"})
        self.name = photo if isinstance(photo, str) else photo.name
        self.widgets: dict[str, tuple[str, str]] = {}  # id and fragment, by label
        self.page = self.session = ""
        self.pages: dict[str, str] = {}  # the menu: a page's hash, by its path
        self.drawn: list[str] = []
        self.seen: dict[str, ForwardMsg] = {}
        self.picture = ""
        self.errors: list[str] = []

    async def open(self) -> float:
        """Connect, upload what is to be uploaded, and wait for the first prediction.

        Returns:
            seconds from sending the photo (or from asking for the page, for a sample) to the end.
        """
        url = f"{self.address.replace('http', 'ws')}/_stcore/stream"
        self.socket = await websockets.connect(
            url, subprotocols=["streamlit"], max_size=_FULL, ping_timeout=None, open_timeout=60
        )
        began = time.perf_counter()
        await self._run(BackMsg(), page_name="predictions")
        if isinstance(self.photo, OwnPhoto):
            began = time.perf_counter()
            await self._upload(self.photo)
        seconds = time.perf_counter() - began
        if LABEL not in self.widgets or not self.picture:
            raise RuntimeError(f"the page has no {LABEL!r}" if self.picture else "no picture came")
        return seconds

    async def move(self, score: float) -> float:
        """Move the threshold; seconds to the end of the answer."""
        message = BackMsg()
        state = message.rerun_script.widget_states.widgets.add()
        state.id, message.rerun_script.fragment_id = self.widgets[LABEL]
        state.double_value = score
        began = time.perf_counter()
        await self._run(message)
        return time.perf_counter() - began

    async def visit(self, page: str) -> float:
        """Go to another page by the menu, with the photo that is there.

        Args:
            page: path of its address, as ``attribution``.

        Returns:
            seconds to the end of its answer.
        """
        self.page, self.query, self.drawn = self.pages[page], "", []
        began = time.perf_counter()
        await self._run(BackMsg())
        if not self.drawn:
            raise RuntimeError(f"nothing was drawn on {page}")
        return time.perf_counter() - began

    @property
    def drawing(self) -> str:
        """What the page has drawn since it was visited: photos, boxes, charts and maps."""
        return "".join(self.drawn)

    async def close(self) -> None:
        """Leave the page."""
        await self.socket.close()

    async def _upload(self, photo: OwnPhoto) -> None:
        wanted = BackMsg()
        wanted.file_urls_request.request_id = str(uuid.uuid4())
        wanted.file_urls_request.file_names.append(photo.name)
        wanted.file_urls_request.session_id = self.session
        await self.socket.send(wanted.SerializeToString())
        while (told := await self._read()).WhichOneof("type") != "file_urls_response":
            pass
        urls = told.file_urls_response.file_urls[0]
        await asyncio.to_thread(self._put, urls.upload_url, photo)
        message = BackMsg()
        state = message.rerun_script.widget_states.widgets.add()
        state.id, message.rerun_script.fragment_id = self.widgets["Photos"]
        file = state.file_uploader_state_value.uploaded_file_info.add()
        file.name, file.size, file.file_id = photo.name, len(photo.content), urls.file_id
        file.file_urls.CopyFrom(urls)
        await self._run(message)

    def _put(self, path: str, photo: OwnPhoto) -> None:
        """Send the file as the browser does, with the token against forged requests."""
        with urllib.request.urlopen(f"{self.address}/_stcore/health", timeout=60) as answer:
            cookies = SimpleCookie(answer.headers.get("Set-Cookie", ""))
        token = cookies["_streamlit_xsrf"].value if "_streamlit_xsrf" in cookies else ""
        border = uuid.uuid4().hex
        head = f'Content-Disposition: form-data; name="file"; filename="{photo.name}"'
        body = b"".join(
            (
                f"--{border}\r\n{head}\r\nContent-Type: image/jpeg\r\n\r\n".encode(),
                photo.content,
                f"\r\n--{border}--\r\n".encode(),
            )
        )
        headers = {
            "Content-Type": f"multipart/form-data; boundary={border}",
            "X-Xsrftoken": token,
            "Cookie": f"_streamlit_xsrf={token}",
        }
        request = urllib.request.Request(
            f"{self.address}/{path.lstrip('/')}", body, headers, method="PUT"
        )
        urllib.request.urlopen(request, timeout=60).close()

    async def _run(self, message: BackMsg, page_name: str = "") -> None:
        """Ask for a run of the script and read until it has ended."""
        client = message.rerun_script
        client.query_string, client.page_script_hash = self.query, self.page
        client.page_name = page_name
        await self.socket.send(message.SerializeToString())
        while True:
            told = await self._read()
            kind = told.WhichOneof("type")
            if kind == "navigation":
                self.page = told.navigation.page_script_hash
                self.pages = {p.url_pathname: p.page_script_hash for p in told.navigation.app_pages}
            elif kind == "new_session":
                self.session = told.new_session.initialize.session_id or self.session
            elif kind == "delta":
                self._element(told)
            elif kind == "script_finished":
                if told.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                    return

    async def _read(self) -> ForwardMsg:
        message = ForwardMsg.FromString(await asyncio.wait_for(self.socket.recv(), _PATIENCE))
        if message.WhichOneof("type") == "ref_hash":
            return self.seen[message.ref_hash]
        if message.hash:
            self.seen[message.hash] = message
        return message

    def _element(self, message: ForwardMsg) -> None:
        element: Any = message.delta.new_element
        kind = element.WhichOneof("type")
        if kind in ("number_input", "file_uploader"):
            widget = getattr(element, kind)
            self.widgets[widget.label] = (widget.id, message.delta.fragment_id)
        elif kind == "bidi_component":
            self.drawn.append(element.bidi_component.json)
            told = json.loads(element.bidi_component.json or "{}")
            if "boxes" in told:
                picture = {name: told[name] for name in ("boxes", "labels", "scores", "ids")}
                self.picture = json.dumps(picture, sort_keys=True)
        elif kind == "plotly_chart":
            self.drawn.append(element.plotly_chart.spec)
        elif kind == "exception":
            self.errors.append(element.exception.message)
        elif kind == "alert":
            body = element.alert.body
            if "went wrong" in body or "too little memory" in body or "upload" in body.lower():
                if "Choose one or several photos" not in body:
                    self.errors.append(body)
