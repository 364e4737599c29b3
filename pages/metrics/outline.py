"""Polygons that are drawn on the photo, corner by corner, as a truth for class maps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from pages.components import canvas
from pages.metrics import quick
from pages.shared import state, truth
from pages.shared.plain import short
from pages.shared.state import Field
from vision_core.figures.colours import GROUND_TRUTH
from vision_core.images import Photo
from vision_core.metrics.class_maps import Outline

MOST, MOST_CORNERS = 12, 60
"""Polygons, and corners of one; the address holds them all."""
_OPEN = "_outline_corners"


def _parse(text: str) -> str:
    """Check ``HASH;label:x,y,x,y,x,y;...``."""
    _rows(text)
    return text


def _rows(text: str) -> list[Outline]:
    found = []
    for part in text.split(";")[1:]:
        label, _, numbers = part.rpartition(":")
        values = [float(v) for v in numbers.split(",")]
        fits = label and 6 <= len(values) <= 2 * MOST_CORNERS and len(values) % 2 == 0
        if not fits or not all(abs(v) <= 1e5 for v in values):
            raise ValueError("outlines as hash;class:x,y,x,y,x,y;...")
        found.append(Outline(label, np.array(values).reshape(-1, 2)))
    return found[:MOST]


FIELD = Field("outlines", "", _parse)


def drawn(photo: Photo) -> list[Outline]:
    """The outlines of this photo; those of another photo do not count."""
    text = quick.current("outlines")
    return _rows(text) if text.split(";")[0] == photo.sha256[:8] else []


def _store(photo: Photo, outlines: Sequence[Outline]) -> None:
    parts = [f"{one.label}:" + ",".join(f"{v:g}" for v in one.corners.ravel()) for one in outlines]
    quick.put("outlines", ";".join([photo.sha256[:8], *parts]) if parts else "")


def _corners(photo: Photo) -> list[list[float]]:
    """The corners of the outline that is being drawn."""
    held = st.session_state.get(_OPEN)
    return list(held[1]) if held is not None and held[0] == photo.sha256 else []


def asked(photo: Photo, place: Sequence[float]) -> None:
    """Take up a click as a corner and a drag as a box; the answer to a callback."""
    if len(place) != 2:
        truth.add(photo, place)
        return
    corners = _corners(photo)
    if len(corners) >= MOST_CORNERS or len(drawn(photo)) >= MOST:
        state.note(f"{MOST} outlines of {MOST_CORNERS} corners can be drawn; give a PNG instead.")
        return
    st.session_state[_OPEN] = (photo.sha256, [*corners, [round(float(v), 1) for v in place]])


def _close(photo: Photo, label: str) -> None:
    corners = np.array(_corners(photo))
    _store(photo, [*drawn(photo), Outline(label.replace(";", " "), corners)])
    st.session_state[_OPEN] = None


def _back(photo: Photo) -> None:
    st.session_state[_OPEN] = (photo.sha256, _corners(photo)[:-1])


def controls(photo: Photo) -> None:
    """The buttons of the outline that is being drawn, and of those that are there."""
    corners, there = _corners(photo), drawn(photo)
    if truth.drawing():
        st.caption("Drag a box, or click the corners of an outline one after another.")
    row = st.container(horizontal=True, gap="small")
    if corners:
        label = str(st.session_state.get(truth.CLASS, ""))
        row.button(
            f"Close the outline of {len(corners)} corners",
            key="outline_close",
            on_click=_close,
            args=(photo, label),
            disabled=len(corners) < 3 or not label,
        )
        row.button("Take back a corner", key="outline_back", on_click=_back, args=(photo,))
    if there:
        row.button(
            f"Remove the outlines ({len(there)})",
            key="outline_clear",
            on_click=_store,
            args=(photo, []),
        )


def marks(photo: Photo) -> tuple[list[canvas.Mark], list[tuple[int, int, str]]]:
    """The corners as small squares and the edges as lines between them."""
    made: list[canvas.Mark] = []
    links: list[tuple[int, int, str]] = []
    half = max(photo.width, photo.height) / 250
    shapes = [(one.label, one.corners.tolist(), True) for one in drawn(photo)]
    for label, corners, closed in [*shapes, ("", _corners(photo), False)]:
        first = len(made)
        for i, (x, y) in enumerate(corners):
            text = short(label, 24) if i == 0 else ""
            made.append(canvas.Mark([x - half, y - half, x + half, y + half], GROUND_TRUTH, text))
        links += [(i, i + 1, "") for i in range(first, len(made) - 1)]
        if closed:
            links.append((len(made) - 1, first, ""))
    return made, links
