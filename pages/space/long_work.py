"""Work of some seconds: its cost is told first, it can be stopped, and others may follow it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import streamlit as st

from pages.shared.runs import Runs

_AT_ONCE = 10.0
"""Seconds up to which work begins without being asked for."""
_ON = "_space_on"


@st.cache_resource(show_spinner=False)
def _runs() -> Runs[Any]:
    return Runs()


def last_of(
    key: Any,
    begin: Callable[[], Iterator[Any]],
    *,
    label: str,
    cost: str,
    seconds: float,
    told: Callable[[Any], tuple[float, str]],
    draw: Callable[[Any], None] = lambda step: None,
) -> Any | None:
    """The last step of some work; ``None`` while nobody has asked for it.

    Args:
        key: of the work; it is done once for all who follow it.
        begin: its steps.
        label: of the button.
        cost: of it, in words.
        seconds: it will take about.
        told: how far a step is, 0 to 1, and in words.
        draw: shows a step on the way.
    """
    if seconds > _AT_ONCE and st.session_state.get(_ON) != key:
        _ask(key, label, f"{cost}, about {max(1, round(seconds))} s; you can stop.")
        return None
    place, found = st.empty(), None
    with place.container():
        if seconds > _AT_ONCE:
            st.button(
                "Stop", key="space_stop", icon=":material/stop:", on_click=_switch, args=(None,)
            )
        bar = st.progress(0.0, text=f"{label} …")
        canvas = st.empty()
    try:
        for found in _runs().follow(key, begin):
            share, words = told(found)
            bar.progress(share, text=words)
            with canvas:
                draw(found)
    except Exception:
        _switch(None)  # or every later run of the page would fail again
        raise
    _switch(None)
    place.empty()
    return found


def _ask(key: Any, label: str, cost: str) -> None:
    """The button with the cost beside it."""
    row = st.container(horizontal=True, gap="small", vertical_alignment="center")
    row.button(
        label,
        key="space_start",
        type="primary",
        icon=":material/play_arrow:",
        on_click=_switch,
        args=(key,),
    )
    row.caption(cost)


def _switch(key: Any) -> None:
    st.session_state[_ON] = key
