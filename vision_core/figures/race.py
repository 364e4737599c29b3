"""The race as pictures: boxes as they come, and seconds on a logarithmic scale."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from vision_core.figures.canvas import draw_box, fitted
from vision_core.figures.colours import INPUT, KERNEL, OUTPUT, class_colour
from vision_core.images import Photo
from vision_core.race.laps import Found
from vision_core.race.record import COURSE

SHOWN = 25
"""Boxes on one small picture, the best ones."""


def thumbnail(photo: Photo, found: Found, width: int = 300) -> Photo:
    """The photo with the best boxes that were found, in the colours of their classes.

    Args:
        photo: the photo.
        found: boxes in its pixels, in any order.
        width: of the picture at most, pixels.
    """
    picture, scale = fitted(photo, width)
    best = np.argsort(-found.scores, kind="stable")[:SHOWN]
    for row in best[::-1]:
        draw_box(picture, found.boxes[row] * np.float32(scale), class_colour(found.labels[row]), 2)
    sha256 = f"{photo.sha256}-{len(found.scores)}"
    return Photo(picture, sha256, photo.name, (picture.shape[1], picture.shape[0]))


def seconds(entries: list[dict[str, Any]]) -> go.Figure:
    """Seconds of each system on a logarithmic scale, here and in the lectures.

    Args:
        entries: as ``race.record`` returns them.
    """
    titles = [entry["title"] for entry in entries]
    here = [entry["seconds"] for entry in entries]
    course = [COURSE.get(entry["system"], (None, None))[0] for entry in entries]
    figure = go.Figure(
        [
            _bars("in the lectures", titles, course, INPUT),
            _bars("this photo, here", titles, here, OUTPUT),
        ]
    )
    figure.update_xaxes(type="log", title_text="seconds (log scale)", dtick=1)
    figure.update_layout(
        height=90 + 62 * len(titles),
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "traceorder": "reversed"},
        barmode="group",
    )
    return figure


def _bars(name: str, titles: list[str], values: list[float | None], colour: str) -> go.Bar:
    return go.Bar(
        name=name,
        x=values,
        y=titles,
        orientation="h",
        text=["" if v is None else f"{v:.3g} s" for v in values],
        textposition="auto",
        hoverinfo="skip",
        cliponaxis=False,
        marker={"color": colour},
    )


def class_maps(panels: list[tuple[str, np.ndarray]], border: np.ndarray) -> go.Figure:
    """Maps of one class beside each other, with a frame around the places that need no padding.

    Args:
        panels: title and values 0 to 1 ``[rows, columns]``; NaN where nothing is known yet.
        border: bool ``[rows, columns]``: places that need padding.
    """
    figure = make_subplots(1, len(panels), subplot_titles=[title for title, _ in panels])
    frame = _frame(~border)
    for column, (title, values) in enumerate(panels, 1):
        heat = go.Heatmap(
            z=values,
            x=list(range(values.shape[1])),
            y=list(range(values.shape[0])),
            coloraxis="coloraxis",
            hovertemplate="row %{y}, column %{x}: %{z:.3f}<extra></extra>",
            name=title,
        )
        edge = go.Scatter(
            x=frame[0],
            y=frame[1],
            mode="lines",
            line={"width": 3, "color": KERNEL, "dash": "dash"},
            hoverinfo="skip",
            marker={"opacity": 0},  # words for readers who do not see it: the page has them
            showlegend=False,
        )
        figure.add_trace(heat, 1, column)
        figure.add_trace(edge, 1, column)
        figure.update_yaxes(scaleanchor=f"x{column if column > 1 else ''}", row=1, col=column)
    figure.update_yaxes(autorange="reversed", showticklabels=False, constrain="domain")
    figure.update_xaxes(showticklabels=False, constrain="domain")
    figure.update_layout(
        height=300,
        margin={"l": 8, "r": 8, "t": 36, "b": 8},
        coloraxis={"colorscale": "Viridis", "cmin": 0, "cmax": 1},
    )
    return figure


def _frame(inside: np.ndarray) -> tuple[list[float], list[float]]:
    """x and y of the line around a block of places; empty without one."""
    rows, columns = (np.flatnonzero(inside.any(axis)) for axis in (1, 0))
    if not len(rows):
        return [], []
    top, bottom = float(rows[0]) - 0.5, float(rows[-1]) + 0.5
    left, right = float(columns[0]) - 0.5, float(columns[-1]) + 0.5
    return [left, right, right, left, left], [top, top, bottom, bottom, top]
