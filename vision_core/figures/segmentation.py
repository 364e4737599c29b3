"""A class map as a coloured overlay, with its legend."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vision_core.figures.canvas import (
    MAX_WIDTH,
    draw_label,
    fitted,
    label_rect,
    text_size,
    text_width,
)
from vision_core.figures.colours import class_colour, is_background, rgb
from vision_core.images import Photo
from vision_core.records import SegmentationTrace


@dataclass(frozen=True)
class LegendEntry:
    """One class of a class map: name, ``#RRGGBB`` and its share of the pixels, 0 to 1."""

    label: str
    colour: str
    share: float


UNSURE, BETWEEN = 255, 254
"""Ids of a pixel whose class is unsure: on a stripe, and between two stripes."""
_STRIPE = 4
"""Pixels across a stripe."""
_UNSURE_COLOUR = "#5A5A5A"


def legend(trace: SegmentationTrace, unsure_below: float = 0.0) -> tuple[LegendEntry, ...]:
    """The classes that occur in the class map, the largest share first.

    Pixels whose class has a probability under ``unsure_below`` are an entry of their own.
    """
    unsure = trace.unsure(unsure_below)
    counts = trace.pixel_counts(unsure)
    total = trace.class_map.size
    entries = [LegendEntry(n, class_colour(n), c / total) for n, c in counts.items()]
    if unsure.any():
        entries.append(LegendEntry("unsure", _UNSURE_COLOUR, float(unsure.mean())))
    return tuple(sorted(entries, key=lambda e: -e.share))


def shown_ids(trace: SegmentationTrace, unsure_below: float = 0.0) -> np.ndarray:
    """The class map with unsure pixels striped: uint8 [H, W] of class ids, 254 and 255."""
    if unsure_below <= 0:
        return trace.class_map
    height, width = trace.class_map.shape
    diagonal = np.arange(height)[:, None] + np.arange(width)
    stripes = np.where(diagonal // _STRIPE % 2, BETWEEN, UNSURE).astype(np.uint8)
    return np.where(trace.unsure(unsure_below), stripes, trace.class_map)


def palette(labels: tuple[str, ...], opacity: float) -> np.ndarray:
    """uint8 [256, 4]: RGBA of each class id; the background and unused ids are transparent."""
    table = np.zeros((256, 4), np.uint8)
    table[UNSURE] = (*rgb(_UNSURE_COLOUR), round(255 * opacity))
    for i, name in enumerate(labels[:BETWEEN]):
        if not is_background(name):
            table[i] = (*rgb(class_colour(name)), round(255 * opacity))
    return table


def draw_class_map(
    photo: Photo,
    trace: SegmentationTrace,
    *,
    opacity: float = 0.5,
    with_legend: bool = True,
    max_width: int = MAX_WIDTH,
    unsure_below: float = 0.0,
) -> np.ndarray:
    """Paint the class map over the photo, and the classes with their shares under it.

    Pixels whose class has a probability under ``unsure_below`` are striped grey.

    Returns:
        uint8 [H, W, 3] RGB; higher than the photo where a legend is drawn.
    """
    picture, _ = fitted(photo, max_width)
    size = (picture.shape[1], picture.shape[0])
    ids = cv2.resize(shown_ids(trace, unsure_below), size, interpolation=cv2.INTER_NEAREST)
    table = palette(trace.info.labels, opacity)
    alpha = table[ids, 3:].astype(np.float32) / 255
    mixed = picture * (1 - alpha) + table[ids, :3] * alpha
    picture = np.round(mixed).astype(np.uint8)
    return (
        np.vstack([picture, _legend_strip(picture, legend(trace, unsure_below))])
        if with_legend
        else picture
    )


def _legend_strip(picture: np.ndarray, entries: tuple[LegendEntry, ...]) -> np.ndarray:
    height, width = picture.shape[:2]
    size = text_size(height, width)
    gap = size // 2
    row_height = size * 2
    placed: list[tuple[str, str, int, int]] = []
    x, row = gap, 1
    for entry in entries:
        text = f"{entry.label} {entry.share:.1%}"
        needs = text_width(text, size) + 2 * gap
        if x + needs > width and x > gap:
            x, row = gap, row + 1
        placed.append((text, entry.colour, x, row))
        x += needs + gap
    strip = np.full((row * row_height + gap, width, 3), 255, np.uint8)
    for text, colour, left, line in placed:
        place = label_rect(strip, text, np.array([left, line * row_height]), size)
        draw_label(strip, text, place, colour, size)
    return strip
