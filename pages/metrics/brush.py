"""A truth painted with a brush: class and size, strokes that can be taken back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st

from pages.components import canvas
from pages.metrics import quick
from pages.shared import state
from pages.shared.state import Field
from vision_core.figures.colours import class_colour, is_background
from vision_core.images import Photo
from vision_core.metrics.painted import MOST_STROKES, BrushStroke, from_text, to_text

MOST_TEXT = 6000
"""Characters of a painting in the address; browsers and proxies take no more than about 8,000."""
_HELD, _DONE = "_painting", "_painted"
CLASS = "brush_class"
"""Key of the widget that chooses the class which is painted."""
TOOLS = {"shapes": "Boxes and outlines", "brush": "Brush"}
TOOL = Field("tool", "shapes", state.one_of(TOOLS))
SIZE = Field("brush_size", 6, state.whole(1, 30))
ERASE = Field("brush_erase", False, state.flag, lambda v: str(int(v)))
_ERASER = "#FFFFFF"


def _parse(text: str) -> str:
    """Check ``HASH.strokes``."""
    _strokes(text)
    return text


def _strokes(text: str) -> tuple[BrushStroke, ...]:
    packed = text.partition(".")[2]
    return from_text(packed) if packed else ()


PAINTING = Field("painting", "", _parse)
FIELDS = (PAINTING, TOOL, SIZE, ERASE)


def strokes(photo: Photo) -> tuple[BrushStroke, ...]:
    """The strokes on this photo; those of another photo do not count."""
    text = quick.current("painting")
    held = st.session_state.get(_HELD)
    if held is not None and held[0] == photo.sha256 and held[1] == text:
        kept: tuple[BrushStroke, ...] = held[2]
        return kept
    return _strokes(text) if text.partition(".")[0] == photo.sha256[:8] else ()


def _store(photo: Photo, made: Sequence[BrushStroke]) -> None:
    """Keep the strokes in the session, and in the address while they are few."""
    text = f"{photo.sha256[:8]}.{to_text(made)}" if made else ""
    text = text if len(text) <= MOST_TEXT else ""
    quick.put("painting", text)
    st.session_state[_HELD] = (photo.sha256, text, tuple(made))


def too_long(photo: Photo) -> bool:
    """Whether the painting does not survive a reload."""
    return bool(strokes(photo)) and not quick.current("painting")


def radius(photo: Photo) -> float:
    """Of the brush, photo pixels; its size is in percent of the photo's shorter side."""
    size: int = st.session_state.get("brush_size", SIZE.default)
    return max(round(size / 200 * min(photo.width, photo.height), 1), 0.5)


def look(photo: Photo) -> canvas.Brush:
    """The brush as it is now."""
    erases = bool(st.session_state.get("brush_erase"))
    label = "" if erases else str(st.session_state.get(CLASS, ""))
    colour = _ERASER if erases or is_background(label) else class_colour(label)
    return canvas.Brush(radius(photo), colour, label, int(st.session_state.get(_DONE, 0)))


def asked(photo: Photo, given: Sequence[Sequence[Any]]) -> None:
    """Take up strokes, each once; the answer to a callback.

    Args:
        photo: the photo.
        given: number, class, radius, then x and y of each point in photo pixels; no class erases.
    """
    done = int(st.session_state.get(_DONE, 0))
    fresh = [one for one in given if int(one[0]) > done]
    if not fresh:
        return
    there = strokes(photo)
    if len(there) + len(fresh) > MOST_STROKES:
        state.note(f"{MOST_STROKES} strokes can be painted; save the truth as PNG and give it.")
    made = [
        BrushStroke(
            str(label),
            float(size),
            np.round(np.array(flat, np.float64)).astype(np.int64).reshape(-1, 2),
        )
        for _, label, size, *flat in fresh
    ]
    st.session_state[_DONE] = max(int(one[0]) for one in fresh)
    _store(photo, [*there, *made][:MOST_STROKES])


def controls(photo: Photo, known: Sequence[str], likely: str) -> None:
    """Class, size, eraser and the way back.

    Args:
        photo: the photo.
        known: classes that can be painted.
        likely: the class with which it begins.
    """
    names = [*known, "background"]
    if st.session_state.get(CLASS) not in names:
        st.session_state[CLASS] = likely if likely in names else names[0]
    row = st.container(horizontal=True, gap="small", vertical_alignment="bottom")
    row.selectbox("Class", names, key=CLASS, width=160)
    row.slider(
        "Brush, % of the photo",
        1,
        30,
        key="brush_size",
        width=200,
        help="Its width, in percent of the photo's shorter side.",
    )
    row.toggle("Erase", key="brush_erase", help="What was painted goes; what lies below stays.")


def undo(photo: Photo) -> None:
    """The buttons that take strokes back, and a word where a reload would lose them."""
    there = strokes(photo)
    if not there:
        return
    row = st.container(horizontal=True, gap="small")
    row.button(
        "Undo the last stroke",
        key="brush_undo",
        icon=":material/undo:",
        on_click=_store,
        args=(photo, there[:-1]),
    )
    row.button(
        f"Remove the painting ({len(there)})", key="brush_clear", on_click=_store, args=(photo, ())
    )
    if too_long(photo):
        st.caption(
            ":material/warning: The painting is too long for the address, so that a reload loses "
            "it. Save the truth as PNG below; it can be given again."
        )
