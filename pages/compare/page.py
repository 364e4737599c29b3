"""The Compare page: two to four models on one photo."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.compare import boxes, classes, pixels, sides
from pages.shared import frame, photos, state

_LEDE = (
    "**Look at the difference.** Two to four "
    "models on one photo, with linked zoom: what both found, what only one found, and what it cost "
    "each of them. Give one of them random weights to see what training did."
)
_PANELS: dict[str, Any] = {
    "boxes": boxes.show,
    "segmentation": pixels.show,
    "classification": classes.show,
}


def main() -> None:
    """The page: pickers in the rail, then a column for each model."""
    frame.top().html(frame.words("Compare", _LEDE))
    with st.sidebar:
        entry = photos.pick()
        chosen = sides.pick()
    outer = (frame.PRESENT, *photos.fields(), *sides.fields())
    state.write(*outer)
    notes = st.container()
    photos.strip()
    photo = frame.photo_of(entry)
    if photo is not None:
        _PANELS[st.session_state["kind"]](photo, sides.run(chosen, photo), outer)
    with notes:
        state.show_notes()
