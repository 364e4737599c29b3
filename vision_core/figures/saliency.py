"""Signed maps as pictures: zero is always the neutral colour, the scale is always stated.

Nothing is stretched behind the reader's back: a value is drawn by its share of a limit that the
caller gives, so that two maps with one limit can be compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import plotly.graph_objects as go

from vision_core.figures.colours import NEGATIVE, POSITIVE, rgb
from vision_core.figures.encode import data_url, png
from vision_core.images import Photo

NEUTRAL = "#FFFFFF"
_STOPS = np.array([rgb(NEGATIVE), rgb(NEUTRAL), rgb(POSITIVE)], float)
_LETTERS, _SMALL = 118, 26  # small type in the width of a figure; height of its line, pixels,
# where a lecturer presents
QUANTILE = 0.995
"""A map's own scale ends where this share of its magnitudes lies below: a few pixels of a gradient
are far greater than all others, and would leave the rest white."""


def own_limit(values: np.ndarray) -> float:
    """The end of a map's own scale; 0 for a map that is zero everywhere."""
    magnitude = np.abs(values[values != 0])
    return float(np.quantile(magnitude, QUANTILE)) if magnitude.size else 0.0


def signed_colours(values: np.ndarray, limit: float) -> np.ndarray:
    """Blue for negative, white for zero, vermilion for positive values.

    Args:
        values: float ``[H, W]``.
        limit: the magnitude with the full colour; greater ones get the same. With 0 all is white.

    Returns:
        uint8 ``[H, W, 3]``.
    """
    share = np.clip(values / limit, -1, 1) if limit > 0 else np.zeros_like(values)
    share = np.nan_to_num(share)
    size, below = np.abs(share), share < 0
    picture = np.empty((*share.shape, 3), np.uint8)
    for channel, (negative, white, positive) in enumerate(_STOPS.T):  # six times as fast as at once
        far = np.where(below, negative - white, positive - white)
        picture[..., channel] = np.rint(white + size * far)
    return picture


def by_colour(values: np.ndarray, limit: float) -> np.ndarray:
    """A gradient for each of R, G and B as a picture: grey is zero.

    Args:
        values: float ``[H, W, 3]``.
        limit: the magnitude that reaches black or white.

    Returns:
        uint8 ``[H, W, 3]``.
    """
    share = np.clip(values / limit, -1, 1) if limit > 0 else np.zeros_like(values)
    return (127.5 * (1 + np.nan_to_num(share))).round().astype(np.uint8)


def over_photo(photo: Photo, picture: np.ndarray, opacity: float) -> np.ndarray:
    """A picture of a map over the photo in grey; opacity 1 is the picture alone."""
    grey = cv2.cvtColor(photo.pixels, cv2.COLOR_RGB2GRAY)[..., None].astype(float)
    return (grey * (1 - opacity) + picture * opacity).round().astype(np.uint8)


@dataclass(frozen=True)
class Encoded:
    """A picture that is a file already.

    Attributes:
        url: PNG as a ``data:`` URL.
        size: height and width in pixels.
    """

    url: str
    size: tuple[int, int]


def encoded(picture: np.ndarray) -> Encoded:
    """A uint8 picture ``[H, W, 3]`` as a PNG file, nothing lost."""
    return Encoded(data_url(png(picture), "png"), (picture.shape[0], picture.shape[1]))


@dataclass(frozen=True)
class MapPanel:
    """One picture among several.

    Attributes:
        title: what stands above it.
        picture: uint8 ``[H, W, 3]``, or its file; the same size for all.
        limit: the end of its colour scale; ``None`` for a picture without a scale.
        note: what stands in small type below the title.
    """

    title: str
    picture: np.ndarray | Encoded
    limit: float | None = None
    note: str = ""


