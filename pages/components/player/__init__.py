"""The player of walkthroughs: it goes to the browser once, and stepping needs no server."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from vision_core.figures.browser import component
from vision_core.figures.browser.playing import player_data
from vision_core.figures.stage import Stage

_PARTS = component("player")
_mount = st.components.v2.component(
    "convscope_player", html=_PARTS.html, css=_PARTS.css, js=_PARTS.js
)


def player(
    stage: Stage,
    *,
    key: str,
    step: int = 0,
    scene: str = "",
    editable: Sequence[str] = (),
    above: int = 330,
    stem: str = "walkthrough",
    on_step: Callable[[int], None] = lambda step: None,
    on_edit: Callable[[dict[str, Any]], None] = lambda edit: None,
    on_drag: Callable[[dict[str, Any]], None] = lambda drag: None,
) -> None:
    """Show a stage that can be played.

    Args:
        stage: what is shown.
        key: of the element.
        step: of the timeline, where the browser has none of its own yet or Python a new one.
        scene: what the step belongs to; where this changes, the player goes to ``step``.
        editable: operands whose numbers can be changed in place.
        above: pixels that title, controls and words take above the grids; what is left of the
            window's height is theirs.
        stem: how saved files are called.
        on_step: called with the step when playing pauses or the scrub bar is let go.
        on_edit: called with ``operand, cell, value, step``.
        on_drag: called with ``name, index, box, step``; the box in the drag's own units.
    """
    _mount(
        key=key,
        data=player_data(stage, step=step, scene=scene, editable=editable, above=above, stem=stem),
        on_step_change=lambda: _heard(key, "step", on_step),
        on_edit_change=lambda: _heard(key, "edit", on_edit),
        on_drag_change=lambda: _heard(key, "drag", on_drag),
    )


def _heard(key: str, what: str, then: Callable[[Any], None]) -> None:
    state: Any = st.session_state.get(key)
    value = state.get(what) if state else None
    if value is not None:
        then(value)
