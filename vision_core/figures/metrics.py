"""Charts of scores: precision by recall with its three areas, and reliability."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from vision_core.figures.colours import BLUE, GREEN, GREY, VERMILION
from vision_core.figures.differences import mark_point, shares

_ELEVEN = np.linspace(0, 1, 11)


def precision_by_recall(
    recall: np.ndarray, precision: np.ndarray, at: tuple[float, float] | None
) -> go.Figure:
    """The curve as measured, the greatest precision from each recall on, and eleven points of it.

    Args:
        recall, precision: ``[N]`` after each detection, best score first.
        at: (recall, precision) of a score threshold; ``None`` where it leaves nothing.
    """
    figure = go.Figure()
    figure.add_scatter(
        x=recall,
        y=precision,
        mode="lines+markers",
        name="measured",
        marker={"size": 6},
        line={"color": BLUE, "width": 2, "dash": "dot"},
        hovertemplate="recall %{x:.2f}, precision %{y:.2f}<extra>measured</extra>",
    )
    best = np.maximum.accumulate(precision[::-1])[::-1]
    turns, before = [], 0.0
    for r, p in zip(recall.tolist(), best.tolist(), strict=True):
        if r > before:
            turns += [(before, p), (r, p)]
            before = r
    turns += [(before, 0.0), (1.0, 0.0)]
    figure.add_scatter(
        x=[r for r, _ in turns],
        y=[p for _, p in turns],
        mode="lines",
        name="greatest from there on",
        line={"color": GREEN, "width": 3},
        fill="tozeroy",
        fillcolor="rgba(0, 158, 115, 0.12)",
        hoverinfo="skip",
    )
    eleven = [float(best[recall >= r][0]) if (recall >= r).any() else 0.0 for r in _ELEVEN]
    figure.add_scatter(
        x=_ELEVEN,
        y=eleven,
        mode="markers",
        name="11 points",
        marker={"size": 9, "symbol": "diamond", "color": GREEN},
        hovertemplate="recall %{x:.1f}: %{y:.3f}<extra>11 points</extra>",
    )
    if at is not None:
        mark_point(figure, *at, VERMILION, "")
        figure.data[-1].update(name="threshold", showlegend=True)
    shares(figure, "recall", "precision")
    return figure.update_layout(showlegend=True, height=340)


def reliability(
    edges: Sequence[float],
    accuracy: Sequence[float | None],
    confidence: Sequence[float | None],
    counts: Sequence[int],
) -> go.Figure:
    """Share of right answers by score, against the diagonal on which both are equal.

    Args:
        edges: B + 1 limits of the bins.
        accuracy, confidence: share of right ones and mean score of each bin; ``None`` if empty.
        counts: of each bin.
    """
    figure = go.Figure()
    figure.add_scatter(
        x=[0, 1],
        y=[0, 1],
        mode="lines",
        name="calibrated",
        line={"color": GREY, "width": 2, "dash": "dash"},
        hoverinfo="skip",
    )
    full = [i for i, n in enumerate(counts) if n]
    figure.add_bar(
        x=[(edges[i] + edges[i + 1]) / 2 for i in full],
        width=[edges[i + 1] - edges[i] for i in full],
        y=[accuracy[i] for i in full],
        name="share of right ones",
        marker={"color": BLUE, "opacity": 0.55, "line": {"color": BLUE, "width": 1}},
        text=[str(counts[i]) for i in full],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{y:.2f} right of %{text}<extra></extra>",
    )
    figure.add_scatter(
        x=[confidence[i] for i in full],
        y=[accuracy[i] for i in full],
        mode="markers",
        name="at its mean score",
        marker={"size": 11, "color": VERMILION, "symbol": "x"},
        hovertemplate="mean score %{x:.2f}, right %{y:.2f}<extra></extra>",
    )
    shares(figure, "score", "share of right ones")
    return figure.update_layout(showlegend=True, height=340, bargap=0)