def panels(
    shown: Sequence[MapPanel], columns: int, height: int = 330, brief: bool = False
) -> go.Figure:
    """Pictures beside each other whose zoom and pan are linked.

    Args:
        shown: at least one panel.
        columns: panels in a row.
        height: of a row, pixels.
        brief: few words above each, for narrow columns.
    """
    rows = -(-len(shown) // columns)
    titles = [_title(panel, brief, _LETTERS // columns) for panel in shown]
    lines = max(title.count("<br>") for title in titles)
    files = [p.picture if isinstance(p.picture, Encoded) else encoded(p.picture) for p in shown]
    tall, wide = files[0].size
    across = _shares(columns, 0.02)
    down = _shares(rows, min(62 / (height * rows), 0.5 / rows))[::-1]
    layout: dict[str, Any] = {"images": [], "annotations": []}
    data = []
    for at, (file, title) in enumerate(zip(files, titles, strict=True)):
        number = f"{at + 1}" if at else ""
        x, y = across[at % columns], down[at // columns]
        layout["annotations"].append(_above(title, x, y))
        layout["images"].append(_picture(file.url, wide, tall, number))
        axis = {"visible": False, "anchor": f"y{number}", "domain": x, "matches": "x"}
        layout[f"xaxis{number}"] = {**axis, "range": [0, wide]}
        axis = {"visible": False, "anchor": f"x{number}", "domain": y, "matches": "y"}
        layout[f"yaxis{number}"] = {**axis, "range": [tall, 0]}
        points = {"x": [0, wide], "y": [0, tall], "xaxis": f"x{number}", "yaxis": f"y{number}"}
        unseen = {"mode": "markers", "marker": {"opacity": 0}, "hoverinfo": "skip"}
        data.append({"type": "scatter", **points, **unseen})
    layout |= {
        "height": height * rows,
        "margin": {"l": 0, "r": 0, "t": 34 + _SMALL * max(lines - 1, 0), "b": 4},
        "showlegend": False,
        "dragmode": "pan",
        "font": {"size": 14},
    }
    return go.Figure({"data": data, "layout": layout})  # in one step: an update takes far longer


def _shares(count: int, gap: float) -> list[tuple[float, float]]:
    """Where so many panels begin and end in the width or height of a figure, which is 1."""
    size = (1 - gap * (count - 1)) / count
    return [(i * (size + gap), i * (size + gap) + size) for i in range(count)]


def _above(title: str, x: tuple[float, float], y: tuple[float, float]) -> dict[str, Any]:
    """A title over the middle of a panel."""
    return {
        "text": title,
        "font": {"size": 16},
        "showarrow": False,
        "x": sum(x) / 2,
        "y": y[1],
        "xanchor": "center",
        "yanchor": "bottom",
        "xref": "paper",
        "yref": "paper",
    }


def _picture(url: str, wide: int, tall: int, number: str) -> dict[str, Any]:
    """A picture below the marks of the axes with a number."""
    return {
        "source": url,
        "x": wide / 2,
        "y": 0,
        "sizex": wide,
        "sizey": tall,
        "xanchor": "center",
        "yanchor": "top",
        "xref": f"x{number}",
        "yref": f"y{number}",
        "sizing": "contain",  # a scale shared by the axes would not follow a change of size
        "layer": "below",
    }


def scale_words(limit: float, brief: bool = False) -> str:
    """Where the scale of a map ends, in words or as a number alone."""
    return f"± {limit:.3g}" if brief else f"full colour at ± {limit:.3g}"


def _title(panel: MapPanel, brief: bool, letters: int) -> str:
    """Title and small type; a line of it that is too long for the panel goes on in the next."""
    scale = "" if panel.limit is None else scale_words(panel.limit, brief)
    parts = [part for part in (panel.note, scale) if part]
    whole = ", ".join(parts)
    lines = [whole] if len(whole) <= letters else [shortened(part, letters) for part in parts]
    return "<br>".join([panel.title, *(f"<sup>{line}</sup>" for line in lines if line)])


def shortened(text: str, letters: int) -> str:
    """A text of at most so many letters: what is left out stood in its middle."""
    if len(text) <= letters:
        return text
    first = (letters - 1) // 2
    return f"{text[:first]}…{text[len(text) - (letters - 1 - first) :]}"
