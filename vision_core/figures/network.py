"""Charts of a network itself: how it was trained, and where its multiply-adds are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import plotly.graph_objects as go

from vision_core.figures.colours import GREY, INPUT, KERNEL, OUTPUT

if TYPE_CHECKING:
    from vision_core.models.anatomy import LayerCost

_HEIGHT = 260


def training_curve(history: Sequence[Mapping[str, float]], key: str, title: str) -> go.Figure:
    """One quantity over the epochs of a training run.

    Args:
        history: rows with ``epoch`` and the quantity; rows without it are left out.
        key: ``loss`` or ``score``.
        title: what stands above the chart.
    """
    rows = [row for row in history if key in row]
    figure = go.Figure(
        go.Scatter(
            x=[row["epoch"] for row in rows],
            y=[row[key] for row in rows],
            mode="lines+markers",
            line={"color": KERNEL if key == "loss" else OUTPUT, "width": 3},
            marker={"size": 8},
            hovertemplate="epoch %{x:.1f}: %{y:.3f}<extra></extra>",
        )
    )
    figure.update_xaxes(title="epoch", rangemode="tozero")
    return _plain(figure, title)


def cost_by_layer(layers: Sequence[LayerCost]) -> go.Figure:
    """Multiply-adds of each layer in the order in which they run, in millions."""
    counted = [layer for layer in layers if layer.multiply_adds]
    colours = {"Linear": INPUT, "ConvTranspose2d": OUTPUT, "Conv2d": KERNEL}
    figure = go.Figure(
        go.Bar(
            x=list(range(1, len(counted) + 1)),
            y=[layer.multiply_adds / 1e6 for layer in counted],
            marker={"color": [colours.get(layer.kind, GREY) for layer in counted], "line_width": 0},
            customdata=[[x.name, x.kind, x.text, _shape(x)] for x in counted],
            hovertemplate="%{customdata[0]}<br>%{customdata[1]} %{customdata[2]}<br>"
            "to %{customdata[3]}<br>%{y:,.1f} M multiply-adds<extra></extra>",
        )
    )
    figure.update_xaxes(title="layer, in the order of the forward pass", rangemode="tozero")
    figure.update_layout(bargap=0.1)
    return _plain(figure, "Multiply-adds by layer, millions")


def _shape(layer: LayerCost) -> str:
    return " and ".join("x".join(map(str, shape)) for shape in layer.shapes[:5])


def _plain(figure: go.Figure, title: str) -> go.Figure:
    figure.update_layout(
        title={"text": title, "font": {"size": 16}, "x": 0, "xref": "paper"},
        height=_HEIGHT,
        margin={"l": 8, "r": 12, "t": 36, "b": 40},
        showlegend=False,
        dragmode=False,
        font={"size": 14},
    )
    figure.update_xaxes(fixedrange=True, automargin=True)
    figure.update_yaxes(fixedrange=True, automargin=True)
    return figure
