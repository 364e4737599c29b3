"""The player of walkthroughs: it goes to the browser once, and stepping needs no server."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from vision_core.figures.stage import Stage

_HERE = Path(__file__).parent
_HTML = """<div class="player" tabindex="-1" role="application" aria-roledescription="walkthrough">
<div class="bar"><span class="motion">
<button class="first" aria-label="first step">|◀</button>
<button class="back" aria-label="step back">◀◀</button>
<button class="play" aria-label="play">▶</button>
<button class="on" aria-label="step">▶▶</button>
<button class="last" aria-label="last step">▶|</button>
<input class="scrub" type="range" min="0" value="0" aria-label="step">
<span class="count"></span>
<select class="speed" aria-label="speed"><option value="0.5">slow</option>
<option value="1" selected>normal</option><option value="2">fast</option>
<option value="4">faster</option></select></span>
<button class="png" aria-label="save this step as PNG">PNG</button>
<button class="svg" aria-label="save this step as SVG">SVG</button></div>
<div class="maths" aria-live="polite"></div>
<div class="scene"><svg xmlns="http://www.w3.org/2000/svg"></svg></div>
<input class="entry" inputmode="decimal" aria-label="new value"><div class="hint"></div></div>"""
_MODULES = ("layout.js", "walk.js", "draw.js", "hands.js", "player.js")
HINT = "Space plays, ← and → step. Point at a cell to see what it is made of or what it feeds."

_mount = st.components.v2.component(
    "convscope_player",
    html=_HTML,
    css=(_HERE / "player.css").read_text(encoding="utf-8"),
    js="\n".join((_HERE / name).read_text(encoding="utf-8") for name in _MODULES),
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
    shown = stage.to_json()
    hint = HINT + (" Double-click a number, or Enter on it, to change it." if editable else "")
    _mount(
        key=key,
        data={
            "stage": shown,
            "stamp": _stamp(shown),
            "step": step,
            "scene": scene,
            "editable": list(editable),
            "above": above,
            "stem": stem,
            "hint": hint,
        },
        on_step_change=lambda: _heard(key, "step", on_step),
        on_edit_change=lambda: _heard(key, "edit", on_edit),
        on_drag_change=lambda: _heard(key, "drag", on_drag),
    )


def _stamp(shown: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(shown).encode()).hexdigest()[:16]


def _heard(key: str, what: str, then: Callable[[Any], None]) -> None:
    state: Any = st.session_state.get(key)
    value = state.get(what) if state else None
    if value is not None:
        then(value)
