"""Charts and pictures of what differs between models; all values come in as plain numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from vision_core.figures.colours import (
    BLUE,
    GREEN,
    GREY,
    MODELS,
    ORANGE,
    PURPLE,
    SKY,
    VERMILION,
    rgb,
)

_FONT = {"size": 15}
_STAGES = (ORANGE, BLUE, GREEN, PURPLE, GREY, SKY, VERMILION)


def agreement(scores: np.ndarray, f1: np.ndarray, now: float) -> go.Figure:
    """F1 of one model against another over the score threshold, with the present one marked.

    Args:
        scores: ``[T]`` thresholds, rising.
        f1: ``[T]``, 0 to 1.
        now: the present threshold.
    """
    figure = go.Figure()
    figure.add_scatter(
        x=scores,
        y=f1,
        mode="lines",
        line={"color": MODELS[0], "width": 3},
        hovertemplate="score > %{x:.2f}: F1 %{y:.2f}<extra></extra>",
    )
    here = float(np.interp(now, scores, f1))
    mark_point(figure, now, here, MODELS[0], f"F1 {here:.2f}")
    return shares(figure, "score threshold of both", "F1 of one against the other")


def precision_recall(
    names: Sequence[str],
    curves: Sequence[tuple[np.ndarray, np.ndarray]],
    points: Sequence[tuple[float, float]],
) -> go.Figure:
    """Precision over recall of several models, each with the point of its present threshold.

    Args:
        names: of the models.
        curves: (recall, precision) of each.
        points: (recall, precision) at the present thresholds.
    """
    figure = go.Figure()
    for i, (name, (recall, precision), point) in enumerate(zip(names, curves, points, strict=True)):
        colour = MODELS[i % len(MODELS)]
        figure.add_scatter(
            x=recall,
            y=precision,
            mode="lines+markers",
            name=name,
            marker={"size": 5},
            line={"color": colour, "width": 3, "dash": ("solid", "dash", "dot", "dashdot")[i % 4]},
            hovertemplate="recall %{x:.2f}, precision %{y:.2f}<extra>" + name + "</extra>",
        )
        mark_point(figure, *point, colour, "")
    shares(figure, "recall", "precision")
    return figure.update_layout(showlegend=True, height=330)


def confusion(labels: Sequence[str], table: np.ndarray, a: str, b: str) -> go.Figure:
    """Pixels by what a says (rows) and b says (columns), as shares of each row.

    Names that the one never says have no row, those that the other never says no column.

    Args:
        labels: L names.
        table: int ``[L, L]``.
        a, b: names of the models.
    """
    said, heard = (np.flatnonzero(table.sum(axis)).tolist() for axis in (1, 0))
    table = table[np.ix_(said, heard)]
    rows = table / np.maximum(table.sum(1, keepdims=True), 1)
    words = [
        [f"{v:.0%}" if n else "" for v, n in zip(*pair, strict=True)]
        for pair in zip(rows, table, strict=True)
    ]
    figure = go.Figure(
        go.Heatmap(
            z=rows,
            x=[labels[i] for i in heard],
            y=[labels[i] for i in said],
            customdata=table,
            text=words,
            texttemplate="%{text}",
            zmin=0,
            zmax=1,
            colorscale="Blues",
            showscale=False,
            xgap=1,
            ygap=1,
            hovertemplate=f"{a}: %{{y}}<br>{b}: %{{x}}<br>%{{customdata:,}} pixels<extra></extra>",
        )
    )
    figure.update_yaxes(autorange="reversed", title=a)
    figure.update_xaxes(title=b, tickangle=-40)
    return figure.update_layout(
        height=140 + 34 * len(said),
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        font=_FONT,
        dragmode=False,
    )


def grouped_bars(classes: Sequence[str], values: Mapping[str, Sequence[float | None]]) -> go.Figure:
    """Probability of some classes by several models; ``None`` where one does not know a class.

    Args:
        classes: C names, the first on top.
        values: by model, C probabilities.
    """
    figure = go.Figure()
    for i, (name, shares) in enumerate(values.items()):
        figure.add_bar(
            y=list(classes),
            x=[p or 0 for p in shares],
            name=name,
            orientation="h",
            marker={"color": MODELS[i % len(MODELS)]},
            textposition="outside",
            cliponaxis=False,
            text=["not known" if p is None else f"{p:.3f}" for p in shares],
            hoverinfo="skip",
        )
    figure.update_xaxes(range=[0, 1.15], tickvals=[0, 0.25, 0.5, 0.75, 1])
    figure.update_yaxes(autorange="reversed")
    return figure.update_layout(
        height=90 + len(classes) * (14 + 20 * len(values)),
        bargap=0.3,
        barmode="group",
        margin={"l": 4, "r": 12, "t": 6, "b": 24},
        font=_FONT,
        dragmode=False,
        showlegend=True,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "traceorder": "normal"},
    )


def stage_times(timings: Mapping[str, Mapping[str, float]]) -> go.Figure:
    """Milliseconds of each stage, one bar for each model.

    Args:
        timings: by model, milliseconds by stage.
    """
    stages = list(dict.fromkeys(name for one in timings.values() for name in one))
    figure = go.Figure()
    for i, stage in enumerate(stages):
        figure.add_bar(
            y=list(timings),
            x=[one.get(stage, 0.0) for one in timings.values()],
            name=stage.replace("_", " "),
            orientation="h",
            marker={"color": _STAGES[i % len(_STAGES)]},
            hovertemplate="%{y}, " + stage.replace("_", " ") + ": %{x:.1f} ms<extra></extra>",
        )
    figure.update_yaxes(autorange="reversed")
    figure.update_xaxes(title="milliseconds")
    return figure.update_layout(
        barmode="stack",
        height=130 + 44 * len(timings),
        font=_FONT,
        dragmode=False,
        margin={"l": 4, "r": 12, "t": 6, "b": 40},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "traceorder": "normal"},
    )


def marked(mask: np.ndarray, opacity: float = 0.75) -> np.ndarray:
    """Marked pixels in one colour over the photo, the others darkened.

    Args:
        mask: bool ``[H, W]``.
        opacity: of the colour.

    Returns:
        uint8 ``[H, W, 4]`` RGBA.
    """
    picture = np.zeros((*mask.shape, 4), np.uint8)
    picture[..., 3] = 110
    picture[mask] = (*rgb(VERMILION), round(255 * opacity))
    return picture


def mark_point(figure: go.Figure, x: float, y: float, colour: str, text: str) -> None:
    """Mark a place on a curve."""
    figure.add_scatter(
        x=[x],
        y=[y],
        mode="markers+text",
        text=[text],
        textposition="top center",
        showlegend=False,
        hoverinfo="skip",
        cliponaxis=False,
        marker={"size": 15, "color": colour, "line": {"width": 3, "color": GREY}},
    )


def shares(figure: go.Figure, across: str, up: str) -> go.Figure:
    """Give a figure of shares its two axes from 0 to 1."""
    figure.update_xaxes(range=[-0.02, 1.02], title=across)
    figure.update_yaxes(range=[-0.02, 1.08], title=up)
    return figure.update_layout(
        height=300,
        margin={"l": 8, "r": 12, "t": 8, "b": 8},
        font=_FONT,
        dragmode=False,
        showlegend=False,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
    )
