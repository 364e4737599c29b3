"""True masks, from the ``segmentation`` of COCO's annotation format. No PyTorch here.

Three kinds are read: polygons, run lengths as numbers, and run lengths as COCO's short text. What a
file says is not believed: lengths are checked before anything is filled.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from pycocotools import mask as coco_mask

from vision_core.comparison.annotations import Truth
from vision_core.errors import UserError

_MOST_PIXELS = 100_000_000
_LONGEST = 500_000  # pixels of an outline; its rasteriser needs memory in proportion
_BASE, _DIGIT, _MORE, _SIGN = 48, 0x1F, 0x20, 0x10  # of the short text


def true_mask(truth: Truth, index: int, width: int, height: int) -> np.ndarray | None:
    """The mask of a true box at the photo's size, bool [H, W]; ``None`` where the file has none.

    Args:
        truth: true boxes with what the file says of their regions.
        index: of the true box.
        width, height: of the photo; a mask of another size is scaled by nearest neighbour.

    Raises:
        UserError: what the file says is no region.
    """
    shape = truth.shapes[index] if index < len(truth.shapes) else None
    if shape is None or truth.file_size is None:
        return None
    file_width, file_height = (round(v) for v in truth.file_size)
    mask = region(shape, file_width, file_height)
    if mask.shape == (height, width):
        return mask
    scaled = cv2.resize(mask.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
    return scaled.astype(bool)


def region(shape: Any, width: int, height: int) -> np.ndarray:
    """A ``segmentation`` as a mask, bool [H, W].

    Args:
        shape: polygons (lists of x, y, x, y, ...), or run lengths: ``size`` (H, W) and ``counts``,
            a list of numbers or COCO's short text.
        width, height: of the file's image.

    Raises:
        UserError: it is none of these, or does not fit the image.
    """
    if width * height > _MOST_PIXELS:
        raise UserError(f"A mask of {width} x {height} pixels is too large to be drawn.")
    try:
        if isinstance(shape, list):
            return _filled(shape, width, height)
        rows, columns = (int(n) for n in shape["size"])
        if (rows, columns) != (height, width):
            raise ValueError(f"a mask of {columns} x {rows} for an image of {width} x {height}")
        counts = shape["counts"]
        return _runs(_lengths(counts) if isinstance(counts, str) else counts, width, height)
    except (ValueError, LookupError, TypeError, OverflowError) as error:
        raise UserError(
            f"A segmentation of the COCO file cannot be read ({str(error)[:80]}); it needs "
            "polygons, or run lengths with size and counts."
        ) from None


def _filled(polygons: Sequence[Sequence[float]], width: int, height: int) -> np.ndarray:
    """As pycocotools fills polygons; their union."""
    given, outline = [], 0.0
    for polygon in polygons:
        points = [float(v) for v in polygon]
        if len(points) < 6 or len(points) % 2 or not all(map(math.isfinite, points)):
            raise ValueError("a polygon of fewer than three points")
        corners = np.array(points).reshape(-1, 2)
        outline += float(np.abs(corners - np.roll(corners, 1, 0)).sum())
        if np.abs(corners).max() > _LONGEST or outline > _LONGEST:
            raise ValueError("an outline that is too long")
        given.append(points)
    if not given:
        raise ValueError("no polygon")
    codes = coco_mask.frPyObjects(given, height, width)
    return np.asarray(coco_mask.decode(coco_mask.merge(codes)), bool)


def _runs(counts: Sequence[int], width: int, height: int) -> np.ndarray:
    """Columns first, beginning with what is outside."""
    lengths = np.array([int(n) for n in counts], np.int64)
    if not len(lengths) or (lengths < 0).any() or int(lengths.sum()) != width * height:
        raise ValueError("run lengths that do not add up to the image")
    inside = np.arange(len(lengths)) % 2 == 1
    return np.repeat(inside, lengths).reshape((height, width), order="F")


def _lengths(text: str) -> list[int]:
    """COCO's short text: each length in digits of five bits, from the third on as a difference."""
    lengths: list[int] = []
    value = shift = 0
    for letter in text:
        digit = ord(letter) - _BASE
        if not 0 <= digit < 2 * _MORE or shift > 30:
            raise ValueError("counts that are no run lengths")
        value |= (digit & _DIGIT) << shift
        shift += 5
        if digit & _MORE:
            continue
        if digit & _SIGN:
            value -= 1 << shift
        lengths.append(value + (lengths[-2] if len(lengths) > 2 else 0))
        value = shift = 0
    return lengths
