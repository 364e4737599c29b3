"""Plotly charts of what a network said; they draw numbers and compute none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from vision_core.figures.colours import (
    INPUT,
    OUTPUT,
    class_colour,
    text_on,
)
from vision_core.records import Stage

_FATE_WORDS = {
    "kept": "kept",
    "below_score": "below score",
    "suppressed": "suppressed",
    "decayed": "decayed",
    "cut_by_max": "cut by max",
    "hidden_by_class_filter": "hidden by class",
}


def fate_word(fate: str) -> str:
    """A fate in words."""
    return _FATE_WORDS[fate]


def class_distribution(
    pairs: Sequence[tuple[str, float]], *, top: int = 8, chosen: str | None = None
) -> go.Figure:
    """Horizontal bars of class scores, 0 to 1, the first at the top.

    Args:
        pairs: (class name, score), best first.
        top: how many are drawn.
        chosen: the class that gets an outline and a pointer in front of its name.
    """
    shown = list(pairs)[:top]
    names = [f"▸ {n}" if n == chosen else n for n, _ in shown]
    colours = [class_colour(n) for n, _ in shown]
    lines = [3 if n == chosen else 0 for n, _ in shown]
    figure = go.Figure(
        go.Bar(
            x=[p for _, p in shown],
            y=names,
            orientation="h",
            textposition="auto",
            text=[f"{p:.3f}" for _, p in shown],
            hoverinfo="skip",
            cliponaxis=False,
            marker={"color": colours, "line": {"width": lines, "color": "#888888"}},
            insidetextfont={"color": [text_on(c) for c in colours]},
        )
    )
    figure.update_xaxes(range=[0, 1.08], tickvals=[0, 0.25, 0.5, 0.75, 1])
    figure.update_yaxes(autorange="reversed")
    return _compact(figure, len(shown))


def funnel(stages: Sequence[Stage]) -> go.Figure:
    """How many boxes are left after each stage, on a logarithmic scale, words on hover."""
    names = [s.name.replace("_", " ") for s in stages]
    figure = go.Figure(
        go.Bar(
            x=[max(s.count, 0.8) for s in stages],
            y=names,
            orientation="h",
            text=[f"{s.count:,}" for s in stages],
            textposition="auto",
            textangle=0,
            marker={"color": INPUT},
            hovertext=[s.text for s in stages],
            hoverinfo="text",
        )
    )
    figure.update_xaxes(type="log", showticklabels=False, showgrid=False)
    figure.update_yaxes(autorange="reversed")
    return _compact(figure, len(stages))


def timing(timing_ms: Mapping[str, float]) -> go.Figure:
    """Milliseconds of each stage, in the order in which they ran."""
    names = [name.replace("_", " ") for name in timing_ms]
    values = list(timing_ms.values())
    figure = go.Figure(
        go.Bar(
            x=values,
            y=names,
            orientation="h",
            textposition="auto",
            hoverinfo="skip",
            text=[f"{v:,.1f} ms" for v in values],
            marker={"color": OUTPUT},
        )
    )
    figure.update_xaxes(showticklabels=False, showgrid=False)
    figure.update_yaxes(autorange="reversed")
    return _compact(figure, len(values))


def _compact(figure: go.Figure, rows: int) -> go.Figure:
    figure.update_layout(
        height=30 * max(rows, 1) + 34,
        margin={"l": 4, "r": 12, "t": 6, "b": 24},
        showlegend=False,
        bargap=0.25,
        font={"size": 15},
        dragmode=False,
    )
    figure.update_traces(textfont_size=15)
    figure.update_yaxes(automargin=True, fixedrange=True, tickfont_size=15)
    figure.update_xaxes(fixedrange=True, tickfont_size=13)
    return figure
