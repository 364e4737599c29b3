"""Plotly charts of what a network said; they draw numbers and compute none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from vision_core.figures.colours import (
    INPUT,
    OUTPUT,
    class_colour,
    text_on,
)
from vision_core.records import Cut

_FATE_WORDS = {
    "kept": "kept",
    "below_score": "below score",
    "suppressed": "suppressed",
    "decayed": "decayed",
    "cut_by_max": "over the limit",
    "hidden_by_class_filter": "hidden by class",
}


def fate_word(fate: str) -> str:
    """A fate in words."""
    return _FATE_WORDS[fate]


def fate_words(fate: str) -> str:
    """Any fate in words, also that of a place which never became a candidate."""
    return _FATE_WORDS.get(fate, fate.replace("_", " "))


STAGE_WORDS = {
    "rpn_score": "RPN score threshold",
    "rpn_pre_nms": "best anchors per level",
    "rpn_nms": "NMS of the RPN",
    "rpn_post_nms": "best proposals",
    "level_topk": "best scores per level",
    "class_topk": "best scores per class",
    "anchors_x_classes": "anchors x classes",
    "proposals_x_classes": "proposals x classes",
    "nms": "NMS",
    "max_detections": "limit of detections",
}


def stage_words(name: str) -> str:
    """A stage of the funnel in words."""
    base = name.removesuffix("_2")
    words = STAGE_WORDS.get(base, base.replace("_", " "))
    return words if base == name else f"{words} (again)"


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
    bars = {
        "x": [p for _, p in shown],
        "y": names,
        "textposition": "auto",
        "text": [f"{p:.3f}" for _, p in shown],
        "hoverinfo": "skip",
        "cliponaxis": False,
        "marker": {"color": colours, "line": {"width": lines, "color": "#888888"}},
        "insidetextfont": {"color": [text_on(c) for c in colours]},
    }
    return _rows(bars, {"range": [0, 1.08], "tickvals": [0, 0.25, 0.5, 0.75, 1]})


def funnel(stages: Sequence[Cut]) -> go.Figure:
    """How many boxes are left after each stage, on a logarithmic scale, words on hover."""
    names = [stage_words(s.name) for s in stages]
    bars = {
        "x": [max(s.count, 0.8) for s in stages],
        "y": names,
        "text": [f"{s.count:,}" for s in stages],
        "textposition": "auto",
        "textangle": 0,
        "marker": {"color": INPUT},
        "hovertext": [s.text for s in stages],
        "hoverinfo": "text",
    }
    title = {"title": {"text": "boxes left (log scale)"}}
    return _rows(bars, {"type": "log", "dtick": 1, **title}, below=30)


def timing(timing_ms: Mapping[str, float]) -> go.Figure:
    """Milliseconds of each stage, in the order in which they ran."""
    names = [name.replace("_", " ") for name in timing_ms]
    values = list(timing_ms.values())
    bars = {
        "x": values,
        "y": names,
        "textposition": "auto",
        "hoverinfo": "skip",
        "text": [f"{v:,.1f} ms" for v in values],
        "marker": {"color": OUTPUT},
    }
    return _rows(bars, {"showticklabels": False, "showgrid": False})


def growth(rows: Sequence[Any]) -> go.Figure:
    """The receptive field of each layer of a stack as a bar around the middle of the unit.

    Args:
        rows: of ``features.receptive.stack``, first to last layer.
    """
    names = [
        f"{at}: {r.kernel}x{r.kernel}"
        + (f", stride {r.stride}" if r.stride > 1 else "")
        + (f", dilation {r.dilation}" if r.dilation > 1 else "")
        for at, r in enumerate(rows, 1)
    ]
    bars = {
        "base": [-r.size / 2 for r in rows],
        "x": [r.size for r in rows],
        "y": names,
        "text": [f"{r.size} x {r.size}" for r in rows],
        "textposition": "auto",
        "textangle": 0,
        "insidetextanchor": "middle",
        "hoverinfo": "skip",
        "marker": {"color": INPUT},
    }
    title = {"title": {"text": "input pixels, counted from the middle of the unit"}}
    return _rows(bars, title, {"title": {"text": "layer"}}, below=30, least=4)


def _rows(
    bars: Mapping[str, Any],
    across: Mapping[str, Any],
    down: Mapping[str, Any] | None = None,
    *,
    below: int = 0,
    least: int = 1,
) -> go.Figure:
    """Horizontal bars, the first at the top.

    Made in one step: a figure that is updated afterwards takes eight times as long, and the pages
    make two for every move of a slider.

    Args:
        bars: arguments of ``go.Bar``.
        across, down: what is special about the axes.
        below: pixels for a title under the axis.
        least: rows for which there is room at least.
    """
    layout = {
        "height": 30 * max(len(bars["y"]), least) + 34 + below,
        "margin": {"l": 4, "r": 12, "t": 6, "b": 24 + below},
        "showlegend": False,
        "bargap": 0.25,
        "font": {"size": 15},
        "dragmode": False,
        "xaxis": {"fixedrange": True, "tickfont": {"size": 13}, **across},
        "yaxis": {
            "autorange": "reversed",
            "automargin": True,
            "fixedrange": True,
            "tickfont": {"size": 15},
            **(down or {}),
        },
    }
    return go.Figure(go.Bar(orientation="h", textfont={"size": 15}, **bars), layout)
