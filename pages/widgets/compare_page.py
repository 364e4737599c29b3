"""The Compare page: two to four models on one photo."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.widgets import photos, state
from pages.widgets.comparing import boxes, classes, pixels, sides

_LEDE = (
    "<h1 class='unseen'>Compare</h1><div class='lede'><b>Look at the difference.</b> Two to four "
    "models on one photo, with linked zoom: what both found, what only one found, and what it cost "
    "each of them. Give one of them random weights to see what training did.</div>"
)
_PANELS: dict[str, Any] = {"boxes": boxes.show, "segmentation": pixels.show,
                           "classification": classes.show}  # fmt: skip


def main() -> None:
    """The page: pickers in the rail, then a column for each model."""
    state.open_page()
    present = state.Field("present", False, state.flag, lambda v: str(int(v)))
    state.use(present)
    lede, switch = st.columns([6, 1], vertical_alignment="top")
    lede.html(_LEDE)
    switch.toggle("Present", key="present")
    with st.sidebar:
        entry = photos.pick()
        chosen = sides.pick()
    outer = (present, *photos.fields(), *sides.fields())
    state.write(*outer)
    notes = st.container()
    photos.strip()
    if entry is None:
        st.info("No photo yet: choose one on the left.", icon=":material/add_a_photo:")
    elif entry.photo is None:
        st.warning(entry.error, icon=":material/broken_image:")
    else:
        ran = sides.run(chosen, entry.photo)
        _PANELS[st.session_state["kind"]](entry.photo, ran, outer)
    with notes:
        state.show_notes()
