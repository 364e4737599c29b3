"""A taught network goes to the other pages: as a network of the session's own."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from pages import navigation
from pages.shared import own_networks, state
from pages.shared.guard import guarded
from vision_core.models.own_file import own_title


def offer(title: str, make: Callable[[], bytes], section: str) -> None:
    """The button that lets all pages choose the network as it is now.

    Args:
        title: what it is called in the pickers.
        make: gives its file.
        section: of the page, for keys.
    """
    row = st.container(horizontal=True, gap="small", vertical_alignment="center")
    row.button(
        "Choose it on other pages",
        key=f"{section}_adopt",
        icon=":material/move_item:",
        on_click=_adopt,
        args=(title, make),
        help="A copy of the network as it is now, for this browser session alone. It stands first "
        "in every model picker, under Classification.",
    )
    mine = next((c for c in own_networks.cards() if c.title == f"yours: {own_title(title)}"), None)
    if mine is not None:
        with row:
            navigation.link(
                "predictions",
                f"Open {mine.title} in Predictions",
                "frame_person",
                state.link(task=mine.task, model=mine.name),
            )


def _adopt(title: str, make: Callable[[], bytes]) -> None:
    with guarded("taking up the network"):
        own_networks.adopt(own_title(title), make())
