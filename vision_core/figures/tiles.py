"""Many small pictures as one sheet that can be pointed at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import plotly.graph_objects as go

from vision_core.figures.colours import INPUT, KERNEL
from vision_core.figures.encode import data_url, png

_GAP = 0.08  # between tiles, as a share of a tile


@dataclass(frozen=True, eq=False)
class Sheet:
    """Tiles in rows.

    Attributes:
        picture: uint8 ``[H, W, 3]``.
        centres: float ``[N, 2]``, x and y of each tile's centre, pixels of the picture.
        cell: width and height of a tile.
    """

    picture: np.ndarray
    centres: np.ndarray
    cell: tuple[int, int]

    @cached_property
    def url(self) -> str:
        """The picture as a PNG in a data URL, encoded when it is first asked for."""
        return data_url(png(self.picture), "png")


def sheet(pictures: np.ndarray, columns: int, side: int = 64) -> Sheet:
    """Lay pictures out in rows, each enlarged by whole pixels to about ``side``.

    Args:
        pictures: uint8 ``[N, h, w, 3]``, N at least 1.
        columns: tiles in a row.
        side: what the longer side of a tile comes close to, from below where it can.
    """
    count, h, w, _ = pictures.shape
    times = max(1, side // max(h, w))
    big = pictures.repeat(times, 1).repeat(times, 2)
    h, w = big.shape[1:3]
    gap = max(1, round(_GAP * max(h, w)))
    rows = -(-count // columns)
    columns = min(columns, count)
    canvas = np.full((rows * (h + gap) - gap, columns * (w + gap) - gap, 3), 255, np.uint8)
    centres = np.zeros((count, 2))
    for i, tile in enumerate(big):
        top, left = i // columns * (h + gap), i % columns * (w + gap)
        canvas[top : top + h, left : left + w] = tile
        centres[i] = left + w / 2, top + h / 2
    return Sheet(canvas, centres, (w, h))


def clickable(made: Sheet, words: Sequence[str], chosen: int = -1, height: int = 420) -> go.Figure:
    """A sheet whose tiles can be hovered and clicked; a frame marks the chosen one.

    Args:
        made: the sheet.
        words: of each tile, shown on hover.
        chosen: index of the tile with a frame, -1 for none.
        height: pixels on the page.
    """
    tall, wide = made.picture.shape[:2]
    points = {
        "type": "scatter",
        "x": made.centres[:, 0],
        "y": made.centres[:, 1],
        "mode": "markers",
        "text": list(words),
        "hovertemplate": "%{text}<extra></extra>",
        "unselected": {"marker": {"opacity": 0}},
        "selected": {"marker": {"opacity": 0}},
        "marker": {"size": 34, "opacity": 0, "symbol": "square"},
    }
    layout = {
        "images": [_below(made.url, wide, tall)],
        "shapes": [_frame(made, chosen)] if 0 <= chosen < len(made.centres) else [],
        # The page keeps the shape: a scale shared by the axes would not follow a change of size.
        "xaxis": {"visible": False, "range": [0, wide]},
        "yaxis": {"visible": False, "range": [tall, 0]},
        "height": height,
        "margin": {"l": 0, "r": 0, "t": 0, "b": 0},
        "showlegend": False,
        "dragmode": "pan",
        "hoverdistance": 60,  # the whole of a large tile can be clicked
    }
    return go.Figure({"data": [points], "layout": layout})  # an update takes far longer


def _below(url: str, wide: int, tall: int) -> dict[str, Any]:
    """A picture over the whole of the axes, below their marks."""
    size = {"x": 0, "y": 0, "sizex": wide, "sizey": tall}
    return {"source": url, **size, "xref": "x", "yref": "y", "sizing": "stretch", "layer": "below"}


def _frame(made: Sheet, chosen: int) -> dict[str, Any]:
    """A frame around a tile."""
    (x, y), (w, h) = made.centres[chosen], made.cell
    corners = {"x0": x - w / 2, "x1": x + w / 2, "y0": y - h / 2, "y1": y + h / 2}
    return {"type": "rect", **corners, "line": {"color": KERNEL, "width": 4}}


def histogram(counts: np.ndarray, edges: np.ndarray, height: int = 220) -> go.Figure:
    """Bars of a histogram, counts on a logarithmic scale.

    Args:
        counts: ``[B]``.
        edges: ``[B + 1]``.
        height: pixels on the page.
    """
    figure = go.Figure(
        go.Bar(
            x=(edges[:-1] + edges[1:]) / 2,
            y=counts,
            width=np.diff(edges),
            marker_color=INPUT,
            hovertemplate="about %{x:.3g}: %{y:,} activations<extra></extra>",
        )
    )
    figure.update_yaxes(type="log", title="activations", fixedrange=True, automargin=True)
    figure.update_xaxes(title="value", fixedrange=True)
    figure.update_layout(
        height=height,
        margin={"l": 4, "r": 8, "t": 8, "b": 36},
        bargap=0,
        dragmode=False,
        font={"size": 14},
    )
    return figure
