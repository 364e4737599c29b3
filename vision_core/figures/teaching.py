"""Pictures of a network that learns: curves of several runs, filters, maps, confusion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from vision_core.features import filters
from vision_core.figures.colours import GREY, INPUT, MODELS, NEGATIVE, POSITIVE
from vision_core.figures.saliency import own_limit, signed_colours
from vision_core.teaching.run import Epoch

MOST_RUNS = len(MODELS)
_SYMBOLS = ("circle", "square", "diamond", "cross")
_FONT = {"size": 14}


@dataclass(frozen=True)
class Track:
    """A run as it stands in a chart.

    Attributes:
        name: what makes it differ from the others.
        history: its epochs.
    """

    name: str
    history: tuple[Epoch, ...]


def curves(tracks: Sequence[Track], value: str, level: float | None = None) -> go.Figure:
    """Loss or accuracy by epoch: full lines for the validation part, dotted ones for training.

    Args:
        tracks: at most ``MOST_RUNS``.
        value: ``loss`` or ``accuracy``.
        level: of a dashed line across, such as what a converged layer reaches.
    """
    figure = go.Figure()
    for at, track in enumerate(tracks):
        colour, epochs = MODELS[at], [e.number for e in track.history]
        for part, dash, prefix in (("training", "dot", ""), ("validation", "solid", "val_")):
            values = [getattr(e, prefix + value) for e in track.history]
            figure.add_scatter(
                x=epochs,
                y=values,
                mode="lines+markers",
                name=f"{track.name}, {part}" if len(tracks) > 1 else part,
                line={"color": colour, "width": 3 if prefix else 2, "dash": dash},
                marker={"size": 7 if prefix else 4, "symbol": _SYMBOLS[at]},
                showlegend=bool(prefix) or len(tracks) == 1,
                hovertemplate=f"epoch %{{x}}: %{{y:.3f}}<extra>{track.name}, {part}</extra>",
            )
    if level is not None:
        figure.add_hline(y=level, line={"color": GREY, "dash": "dash", "width": 2})
    if len(tracks) == 1 and all(e.number <= 10 for e in tracks[0].history):
        figure.update_xaxes(dtick=1)
    last = max(t.history[-1].number for t in tracks)
    figure.update_xaxes(title_text="epoch", range=[-0.2, max(last, 5) + 0.3], tickformat="d")
    top = [-0.02, 1.04] if value == "accuracy" else None
    figure.update_yaxes(title_text=value, range=top, rangemode="tozero")
    return figure.update_layout(
        height=300,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        font=_FONT,
        dragmode=False,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
    )


def filter_tiles(weights: np.ndarray) -> np.ndarray:
    """First filters as tiles, one scale for all: grey pictures by sign, colour ones as colours.

    Args:
        weights: float ``[K, C, h, w]``, C 1 or 3.

    Returns:
        uint8 ``[K, h, w, 3]``.
    """
    weights = np.nan_to_num(weights)
    if weights.shape[1] == 3:
        return filters.pictures(weights, shared=True)
    limit = float(np.abs(weights).max())
    return np.stack([signed_colours(one[0], limit) for one in weights])


def map_tiles(maps: np.ndarray) -> np.ndarray:
    """Activations as tiles, one scale for the layer: white is 0.

    Args:
        maps: float ``[K, h, w]``, none negative.

    Returns:
        uint8 ``[K, h, w, 3]``.
    """
    maps = np.nan_to_num(maps)
    limit = own_limit(maps)
    return np.stack([signed_colours(one, limit) for one in maps])


def matrix_height(classes: int) -> int:
    """Pixels of the confusion matrix of so many classes."""
    return 90 + 30 * max(classes, 5)


def confusion(matrix: np.ndarray, classes: Sequence[str]) -> go.Figure:
    """How often each class was taken for each, with the counts written into the cells.

    Args:
        matrix: int ``[K, K]``: true class by row, best class by column.
        classes: names.
    """
    short = [name if len(name) < 13 else name[:12] + "…" for name in classes]
    share = matrix / np.maximum(matrix.sum(1, keepdims=True), 1)
    figure = go.Figure(
        go.Heatmap(
            z=share,
            x=short,
            y=short,
            colorscale=[[0, "rgba(0, 114, 178, 0)"], [1, INPUT]],
            zmin=0,
            zmax=1,
            showscale=False,
            hoverinfo="skip",
            xgap=1,
            ygap=1,
            text=[[str(n) if n else "" for n in row] for row in matrix],
            texttemplate="%{text}",
            textfont={"size": 14},
        )
    )
    rows, columns = np.indices(matrix.shape)
    figure.add_scatter(
        x=[short[c] for c in columns.flat],
        y=[short[r] for r in rows.flat],
        mode="markers",  # what is clicked: a heat map itself cannot be
        customdata=[
            f"{classes[r]} taken for {classes[c]}: {matrix[r, c]}"
            for r, c in np.ndindex(matrix.shape)
        ],
        hovertemplate="%{customdata}<extra></extra>",
        marker={"size": 22, "opacity": 0, "symbol": "square"},
        selected={"marker": {"opacity": 0}},
        unselected={"marker": {"opacity": 0}},
        showlegend=False,
    )
    figure.update_xaxes(title_text="the network says", type="category", side="top", fixedrange=True)
    figure.update_yaxes(title_text="it is", type="category", autorange="reversed", fixedrange=True)
    return figure.update_layout(
        height=matrix_height(len(classes)),
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        font=_FONT,
        dragmode=False,
    )


def word_bars(words: Sequence[str], worth: np.ndarray) -> go.Figure:
    """What each word of a sentence adds to a score, from left to right.

    Args:
        words: of the sentence; one may occur twice.
        worth: ``[L]``, signed.
    """
    places = list(range(len(words)))
    figure = go.Figure(
        go.Bar(
            x=places,
            y=worth,
            marker_color=[POSITIVE if v >= 0 else NEGATIVE for v in worth],
            text=[f"{v:+.2f}" if v else "0" for v in worth],
            textposition="outside",
            cliponaxis=False,
            customdata=list(words),
            hovertemplate="%{customdata}: %{y:.3f}<extra></extra>",
        )
    )
    figure.update_xaxes(tickvals=places, ticktext=list(words), fixedrange=True)
    far = 1.25 * max(float(np.abs(worth).max()), 0.1)
    figure.update_yaxes(range=[-far, far], zeroline=True, fixedrange=True)
    return figure.update_layout(
        height=240, margin={"l": 8, "r": 8, "t": 8, "b": 8}, font=_FONT, dragmode=False
    )
