"""Training: a small network learns before everyone's eyes; what a trained trunk is worth."""

from __future__ import annotations

import streamlit as st

from pages.shared import frame, state
from pages.shared.guard import guarded
from pages.training import classes, dials, learning, transfer

_LEDE = (
    "Press Start: **weights** are changed against the **gradient** of the loss, batch by batch, "
    "and filters take shape. Watch where the two curves part (overfitting), and take epochs back. "
    "On your own photos a frozen **trunk** with a new last layer learns from ten pictures a class."
)


def main() -> None:
    """The page: data and settings at the side, the run in the middle."""
    frame.top().html(frame.words("Training", _LEDE))
    first = dials.first()
    state.use(*first)
    with st.sidebar:
        st.segmented_control(
            "What is taught",
            list(dials.SECTIONS),
            key="section",
            format_func=dials.SECTIONS.__getitem__,
            required=True,
            width="stretch",
        )
        section: str = st.session_state["section"]
        st.segmented_control(
            "Data",
            list(dials.LESSONS),
            key="lesson",
            format_func=dials.LESSONS.__getitem__,
            required=True,
            width="stretch",
            help="1,797 digits of 8x8 pixels; crops of five sample photos, each photo a class; or "
            "photos that you give.",
        )
        used = dials.fields(section)
        state.use(*used)
        settings = dials.controls(section)
    notes = st.container()
    show = transfer if section == "transfer" else learning
    with guarded("teaching a network"):
        data = classes.data(section)
        extra = show.fields(data)
        state.use(*extra)
        used += extra
        if data is not None:
            show.show(data, settings)
    state.write(frame.PRESENT, *first, *used)
    with notes:
        state.show_notes()
