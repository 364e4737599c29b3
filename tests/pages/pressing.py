"""Download buttons in Streamlit's simulator: each is pressed and its file read back."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from xml.etree import ElementTree

import numpy as np
import safetensors.torch
from PIL import Image
from streamlit.runtime.media_file_manager import MediaFileManager
from streamlit.testing.v1 import AppTest

from tests.pages.conftest import start


@contextmanager
def managers() -> Iterator[list[MediaFileManager]]:
    """The file managers of the runs in this block; the simulator hides them."""
    made: list[MediaFileManager] = []
    own = MediaFileManager.__init__

    def init(self: MediaFileManager, *args: Any, **kwargs: Any) -> None:
        own(self, *args, **kwargs)
        made.append(self)

    MediaFileManager.__init__ = init  # type: ignore[method-assign]
    try:
        yield made
    finally:
        MediaFileManager.__init__ = own  # type: ignore[method-assign]


def pressed(page: str, **params: str) -> tuple[AppTest, dict[str, tuple[str, Any]]]:
    """A page of the app, and every download on it: label to (file name, content)."""
    with managers() as made:
        app = start(page, **params)
        return app, files(app, made[-1])


def files(app: AppTest, manager: MediaFileManager) -> dict[str, tuple[str, Any]]:
    """Every download of a page: label to (file name, content)."""
    found = {}
    for button in app.get("download_button"):
        url = manager.execute_deferred(button.proto.deferred_file_id)
        file = manager._storage.get_file(url.rsplit("/", 1)[1])  # type: ignore[attr-defined]
        assert file.content, button.proto.label
        found[button.proto.label] = (file.filename, content(file.filename, file.content))
    return found


def content(name: str, data: bytes) -> Any:
    """What is in a file, by its ending, after a full read."""
    ending = name.rsplit(".", 1)[1]
    if ending == "json":
        return json.loads(data, parse_constant=_no_constant)
    if ending in ("png", "gif"):
        picture = Image.open(io.BytesIO(data))
        assert picture.format == ending.upper()
        picture.load()
        return picture
    if ending == "npy":
        return np.load(io.BytesIO(data), allow_pickle=False)
    if ending == "safetensors":
        return safetensors.torch.load(data)
    if ending == "svg":
        root = ElementTree.fromstring(data)
        assert root.tag.endswith("svg")
        return root
    text = data.decode()
    if ending == "csv":
        return text
    assert ending == "html", name
    assert text.lstrip().lower().startswith("<!doctype html>") and "</html>" in text
    return text


def _no_constant(name: str) -> None:
    raise AssertionError(f"{name} is no strict JSON")
