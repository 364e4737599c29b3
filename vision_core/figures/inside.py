"""Curves and bars of "Inside a detector"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from vision_core.figures.colours import GROUND_TRUTH, INPUT, KERNEL, MODELS, OUTPUT

_HEIGHT = 250


def recall_over_k(curves: Mapping[str, np.ndarray], k: int) -> go.Figure:
    """Recall over the number of proposals, on a logarithmic axis.

    Args:
        curves: name to recall of the best 1, 2, ... proposals, 0..1.
        k: the chosen number, marked by a line.
    """
    figure = go.Figure()
    for (name, values), colour in zip(curves.items(), (INPUT, OUTPUT), strict=False):
        at = np.arange(1, len(values) + 1)
        figure.add_scatter(x=at, y=values, name=name, mode="lines", line={"color": colour})
    figure.add_vline(x=k, line={"color": KERNEL, "dash": "dot"})
    figure.update_xaxes(title="k, number of proposals", type="log", dtick=1)
    figure.update_yaxes(title="recall", range=[-0.03, 1.03])
    return _laid(figure)


def focal_over_probability(
    p: np.ndarray, curves: Mapping[str, np.ndarray], most: float = 5.0
) -> go.Figure:
    """Loss over the probability of the right class, one line for each loss."""
    figure = go.Figure()
    for (name, values), colour in zip(curves.items(), (INPUT, KERNEL), strict=False):
        figure.add_scatter(x=p, y=values, name=name, mode="lines", line={"color": colour})
    figure.update_xaxes(title="probability of the right answer", range=[0, 1])
    figure.update_yaxes(title="loss", range=[0, most])
    return _laid(figure)


def loss_shares(groups: Sequence[tuple[str, float, float]]) -> go.Figure:
    """Shares of the class loss by group of anchors, cross-entropy beside focal loss.

    Args:
        groups: name, share under cross-entropy, share under the focal loss, 0..1.
    """
    names = [name for name, _, _ in groups]
    figure = go.Figure()
    for title, column, colour in (("cross-entropy", 1, INPUT), ("focal loss", 2, KERNEL)):
        shares = [group[column] for group in groups]
        figure.add_bar(
            y=names,
            x=shares,
            name=title,
            orientation="h",
            marker={"color": colour},
            text=[f"{share:.0%}" for share in shares],
            textposition="auto",
        )
    figure.update_xaxes(title="share of the loss", range=[0, 1], tickformat=".0%")
    figure.update_yaxes(autorange="reversed")
    return _laid(figure)


def losses_over_distance(
    distances: np.ndarray, curves: Mapping[str, np.ndarray], chosen: str
) -> go.Figure:
    """One loss, and beside it 1 - IoU, while a box slides to the right.

    Args:
        distances: pixels.
        curves: value of each loss by name.
        chosen: name of the loss on the left axis.
    """
    figure = go.Figure()
    figure.add_scatter(
        x=distances, y=curves[chosen], name=chosen, mode="lines", line={"color": MODELS[1]}
    )
    if chosen != "1 - IoU":
        figure.add_scatter(
            x=distances,
            y=curves["1 - IoU"],
            name="1 - IoU (right axis)",
            mode="lines",
            line={"color": MODELS[0], "dash": "dot"},
            yaxis="y2",
        )
        figure.update_layout(
            yaxis2={
                "overlaying": "y",
                "side": "right",
                "range": [-0.03, 1.03],
                "showgrid": False,
                "tickvals": [0, 0.5, 1],
            }
        )
    figure.add_vline(x=0, line={"color": GROUND_TRUTH, "dash": "dash"})
    figure.update_xaxes(title="predicted box moved to the right by, pixels")
    figure.update_layout(yaxis={"title": chosen, "rangemode": "tozero"})
    return _laid(figure)


def _laid(figure: go.Figure) -> go.Figure:
    figure.update_layout(
        height=_HEIGHT,
        margin={"l": 4, "r": 4, "t": 26, "b": 4},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    )
    return figure
