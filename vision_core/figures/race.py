"""The race as pictures: boxes as they come, and seconds on a logarithmic scale."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from vision_core.figures.canvas import draw_box, fitted
from vision_core.figures.colours import INPUT, OUTPUT, class_colour
from vision_core.images import Photo
from vision_core.race.record import COURSE
from vision_core.race.systems import Found

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
