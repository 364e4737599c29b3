"""The picture of a page: a photo with its results on a canvas that can be clicked and walked.

The photo goes to the browser once, as JPEG; masks and class maps as one PNG; everything else as
numbers. Whatever a slider changes is a few kilobytes, so the picture follows without a flash.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import streamlit as st

from vision_core.figures import jpeg
from vision_core.figures.browser import HERE, component
from vision_core.figures.browser.bundle import bundle
from vision_core.figures.browser.live import Live
from vision_core.figures.browser.scene import Brush, Mark, Overlay, Scene, numbers
from vision_core.figures.encode import data_url
from vision_core.images import Photo

__all__ = ["Brush", "Live", "Mark", "Overlay", "Scene", "picture"]

_TALLEST_ON_STAGE = "calc(100vh - 13.7rem)"
_HELD_BY_BROWSER = 9  # images, traces, the code; it keeps more of each, and asks for what it lacks
_PARTS = component("canvas")
_mount = st.components.v2.component(
    "convscope_picture", html=_PARTS.html, css=_PARTS.css, js=bundle(HERE / "canvas" / "start.js")
)
_CODE_ID = hashlib.sha256(_PARTS.js.encode()).hexdigest()[:16]


def picture(
    photo: Photo,
    scene: Scene,
    *,
    key: str,
    selected: int = -1,
    tallest: str = "calc(100vh - 18rem)",
    present: bool = False,
    on_stage: str = _TALLEST_ON_STAGE,
    on_pick: Callable[[dict[str, int]], None] = lambda pick: None,
    on_thresholds: Callable[[dict[str, float]], None] = lambda values: None,
    on_ask: Callable[[list[Any]], None] = lambda place: None,
) -> None:
    """Show a photo with a scene on it.

    Args:
        photo: the photo; sent only if the browser does not hold it yet.
        scene: what lies on it.
        key: of the element; also of what the browser is believed to hold.
        selected: the id of the box that stands out, -1 for none.
        tallest: CSS length that the picture's height stays under.
        present: larger type and lines, and ``on_stage`` in place of ``tallest``.
        on_stage: leaves room for the counts unless the caller knows better.
        on_pick: called with ``{"id": ...}`` (-1 for none) or ``{"x": ..., "y": ...}``.
        on_thresholds: called with ``{"score": ..., "iou": ...}`` when a live slider is let go.
        on_ask: called with ``[x, y]`` or ``[x1, y1, x2, y2]``, the place that is asked about; for
            ``paint`` with strokes, each as ``[number, label, radius, x, y, x, y, ...]``: those that
            are not done yet, also again.
    """
    if present:
        tallest = on_stage
    held: dict[str, None] = st.session_state.setdefault(f"_held_{key}", {})
    _mount(
        key=key,
        data=numbers(scene)
        | {
            "code": {"id": _CODE_ID} | ({} if _holds(held, _CODE_ID) else {"text": _PARTS.js}),
            "photo": {"id": photo.sha256, "width": photo.width, "height": photo.height}
            | _file(held, photo.sha256, lambda: jpeg(photo), "jpeg"),
            "overlay": _overlay(held, scene.overlay),
            "live": _live(held, scene.live),
            "selected": selected,
            "tallest": tallest,
            "present": present,
        },
        on_pick_change=lambda: _told(key, "pick", on_pick),
        on_thresholds_change=lambda: _told(key, "thresholds", on_thresholds),
        on_ask_change=lambda: _told(key, "ask", lambda said: on_ask(said["at"])),
        on_missing_change=held.clear,
    )


def _overlay(held: dict[str, None], overlay: Overlay | None) -> dict[str, Any] | None:
    if overlay is None:
        return None
    return overlay.message() | _file(held, overlay.id, overlay.make, "png")


def _live(held: dict[str, None], live: Live | None) -> dict[str, Any] | None:
    if live is None:
        return None
    sent = {} if _holds(held, live.id) else {"candidates": live.candidates()}
    return live.message() | sent


def _holds(held: dict[str, None], name: str) -> bool:
    """Whether the browser holds something; afterwards it is believed to."""
    known = name in held
    held.pop(name, None)
    held[name] = None  # the last used is the last to go, here and in the browser
    while len(held) > _HELD_BY_BROWSER:
        del held[next(iter(held))]
    return known


def _file(held: dict[str, None], name: str, make: Callable[[], bytes], kind: str) -> dict[str, str]:
    """The file as a data URL, or nothing when the browser holds it."""
    if _holds(held, name):
        return {}
    return {"url": data_url(make(), kind)}


def _told(key: str, name: str, hear: Callable[[Any], None]) -> None:
    """Hand on what the component said, where it said anything."""
    state: Any = st.session_state.get(key)
    said = state.get(name) if state else None
    if said:
        hear(said)
