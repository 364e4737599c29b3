"""Drawing of true boxes on the pictures of Compare: they must be what its colours show."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from pages.shared import state, truth


def drawing() -> bool:
    """Whether a box that is dragged on a picture is a true one."""
    return truth.drawing() and st.session_state["colour"] == "truth"


def button(names: Sequence[str]) -> None:
    """The one button that starts and stops drawing on the pictures, and the class of the next box.

    Args:
        names: of the classes that the models know.
    """
    truth.button(names, drawing(), lambda: state.put("colour", "truth"))
