"""A class map painted with a round brush, and its strokes as a short text."""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vision_core.labels import comparable

MOST_STROKES = 400
_MOST_BYTES = 400_000
"""Of the text when it is unpacked; a short text could otherwise ask for much memory."""


@dataclass(frozen=True, eq=False)
class BrushStroke:
    """One stroke.

    Attributes:
        label: class that is painted; empty: what was painted there goes.
        radius: of the brush, pixels.
        points: int64 ``[K, 2]`` (x, y), photo pixels, K at least 1.
    """

    label: str
    radius: float
    points: np.ndarray


def covered(stroke: BrushStroke, width: int, height: int) -> np.ndarray:
    """Pixels whose centre lies within the radius of the stroke's line: bool ``[height, width]``.

    Pixel (0, 0) reaches from 0 to 1, so that its centre lies at 0.5.
    """
    made = np.zeros((height, width), bool)
    points = stroke.points.astype(np.float64)
    ends = points[1:] if len(points) > 1 else points  # a click is a line without length
    for a, b in zip(points, ends, strict=False):
        size = (width, height)
        low = np.floor(np.minimum(a, b) - stroke.radius).clip(0, size).astype(int)
        high = np.ceil(np.maximum(a, b) + stroke.radius).clip(0, size).astype(int)
        rows, columns = slice(low[1], max(high[1], low[1])), slice(low[0], max(high[0], low[0]))
        y, x = np.mgrid[rows, columns] + 0.5
        along, length = b - a, float((b - a) @ (b - a))
        at = ((x - a[0]) * along[0] + (y - a[1]) * along[1]) / length if length else 0.0 * x
        at = at.clip(0, 1)
        far = (x - a[0] - at * along[0]) ** 2 + (y - a[1] - at * along[1]) ** 2
        made[rows, columns] |= far <= stroke.radius**2
    return made


def painted(below: np.ndarray, strokes: Sequence[BrushStroke], labels: Sequence[str]) -> np.ndarray:
    """A class map with strokes on it, one after the other.

    Args:
        below: int32 ``[H, W]``: what an erased pixel shows again.
        strokes: those of a class that is not among ``labels`` change nothing.
        labels: class names, by index.

    Returns:
        int32 ``[H, W]``.
    """
    names = {comparable(label): i for i, label in enumerate(labels)}
    made = below.copy()
    height, width = below.shape
    for stroke in strokes:
        mask = covered(stroke, width, height)
        if not stroke.label:
            made[mask] = below[mask]
        elif (label := names.get(comparable(stroke.label))) is not None:
            made[mask] = label
    return made


def to_text(strokes: Sequence[BrushStroke]) -> str:
    """Strokes as letters, digits, ``-`` and ``_``: points as differences, packed."""
    rows = [
        [s.label, round(s.radius, 1), *np.diff(s.points, axis=0, prepend=0).ravel().tolist()]
        for s in strokes
    ]
    packed = zlib.compress(json.dumps(rows, separators=(",", ":")).encode(), 9)
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def from_text(text: str) -> tuple[BrushStroke, ...]:
    """The strokes of a text.

    Raises:
        ValueError: it is no such text.
    """
    try:
        packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars="-_", validate=True)
        reader = zlib.decompressobj()
        rows = json.loads(reader.decompress(packed, _MOST_BYTES))
        return tuple(_stroke(*row) for row in rows[:MOST_STROKES])
    except (binascii.Error, zlib.error, ValueError, TypeError, OverflowError, RecursionError):
        raise ValueError("strokes of a brush as the page writes them") from None


def _stroke(label: object, radius: float, *steps: int) -> BrushStroke:
    if not all(isinstance(step, int) for step in steps):
        raise ValueError("no stroke")
    points = np.array(steps, np.int64).reshape(-1, 2).cumsum(0)
    fits = isinstance(label, str) and len(label) <= 60 and 0 < float(radius) <= 500
    if not fits or not len(points) or np.abs(points).max() > 10_000:
        raise ValueError("no stroke")
    return BrushStroke(str(label), float(radius), points)
