"""Drawing of true boxes on the pictures of Compare: one button that starts and stops it."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from pages.shared import state, truth
from pages.shared.state import Field

DRAWING = Field("drawing", False, state.flag, lambda v: str(int(v)))


def drawing() -> bool:
    """Whether a box that is dragged on a picture is a true one."""
    return bool(st.session_state["drawing"]) and st.session_state["colour"] == "truth"


def _switch(on: bool) -> None:
    state.put("drawing", on)
    if on:
        state.put("colour", "truth")


def button(names: Sequence[str]) -> None:
    """The one button that starts and stops drawing on the pictures, and the class of the next box.

    Args:
        names: of the classes that the models know.
    """
    on = drawing()
    st.button(
        "Stop drawing" if on else "Draw true boxes",
        key="draw_truth",
        on_click=_switch,
        args=(not on,),
        icon=":material/draw:",
        help="Drag a box around each object that is really there; the models are judged by them.",
    )
    if on:
        st.selectbox("Class of the next box", names, key=truth.CLASS, width=220)
