"""The pictures of a gallery: whole photos, windows over them, and crops of what was detected."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from vision_core.images import Photo, from_array
from vision_core.records import DetectionTrace, Thresholds
from vision_core.selection import select

SIDE = 224
"""Longest side of a picture that is kept, pixels."""
MOST = 500
"""Pictures of a gallery at most."""
_LEAST = 8  # pixels of a crop's shorter side
_COUNTED = re.compile(r"[\s_\-.]*\(?\d+\)?$")


@dataclass(frozen=True, eq=False)
class SmallPicture:
    """A picture of a gallery.

    Attributes:
        photo: its pixels, the longest side ``SIDE`` at most.
        name: in words.
        label: its class, for the colours.
    """

    photo: Photo
    name: str
    label: str


def cut(photo: Photo, box: Sequence[float] | None = None, name: str = "") -> Photo:
    """A part of a photo as a photo of its own, shrunk to ``SIDE`` where it is larger.

    Args:
        photo: it is cut out of this one.
        box: x1, y1, x2, y2 in its pixels; clipped to it, and at least 8 pixels wide and high where
            the photo is. ``None`` for the whole photo.
        name: of the part; that of the photo where left out.
    """
    x1, y1, x2, y2 = _whole_pixels(photo, box)
    pixels = photo.pixels[y1:y2, x1:x2]
    scale = SIDE / max(pixels.shape[:2])
    if scale < 1:
        size = (max(1, round((x2 - x1) * scale)), max(1, round((y2 - y1) * scale)))
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    return from_array(np.ascontiguousarray(pixels), name or photo.name)


def _whole_pixels(photo: Photo, box: Sequence[float] | None) -> tuple[int, int, int, int]:
    if box is None:
        return 0, 0, photo.width, photo.height
    x1, x2 = _span(box[0], box[2], photo.width)
    y1, y2 = _span(box[1], box[3], photo.height)
    return x1, y1, x2, y2


def _span(low: float, high: float, most: int) -> tuple[int, int]:
    """Whole pixels from low to high, within 0 and ``most``, and not too few."""
    least = min(_LEAST, most)
    first = min(max(int(np.floor(low)), 0), most - least)
    return first, min(max(int(np.ceil(high)), first + least), most)


def windows(photo: Photo, grids: Sequence[int] = (1, 2, 3)) -> Iterator[tuple[float, ...]]:
    """Boxes that cover a photo: for each n a grid of n x n windows, each overlapping the next.

    A window of the grid n spans 2 / (n + 1) of both sides; n = 1 is the whole photo.
    """
    for n in grids:
        wide, high = 2 * photo.width / (n + 1), 2 * photo.height / (n + 1)
        for row in range(n):
            for column in range(n):
                left, top = column * wide / 2, row * high / 2
                yield left, top, left + wide, top + high


def windowed(photo: Photo, label: str, grids: Sequence[int] = (1, 2, 3)) -> list[SmallPicture]:
    """The windows of a photo as pictures of one class."""
    made = []
    for i, box in enumerate(windows(photo, grids)):
        name = label if i == 0 else f"{label}, window {i}"
        made.append(SmallPicture(cut(photo, box, name), name, label))
    return made


def detected(photo: Photo, trace: DetectionTrace, score: float = 0.35) -> list[SmallPicture]:
    """The crops of what a detector finds in a photo, best first; the class is that of the box.

    Args:
        photo: the photo.
        trace: of a detector on it.
        score: boxes need more than this; low, since a gallery may hold mistakes.
    """
    found = select(trace, replace(Thresholds(), score=score)).detections
    made = []
    for box, label, value in zip(found.boxes, found.labels, found.scores, strict=True):
        name = f"{label} {value:.2f} in {photo.name}"
        made.append(SmallPicture(cut(photo, [float(v) for v in box], name), name, label))
    return made


def label_of(name: str) -> str:
    """The class that a file's name tells: ``cats/007.jpg`` and ``cat_12.png`` are of a class.

    The folder counts where there is one, else the name without its ending and its number.
    """
    parts = [part for part in re.split(r"[/\\]", name) if part]
    if len(parts) > 1:
        return parts[-2]
    stem, dot, ending = (parts[0] if parts else "").rpartition(".")
    stem = stem if dot else ending
    return _COUNTED.sub("", stem) or "photo"


def gallery_key(pictures: Sequence[SmallPicture]) -> str:
    """A name that two galleries share only where their pictures are the same, in their order."""
    return hashlib.sha256("".join(p.photo.sha256 for p in pictures).encode()).hexdigest()
