"""Non-maximum suppression on a handful of boxes, one kept box a step."""

from __future__ import annotations

from typing import Any

import numpy as np

from vision_core.errors import UserError
from vision_core.walkthroughs import params
from vision_core.walkthroughs.record import RawTerm, Recorder, check_terms, num
from vision_core.walkthroughs.types import Array, Walkthrough


def nms(boxes: Any, scores: Any, iou_threshold: Any = 0.5) -> Walkthrough:
    """``torchvision.ops.nms``: keep the best box, drop what overlaps it too much, repeat.

    Args:
        boxes: N x 4 numbers, x1, y1, x2, y2.
        scores: N numbers; of equal ones the first box is taken first.
        iou_threshold: from 0 to 1; boxes with a strictly greater IoU are dropped.

    Returns:
        reduction ``keep``; the output holds the score of every kept box and 0 for every dropped
        one. A dropped box's term reads the boxes that were compared. ``facts``: ``kept``
        (indices, best first), ``suppressed_by`` (per box, -1 for nobody), ``iou`` (N x N).

    Raises:
        UserError: numbers that do not fit.
    """
    rows = params.numbers(boxes, "boxes", (2,))
    values = params.numbers(scores, "scores", (1,))
    limit = params.number(iou_threshold, "iou_threshold")
    if rows.shape[1] != 4 or (rows[:, :2] > rows[:, 2:]).any():
        raise UserError("Each of the boxes must be [x1, y1, x2, y2] with x1 <= x2 and y1 <= y2.")
    if len(values) != len(rows):
        raise UserError(f"scores must hold one number for each of the {len(rows)} boxes.")
    if not 0 <= limit <= 1:
        raise UserError(f"iou_threshold must lie between 0 and 1, and {limit:g} does not.")
    check_terms(len(rows) ** 2)
    overlaps = iou_of_all(rows)
    recorder = Recorder(values.shape, "keep")
    waiting = [int(i) for i in np.argsort(-values, kind="stable")]
    kept: list[int] = []
    suppressed_by = [-1] * len(rows)
    while waiting:
        best = waiting.pop(0)
        kept.append(best)
        dropped = [i for i in waiting if overlaps[best, i] > limit]
        waiting = [i for i in waiting if i not in dropped]
        writes = [((best,), [RawTerm(float(values[best]), (("scores", (best,)),))])]
        for i in dropped:
            suppressed_by[i] = best
            corners = [("boxes", (box, side)) for box in (best, i) for side in range(4)]
            writes.append(((i,), [RawTerm(0.0, tuple(corners))]))
        recorder.step(writes, _text(best, float(values[best]), dropped, waiting, overlaps, limit))
    facts = {"kept": kept, "suppressed_by": suppressed_by, "iou": overlaps.tolist()}
    return recorder.finish(
        "nms",
        {"boxes": ("input", rows), "scores": ("input", values)},
        ("IoU = intersection / (area + area - intersection)",),
        facts,
    )


def iou_of_all(boxes: Array) -> Array:
    """IoU of every pair, N x N; 0 where both boxes are empty."""
    low = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=2)
    area = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    union = area[:, None] + area[None] - shared
    found: Array = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return found


def _text(
    best: int, score: float, dropped: list[int], left: list[int], overlaps: Array, limit: float
) -> str:
    parts = [f"box {best} has the best score, {num(score)}, and is kept"]
    parts += [
        f"box {i} overlaps it by {num(float(overlaps[best, i]))} > {num(limit)} and is dropped"
        for i in dropped
    ]
    parts += [f"box {i} by {num(float(overlaps[best, i]))} and stays" for i in left]
    return "; ".join(parts)
