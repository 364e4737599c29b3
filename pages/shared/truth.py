"""What is really there, as the user says it: boxes drawn on the pictures, or a COCO file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import streamlit as st

from pages.shared import caps, state
from pages.shared.plain import plain
from pages.shared.state import Field
from vision_core.comparison.truth import Truth, read_coco
from vision_core.errors import UserError
from vision_core.images import Photo

MOST = 40  # drawn boxes; the address holds them all
CLASS = "truth_class"
"""Key of the widget that chooses the class of the next box."""
_UPLOADED = "_truth_file"

Row = tuple[str, tuple[float, float, float, float]]


def _parse(text: str) -> str:
    """Check ``HASH;label:x1,y1,x2,y2;...``."""
    _rows(text)
    return text


def _rows(text: str) -> list[Row]:
    found: list[Row] = []
    for part in text.split(";")[1:]:
        label, _, numbers = part.rpartition(":")
        values = [float(v) for v in numbers.split(",")]
        if not label or len(values) != 4 or not values[0] < values[2] or not values[1] < values[3]:
            raise ValueError("boxes as hash;class:x1,y1,x2,y2;...")
        found.append((label, (values[0], values[1], values[2], values[3])))
    return found[:MOST]


FIELD = Field("truth", "", _parse)
DRAWING = Field("drawing", False, state.flag, lambda v: str(int(v)))


def _mark(photo: Photo) -> str:
    return photo.sha256[:8]


def drawn(photo: Photo) -> list[Row]:
    """The boxes that were drawn on this photo; those of another photo do not count."""
    text = str(st.session_state.get("truth", ""))
    return _rows(text) if text.split(";")[0] == _mark(photo) else []


def _store(photo: Photo, rows: Sequence[Row]) -> None:
    parts = [f"{label}:" + ",".join(f"{v:g}" for v in box) for label, box in rows]
    state.put("truth", ";".join([_mark(photo), *parts]) if parts else "")


def add(photo: Photo, place: Sequence[float]) -> None:
    """Take up a box that was dragged on a picture; the answer to a callback.

    Args:
        photo: the photo.
        place: (x1, y1, x2, y2) in photo pixels; a mere click (x, y) is not a box.
    """
    label = st.session_state.get(CLASS)
    if len(place) != 4 or not label:
        state.note("A true box is dragged from corner to corner; a click alone has no extent.")
        return
    rows = drawn(photo)
    if len(rows) >= MOST:
        state.note(f"{MOST} boxes can be drawn; for more, upload a COCO file.")
        return
    x1, y1, x2, y2 = (float(v) for v in place)
    _store(photo, [*rows, (str(label).replace(";", " "), (x1, y1, x2, y2))])


def prepare(names: Sequence[str], likely: str) -> None:
    """Choose a class for the next box, before its widget is made and whether it is shown or not.

    Args:
        names: of the classes that the models know.
        likely: the class that a box most likely has.
    """
    if st.session_state.get(CLASS) not in names:
        st.session_state[CLASS] = likely if likely in names else names[0]


def current(photo: Photo) -> Truth | None:
    """The boxes that are really there; ``None`` where nobody has said so."""
    rows = drawn(photo)
    uploaded = _uploaded(photo)
    boxes = [np.array([box for _, box in rows], np.float32).reshape(-1, 4)]
    labels = [label for label, _ in rows]
    shapes: tuple[Any, ...] = (None,) * len(rows)
    if uploaded is not None:
        boxes.append(uploaded.boxes)
        labels += uploaded.labels
        shapes += uploaded.shapes
    size = None if uploaded is None else uploaded.file_size
    return Truth(np.concatenate(boxes), tuple(labels), shapes, size) if labels else None


def _uploaded(photo: Photo) -> Truth | None:
    """The boxes of the file, which counts for the photo that it was given for."""
    held = st.session_state.get(_UPLOADED)
    return held[1] if held is not None and held[0] == photo.sha256 else None


def _take_file(photo: Photo) -> None:
    """Read the file once, when it comes."""
    file = st.session_state.get("truth_file")
    st.session_state[_UPLOADED] = None
    if file is None:
        return
    try:
        found = read_coco(file.getvalue(), photo.width, photo.height, photo.name)
        st.session_state[_UPLOADED] = (photo.sha256, found, file.name)
    except UserError as error:
        state.note(str(error))


def drawing() -> bool:
    """Whether a box that is dragged on a picture is a true one."""
    return bool(st.session_state["drawing"])


def _switch(on: bool, started: Callable[[], None]) -> None:
    state.put("drawing", on)
    if on:
        started()


def button(
    names: Sequence[str], on: bool | None = None, started: Callable[[], None] = lambda: None
) -> None:
    """The one button that starts and stops drawing on the pictures, and the class of the next box.

    Args:
        names: of the classes that the models know.
        on: whether a dragged box is a true one now; as ``drawing`` says where left out.
        started: called when drawing starts.
    """
    on = drawing() if on is None else on
    st.button(
        "Stop drawing" if on else "Draw true boxes",
        key="draw_truth",
        on_click=_switch,
        args=(not on, started),
        icon=":material/draw:",
        help="Drag a box around each object that is really there; the models are judged by them.",
    )
    if on:
        st.selectbox("Class of the next box", names, key=CLASS, width=220)


def edit(photo: Photo) -> None:
    """The list of the true boxes, and the file that may hold more of them.

    Args:
        photo: the photo.
    """
    rows = drawn(photo)
    if rows:
        st.dataframe(
            [
                {"class": label, "x1 y1 x2 y2": " ".join(f"{v:.0f}" for v in box)}
                for label, box in rows
            ],
            hide_index=True,
            width="stretch",
            key="truth_rows",
            on_select="rerun",
            selection_mode="multi-row",
            height=min(38 + 35 * len(rows), 220),
        )
        chosen = set(st.session_state["truth_rows"]["selection"]["rows"])
        some, every = st.columns(2)
        some.button(
            "Remove the selected",
            width="stretch",
            disabled=not chosen,
            key="truth_remove",
            on_click=_store,
            args=(photo, [r for i, r in enumerate(rows) if i not in chosen]),
        )
        every.button(
            "Remove all", width="stretch", key="truth_clear", on_click=_store, args=(photo, [])
        )
    st.file_uploader(
        "A COCO file with the boxes of this photo",
        type=["json"],
        max_upload_size=caps.PHOTO_FILE_MB,
        key="truth_file",
        on_change=_take_file,
        args=(photo,),
    )
    if _uploaded(photo) is not None and not st.session_state.get("truth_file"):
        st.caption(f"Boxes of {plain(st.session_state[_UPLOADED][2])} count too.")
