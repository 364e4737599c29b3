"""A map whose points are pictures."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import plotly.graph_objects as go

from vision_core.figures.colours import KERNEL, class_colour, rgb
from vision_core.figures.encode import data_url

_WIDTH, _HEIGHT = 1300, 780
_COVER = 0.3
"""Share of the map that all pictures have together, before they overlap."""
_LARGEST, _LEAST = 96, 26
_FRAME = 3
_NAMED = 16
"""Classes in the legend at most."""
DOTS = 6
"""Size of a point that stands for a picture while the map is being made."""


def thumbnail(pixels: np.ndarray, side: int) -> np.ndarray:
    """A picture in a white square, uint8 [side, side, 3]."""
    small = _shrunk(pixels, side)
    square = np.full((side, side, 3), 255, np.uint8)
    top, left = (side - small.shape[0]) // 2, (side - small.shape[1]) // 2
    square[top : top + small.shape[0], left : left + small.shape[1]] = small
    return square


def _shrunk(pixels: np.ndarray, side: int) -> np.ndarray:
    """A picture whose longer side is ``side``."""
    scale = side / max(pixels.shape[:2])
    size = [max(1, min(side, round(v * scale))) for v in (pixels.shape[1], pixels.shape[0])]
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))


def side_of(count: int) -> int:
    """Side of a picture on a map of so many, pixels of the map."""
    return int(np.clip(np.sqrt(_COVER * _WIDTH * _HEIGHT / max(count, 1)), _LEAST, _LARGEST))


def picture_map(
    points: np.ndarray,
    pictures: Sequence[np.ndarray],
    labels: Sequence[str],
    names: Sequence[str],
    chosen: int = -1,
    guest: str = "",
    height: int = 500,
) -> go.Figure:
    """Pictures where their points lie, each framed in the colour of its class.

    Args:
        points: [N, 2].
        pictures: N of uint8 [h, w, 3].
        labels: class of each.
        names: of each, shown on hover.
        chosen: the one that lies on top, in a thick frame; -1 for none.
        guest: the class of a picture that was placed into the map, shown in the frame's colour.
        height: pixels on the page.
    """
    side = side_of(len(pictures))
    at = _spread(points, side)
    figure = go.Figure(
        go.Scatter(
            x=at[:, 0],
            y=at[:, 1],
            mode="markers",
            text=[f"{name} ({label})" for name, label in zip(names, labels, strict=True)],
            hovertemplate="%{text}<extra></extra>",
            marker={"size": side * 0.6, "opacity": 0, "symbol": "square"},
            unselected={"marker": {"opacity": 0}},
            selected={"marker": {"opacity": 0}},
            showlegend=False,
        )
    )
    figure.add_layout_image(
        source=data_url(_webp(_composed(at, pictures, labels, chosen, side)), "webp"),
        x=0,
        y=0,
        sizex=_WIDTH,
        sizey=_HEIGHT,
        xref="x",
        yref="y",
        sizing="stretch",
        layer="below",
    )
    _named(figure, labels, guest)
    return _laid(figure, height)


def _composed(
    at: np.ndarray, pictures: Sequence[np.ndarray], labels: Sequence[str], chosen: int, side: int
) -> np.ndarray:
    """All pictures in their places, uint8 RGBA; what is empty is transparent."""
    sheet = np.zeros((_HEIGHT, _WIDTH, 4), np.uint8)
    order = [i for i in range(len(pictures)) if i != chosen] + ([chosen] if chosen >= 0 else [])
    for i in order:
        x, y = (int(v) for v in at[i])
        colour, frame = class_colour(labels[i]), _FRAME
        if i == chosen:
            colour, frame = KERNEL, 2 * _FRAME
        _pasted(sheet, _shrunk(pictures[i], side), x, y, rgb(colour), frame)
    return sheet


def dot_map(points: np.ndarray, labels: Sequence[str], height: int = 500) -> go.Figure:
    """The same map with a dot for each picture, while it is being made."""
    at = _spread(points, side_of(len(points)))
    figure = go.Figure(
        go.Scatter(
            x=at[:, 0],
            y=at[:, 1],
            mode="markers",
            hoverinfo="skip",
            marker={"size": DOTS, "color": [class_colour(label) for label in labels]},
            showlegend=False,
        )
    )
    _named(figure, labels)
    return _laid(figure, height)


def _spread(points: np.ndarray, side: int) -> np.ndarray:
    """Points in pixels of the map, the whole of it used, y downwards; [N, 2]."""
    points = np.asarray(points, np.float64).reshape(-1, 2)
    low, high = points.min(0), points.max(0)
    share = np.where(high > low, (points - low) / np.where(high > low, high - low, 1), 0.5)
    room = np.array([_WIDTH, _HEIGHT]) - side - 4 * _FRAME
    return np.stack([share[:, 0], 1 - share[:, 1]], 1) * room + side / 2 + 2 * _FRAME


def _pasted(
    sheet: np.ndarray, tile: np.ndarray, x: int, y: int, colour: tuple[int, int, int], frame: int
) -> None:
    """Put a tile with its frame around (x, y)."""
    high, wide = tile.shape[:2]
    top, left = y - high // 2, x - wide // 2
    sheet[max(top - frame, 0) : top + high + frame, max(left - frame, 0) : left + wide + frame] = (
        *colour,
        255,
    )
    sheet[top : top + high, left : left + wide, :3] = tile


def _webp(sheet: np.ndarray) -> bytes:
    done, data = cv2.imencode(
        ".webp", cv2.cvtColor(sheet, cv2.COLOR_RGBA2BGRA), [cv2.IMWRITE_WEBP_QUALITY, 82]
    )
    if not done:
        raise RuntimeError("OpenCV could not write a WebP file")
    return data.tobytes()


def _named(figure: go.Figure, labels: Sequence[str], guest: str = "") -> None:
    """The legend: the most frequent classes."""
    names, counts = np.unique(np.array(labels, dtype=str), return_counts=True)
    for i in np.argsort(-counts, kind="stable")[:_NAMED]:
        colour = KERNEL if names[i] == guest else class_colour(str(names[i]))
        figure.add_scatter(
            x=[None],
            y=[None],
            mode="markers",
            name=f"{names[i]} ({counts[i]})",
            marker={"size": 12, "symbol": "square", "color": colour},
        )


def _laid(figure: go.Figure, height: int) -> go.Figure:
    figure.update_xaxes(visible=False, range=[0, _WIDTH])
    figure.update_yaxes(
        visible=False, range=[_HEIGHT, 0], scaleanchor="x", scaleratio=1, constrain="domain"
    )
    figure.update_xaxes(constrain="domain")
    figure.update_layout(
        height=height,
        margin={"l": 0, "r": 0, "t": 4, "b": 4},
        dragmode="pan",
        hoverdistance=40,
        legend={"orientation": "h", "y": -0.01, "yanchor": "top", "x": 0, "itemclick": False},
    )
    return figure
