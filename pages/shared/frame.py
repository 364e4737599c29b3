"""What pages begin with: the words at the top, the Present switch, the photo."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages.shared import state
from pages.shared.plain import sentence
from pages.shared.state import Field

if TYPE_CHECKING:  # importing it takes PyTorch, for which the start page does not wait
    from pages.shared.photos import Entry
    from vision_core.images import Photo

PRESENT = Field("present", False, state.flag, lambda v: str(int(v)))


def top() -> st.delta_generator.DeltaGenerator:
    """Draw the Present switch; the place for the words beside it."""
    state.use(PRESENT)
    words, switch = st.columns([6, 1], vertical_alignment="top")
    switch.toggle("Present", key="present")
    return words


def photo_of(entry: Entry | None) -> Photo | None:
    """The photo of an entry; says what is missing where there is none."""
    if entry is None:
        st.info("No photo yet: choose one on the left.", icon=":material/add_a_photo:")
    elif entry.photo is None:
        st.warning(sentence(entry.error or ""), icon=":material/broken_image:")
    return None if entry is None else entry.photo
