"""Plotly figures on a page; before a lecture hall their type is as large as that of the page."""

from __future__ import annotations

from typing import Any, Literal

import plotly.graph_objects as go
import streamlit as st

from pages.shared import shell
from vision_core.figures import alt

STILL = {"displayModeBar": False, "scrollZoom": False}
ZOOMS = {"displayModeBar": False, "scrollZoom": True}
LARGER = 1.35
"""Type before a lecture hall, as a share of its usual size; the page itself grows by 21/17."""
_USUAL = 12  # Plotly's own size of type, pixels


def show(
    figure: go.Figure,
    key: str,
    what: str,
    *,
    at: Any = st,
    config: dict[str, Any] | None = None,
    height: int | Literal["stretch", "content"] = "content",
    **more: Any,
) -> Any:
    """Draw a figure as wide as its place.

    Args:
        figure: what to draw; it is not changed, so that several sessions may show one.
        key: of the element.
        what: it shows; for readers who do not see it the values follow.
        at: where it stands.
        config: of Plotly; no zoom where left out.
        height: as ``st.plotly_chart`` takes it.
        more: further arguments of ``st.plotly_chart``.

    Returns:
        what ``st.plotly_chart`` returns.
    """
    words = alt.in_words(figure, what)
    drawn = larger(go.Figure(figure)) if shell.presenting() else figure
    return at.plotly_chart(
        drawn, key=key, config=config or STILL, width="stretch", height=height, alt=words, **more
    )


def larger(figure: go.Figure) -> go.Figure:
    """The figure with larger type, and as much more height as that takes."""

    def size(font: Any, usual: float = _USUAL) -> float:
        return round(LARGER * (font.size or usual), 1)

    layout = figure.layout
    base = layout.font.size or _USUAL
    for note in layout.annotations:
        note.font.size = size(note.font, base)
    for trace in figure.data:
        if hasattr(trace, "textfont"):
            trace.textfont.size = size(trace.textfont, base)
    for axis in (*figure.select_xaxes(), *figure.select_yaxes()):
        axis.tickfont.size = size(axis.tickfont, base)
        if axis.title.text:
            axis.title.font.size = size(axis.title.font, base)
    # Streamlit's theme gives the legend a size of its own, which the figure's would not change.
    layout.legend.font.size = size(layout.legend.font, base)
    layout.font.size = LARGER * base
    if layout.height:
        layout.height = round(LARGER * layout.height)
    for side in ("t", "b"):
        if layout.margin[side]:
            layout.margin[side] = round(LARGER * layout.margin[side])
    return figure
