"""The full-size models of a lecture, fetched together while there is a network."""

from __future__ import annotations

import streamlit as st

from pages.shared import model_picker
from pages.shared.guard import guarded
from vision_core.models import Card, weights

_MEGABYTE = 2**20


def show() -> None:
    """What is missing of the set, with sizes, and the button that fetches it."""
    missing = weights.lecture_set()
    with st.expander("Full-size models for a lecture", icon=":material/school:"):
        if not missing:
            st.caption("All of them are on this machine; pages open with them.")
            return
        st.caption(
            "One fast torchvision model of each task. Pages open with them once they are here. "
            "A download that breaks off goes on where it stopped."
        )
        st.markdown("\n".join(f"- {card.title}: {_size(card)}" for card in missing))
        total = sum(card.bytes for card in missing) / _MEGABYTE
        if st.button(
            f"Download all ({total:.0f} MB)",
            icon=":material/download:",
            key="get_lecture_set",
            width="stretch",
        ):
            _fetch(missing)


def _fetch(missing: tuple[Card, ...]) -> None:
    """One after the other; the first that fails ends it, with what came before kept."""
    with guarded("downloading the models of a lecture"):
        for number, card in enumerate(missing, 1):
            st.caption(f"{number} of {len(missing)}: {card.title}")
            model_picker.fetch(card)
        st.rerun()


def _size(card: Card) -> str:
    return f"{card.bytes / _MEGABYTE:.0f} MB"
