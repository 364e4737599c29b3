"""Anchor boxes: the same few boxes, set at every place of a feature map."""

from __future__ import annotations

from typing import Any

import numpy as np

from vision_core.errors import UserError
from vision_core.walkthroughs import params
from vision_core.walkthroughs.layer import places
from vision_core.walkthroughs.record import RawTerm, Recorder, at, check_terms, num
from vision_core.walkthroughs.types import Array, Walkthrough


def anchors(
    feature_size: Any, stride: Any, sizes: Any = (32,), aspect_ratios: Any = (0.5, 1.0, 2.0)
) -> Walkthrough:
    """The anchors of one level as ``torchvision.models.detection.anchor_utils`` makes them.

    Args:
        feature_size: rows and columns of the feature map.
        stride: pixels of the photo per feature cell, a whole number or one per axis.
        sizes: side of the square with the area of each anchor, pixels.
        aspect_ratios: height / width of each anchor; every ratio goes with every size.

    Returns:
        reduction ``sum`` of the operands ``shift`` (of a place, H x W x 4) and ``base`` (boxes
        about the origin, K x 4, rounded to whole pixels). The output is H*W*K x 4, x1, y1, x2,
        y2 in pixels; a step sets the K anchors of one place.

    Raises:
        UserError: numbers that do not fit.
    """
    size = params.sizes(feature_size, "feature_size", 2, 1)
    step = params.sizes(stride, "stride", 2, 1)
    sides = params.numbers(sizes, "sizes", (1,))
    ratios = params.numbers(aspect_ratios, "aspect_ratios", (1,))
    if (sides <= 0).any() or (ratios <= 0).any():
        raise UserError("sizes and aspect_ratios must be above 0.")
    check_terms(size[0] * size[1] * sides.size * ratios.size * 8)
    base = base_anchors(sides, ratios)
    shift = np.array([[x * step[1], y * step[0]] * 2 for y, x in places(size)], dtype=float)
    recorder = Recorder((size[0] * size[1] * len(base), 4), "sum")
    for index, place in enumerate(places(size)):
        writes = [
            (
                (index * len(base) + k, side),
                [
                    RawTerm(float(shift[index, side]), (("shift", (*place, side)),)),
                    RawTerm(float(base[k, side]), (("base", (k, side)),)),
                ],
            )
            for k in range(len(base))
            for side in range(4)
        ]
        recorder.step(
            writes,
            f"at cell {at(place)} the {len(base)} boxes are moved by "
            f"({num(shift[index, 0])}, {num(shift[index, 1])})",
        )
    per_place = f"{sides.size} sizes x {ratios.size} ratios = {len(base)} anchors a place"
    total = f"{size[0]}·{size[1]}·{len(base)} = {size[0] * size[1] * len(base)} anchors"
    operands: dict[str, Any] = {
        "base": ("kernel", base),
        "shift": ("input", shift.reshape(*size, 4)),
    }
    return recorder.finish("anchors", operands, (per_place, total), {"per_place": len(base)})


def base_anchors(sides: Array, ratios: Array) -> Array:
    """Boxes about the origin, ratio by ratio, each with all sizes; halves round to even."""
    high = np.sqrt(ratios)
    heights, widths = np.outer(high, sides).ravel(), np.outer(1 / high, sides).ravel()
    found: Array = np.round(np.stack([-widths, -heights, widths, heights], axis=1) / 2)
    return found
