"""Pictures of the explanation league: curves of all methods, and maps with the box on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import plotly.graph_objects as go

from vision_core.figures.canvas import draw_box, line_width
from vision_core.figures.colours import GREEN, GREY
from vision_core.figures.saliency import over_photo, own_limit, signed_colours
from vision_core.images import Photo
from vision_core.league import Competitor
from vision_core.league.boxes import Corners

_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8C6BB1", "#A6761D")
_DASHES = ("solid", "dash", "dot")
_OVER = 0.8


def curves(rows: Sequence[Competitor], measure: str, stacked: bool = False) -> go.Figure:
    """Deletion and insertion of all methods, each method in one look of its own.

    Args:
        rows: in the order of the legend.
        measure: what the curves show, in words.
        stacked: below each other, for a phone.
    """
    from plotly.subplots import make_subplots

    titles = ("Deletion: low is good", "Insertion: high is good")
    down, across = (2, 1) if stacked else (1, 2)
    figure = make_subplots(
        down, across, subplot_titles=titles, shared_yaxes=not stacked, vertical_spacing=0.2
    )
    for at, row in enumerate(rows):
        colour = GREY if row.control else _COLOURS[at % len(_COLOURS)]
        dash = _DASHES[2 if row.control else at // len(_COLOURS) % 2]
        for place, curve in enumerate((row.deletion, row.insertion)):
            if curve is None:
                continue
            figure.add_scatter(
                x=curve.shares,
                y=curve.values,
                mode="lines",
                name=row.title,
                legendgroup=row.name,
                showlegend=place == 0,
                line={"color": colour, "dash": dash, "width": 2.5},
                hovertemplate=f"%{{x:.0%}}: %{{y:.3f}}<extra>{row.title}</extra>",
                row=place + 1 if stacked else 1,
                col=1 if stacked else place + 1,
            )
    figure.update_xaxes(title_text="share of the pixels", tickformat=".0%")
    figure.update_yaxes(title_text=measure, col=1)
    figure.update_layout(
        height=820 if stacked else 420,
        margin={"l": 8, "r": 8, "t": 34, "b": 8},
        font={"size": 14},
        dragmode=False,
        legend={"orientation": "h", "y": -0.16 if stacked else -0.28, "yanchor": "top"},
    )
    return figure


def thumb(photo: Photo, row: Competitor, box: Corners | None, side: int) -> np.ndarray:
    """A map over the photo with the box, uint8 ``[h, w, 3]``, its own scale.

    Args:
        photo: the photo.
        row: a method with a map.
        box: drawn on it.
        side: of the longer side, pixels, at most.
    """
    assert row.map is not None, "only methods with a map"
    step = max(1, -(-max(photo.width, photo.height) // side))
    part = (slice(None, None, step),) * 2
    values = row.map.on_photo()
    small = replace(photo, pixels=np.ascontiguousarray(photo.pixels[part]))
    drawn = over_photo(small, signed_colours(values[part], own_limit(values)), _OVER)
    scaled = None if box is None else tuple(v / step for v in box)
    return outlined(drawn, scaled)  # type: ignore[arg-type]


def outlined(picture: np.ndarray, box: Corners | None) -> np.ndarray:
    """A copy of a picture ``[H, W, 3]`` with the box around its pixels."""
    drawn = picture.copy()
    if box is not None:
        draw_box(drawn, np.array(box), GREEN, max(2, line_width(*picture.shape[:2])))
    return drawn
