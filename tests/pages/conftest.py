"""Page tests run the whole app in Streamlit's own simulator, with empty caches each time."""

from __future__ import annotations

import functools
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import streamlit as st
import torch
from PIL import Image
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest, local_script_runner
from streamlit.util import calc_hash

from pages import navigation
from vision_core.models import loading, weights
from vision_core.models.cards import Card

APP = Path(__file__).resolve().parents[2] / "app.py"
PREDICTIONS = "predictions"


@pytest.fixture(scope="session", autouse=True)
def _packages_scanned_once() -> Iterator[None]:
    """Every session of the simulator reads all installed packages; they are the same each time."""
    scan = functools.cache(manifest_scanner.scan_component_manifests)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", scan)
        yield


@pytest.fixture(scope="session", autouse=True)
def _waiting_takes_no_time() -> Iterator[None]:
    """The simulator asks a thousand times a second whether a run is over, which slows the run."""
    ask = local_script_runner.require_widgets_deltas

    def wait(runner: local_script_runner.LocalScriptRunner, timeout: float = 3) -> None:
        thread = runner._script_thread
        if thread is not None:
            thread.join(timeout)
        ask(runner, 0 if thread is not None and thread.is_alive() else timeout)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(local_script_runner, "require_widgets_deltas", wait)
        yield


_KEPT: dict[Any, Any] = {}


@pytest.fixture(scope="package", autouse=True)
def _bundled_networks_read_once() -> Iterator[None]:
    """Their files are opened once, whatever a test empties: no page changes a shared network.

    Tests elsewhere may change what they load, and load their own.
    """
    read = loading._load_known

    def load(entry: Card, folder: Path | None) -> loading._Loaded:
        if not entry.bundled or torch.cuda.is_available():  # a network moves to where it runs
            return read(entry, folder)
        file = weights.require(entry, folder)
        key = (entry.name, file, file.stat().st_mtime_ns)
        if key not in _KEPT:
            _KEPT[key] = read(entry, folder)[1:]
        return entry, *_KEPT[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loading, "_load_known", load)
        yield


@pytest.fixture(autouse=True)
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A download cache of the test's own: pages open with what lies there."""
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    monkeypatch.delenv(weights.FOLDER_VARIABLE, raising=False)
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture(autouse=True)
def _empty_caches() -> Iterator[None]:
    st.cache_resource.clear()
    yield
    st.cache_resource.clear()


def start(page: str | None = PREDICTIONS, **params: str) -> AppTest:
    """The app on a page, after its first run."""
    app = AppTest.from_file(str(APP), default_timeout=120)
    for name, value in params.items():
        app.query_params[name] = value
    return (app if page is None else visit(app, page)).run()


def visit(app: AppTest, page: str) -> AppTest:
    """The app on another page, before its run; ``switch_page`` only knows pages that are files."""
    assert page in navigation.ENTRIES
    app._page_hash = calc_hash(page)
    return app


def sound(app: AppTest) -> AppTest:
    """The app, after checking that nothing went wrong in it."""
    assert not app.exception, app.exception
    assert not app.error, [e.value for e in app.error]
    assert "Traceback" not in text_of(app)
    return app


def text_of(app: AppTest) -> str:
    """All the prose of a page."""
    kinds = ("markdown", "caption", "info", "warning", "error", "html", "title")
    return "\n".join(
        str(getattr(e, "value", "") or getattr(e.proto, "body", ""))
        for kind in kinds
        for e in app.get(kind)
    )


def picture(app: AppTest, at: int = -1) -> dict[str, Any]:
    """What the picture component was given."""
    return json.loads(app.get("bidi_component")[at].proto.json)


def file_of(array: np.ndarray, kind: str = "PNG") -> bytes:
    """A picture file."""
    out = io.BytesIO()
    Image.fromarray(array).save(out, kind)
    return out.getvalue()


@pytest.fixture
def convolutions() -> Iterator[list[str]]:
    """Grows by one whenever any convolution runs anywhere in the process."""
    ran: list[str] = []

    def spy(module: torch.nn.Module, args: Any, result: Any) -> None:
        if isinstance(module, torch.nn.Conv2d):
            ran.append(type(module).__name__)

    handle = torch.nn.modules.module.register_module_forward_hook(spy)
    yield ran
    handle.remove()
