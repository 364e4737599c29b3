"""Two IoU limits whose counts of anchors follow the hand.

Cumulative counts over a grid of limits go to the browser once, a few kilobytes; dragging asks no
server. What Python counts on release is the same: see ``vision_core.inside.limits``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from vision_core.figures.browser import component
from vision_core.figures.colours import INPUT, ORANGE
from vision_core.inside.limits import LimitTable

COLOURS = {"positive": INPUT, "ignored": ORANGE, "negative": "#8A8F98"}
_PARTS = component("limits")
_mount = st.components.v2.component(
    "convscope_limits", html=_PARTS.html, css=_PARTS.css, js=_PARTS.js
)


def show(
    table: LimitTable,
    high: float,
    low: float,
    *,
    key: str = "limits",
    on_limits: Callable[[float, float], None] = lambda high, low: None,
) -> None:
    """Show the limits, the anchors over their best IoU, and the counts.

    Args:
        table: the counts at all limits; its grid holds ``high`` and ``low``.
        high, low: the limits now, ``low`` at most ``high``.
        key: of the element.
        on_limits: called with both limits when a slider is let go.
    """

    def told() -> None:
        held: Any = st.session_state.get(key)
        said = held.get("limits") if held else None
        if said:
            on_limits(float(said["high"]), float(said["low"]))

    _mount(key=key, data=content(table, high, low), on_limits_change=told)


def content(table: LimitTable, high: float, low: float) -> dict[str, Any]:
    """What the component is sent."""
    return {
        "table": {
            "grid": table.grid.tolist(),
            "below": table.below.tolist(),
            "forced": table.forced.tolist(),
            "total": table.total,
            "single": table.single,
        },
        "high": high,
        "low": low,
        "colours": COLOURS,
    }
