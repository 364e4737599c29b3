"""What pages begin with: the words at the top, the Present switch, the photo."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.shared import glossary, state
from pages.shared.plain import sentence
from pages.shared.state import Field

if TYPE_CHECKING:  # importing it takes PyTorch, for which the start page does not wait
    from pages.shared.photos import HeldPhoto
    from vision_core.images import Photo

PRESENT = Field("present", False, state.flag, lambda v: str(int(v)))


def top(below: Callable[[], Any] = lambda: None) -> st.delta_generator.DeltaGenerator:
    """Draw the Present switch; the place for title and words beside it.

    Args:
        below: draws another switch under it.
    """
    state.use(PRESENT)
    words, switch = st.columns([6, 1], vertical_alignment="top")
    with switch:
        st.toggle("Present", key="present")
        below()
    return words


def words(title: str, text: str) -> str:
    """Title of a page and what to look at, as HTML.

    Args:
        title: as in the menu.
        text: two or three sentences; ``**`` for emphasis.
    """
    return f"<h1 class='name'>{title}</h1><div class='lede'>{emphasised(text)}</div>"


def emphasised(text: str) -> str:
    """The text as HTML: bold between ``**``, and terms of the glossary with their help."""
    parts = text.split("**")
    return "".join(glossary.marked(p) if i % 2 else p for i, p in enumerate(parts))


def photo_of(entry: HeldPhoto | None) -> Photo | None:
    """The photo of an entry; says what is missing where there is none."""
    if entry is None:
        st.info("No photo yet: choose one.", icon=":material/add_a_photo:")
    elif entry.photo is None:
        st.warning(sentence(entry.error or ""), icon=":material/broken_image:")
    return None if entry is None else entry.photo
