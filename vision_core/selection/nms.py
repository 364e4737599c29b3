"""Non-maximum suppression that remembers who suppressed whom.

Which boxes are kept is torchvision's own answer (``nms``, ``batched_nms``); this module only adds
the reason, in the same arithmetic.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torchvision.ops import batched_nms, nms

# torchvision.ops.batched_nms: up to this many numbers (4 a box) it shifts the boxes of every class
# apart and runs one NMS; above it runs one NMS per class. The rounding differs.
_COORDINATE_TRICK_MAX_NUMEL = 4000
_PAIRS_AT_ONCE = 2_000_000
_FIRST_BLOCK = 32  # most boxes fall to one of the best few: look there first, then further down


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a suppression did to N boxes; indices count within those N.

    Attributes:
        order: int64 [K], the survivors, best first.
        by: int64 [N], who suppressed or most decayed each box, -1 for nobody.
        iou: float32 [N], IoU with ``by``.
        scores: float32 [N], scores after any decay.
        decayed: bool [N], the box fell because its score decayed (soft NMS).
    """

    order: np.ndarray
    by: np.ndarray
    iou: np.ndarray
    scores: np.ndarray
    decayed: np.ndarray


def no_nms(scores: np.ndarray) -> Outcome:
    """Everything survives, sorted by score; equal scores keep their order."""
    n = len(scores)
    order = np.argsort(-scores, kind="stable")
    return Outcome(order, np.full(n, -1), np.zeros(n, np.float32), scores, np.zeros(n, bool))


def hard_nms(
    boxes: np.ndarray, scores: np.ndarray, labels: np.ndarray | None, iou: float
) -> Outcome:
    """Greedy NMS: keep the best box, drop what overlaps it by more than ``iou``, repeat.

    Args:
        boxes: float32 [N, 4], xyxy, clipped to the image.
        scores: float32 [N].
        labels: int64 [N], or ``None`` to suppress across classes.
        iou: boxes with a strictly greater IoU are dropped.

    Returns:
        the survivors of ``torchvision.ops.batched_nms`` (``nms`` without labels) in its order, and
        for every other box the first survivor that suppressed it.
    """
    n = len(scores)
    by, overlap = np.full(n, -1), np.zeros(n, np.float32)
    tensors = torch.tensor(boxes), torch.tensor(scores)
    if labels is None:
        order = nms(*tensors, iou).numpy()
        groups = [(boxes, np.arange(n))]
    else:
        order = batched_nms(*tensors, torch.tensor(labels), iou).numpy()
        groups = _arithmetic(boxes, labels)
    survives = np.zeros(n, bool)
    survives[order] = True
    for shifted, members in groups:
        kept = members[survives[members]]
        # The kernel takes equal scores first come, first served; `order` need not, above 1,000.
        kept = kept[np.argsort(-scores[kept], kind="stable")]
        lost = members[~survives[members]]
        by[lost], overlap[lost] = first_suppressor(shifted, lost, kept, iou)
    return Outcome(order, by, overlap, scores, np.zeros(n, bool))


def _arithmetic(boxes: np.ndarray, labels: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """The boxes as ``batched_nms`` compares them, and which of them it compares together."""
    if boxes.size > _COORDINATE_TRICK_MAX_NUMEL:
        return [(boxes, np.flatnonzero(labels == label)) for label in np.unique(labels)]
    if not len(boxes):
        return []
    offsets = labels.astype(np.float32) * (boxes.max() + np.float32(1))
    return [(boxes + offsets[:, None], np.arange(len(boxes)))]


def first_suppressor(
    boxes: np.ndarray, lost: np.ndarray, kept: np.ndarray, iou: float
) -> tuple[np.ndarray, np.ndarray]:
    """For each lost box the first kept one (best score first) that overlaps it by more than iou.

    Args:
        boxes: float32 [N, 4].
        lost: indices of suppressed boxes.
        kept: indices of surviving boxes, best first; not empty where ``lost`` is not.
        iou: the threshold.

    Returns:
        index into ``boxes`` and IoU, per lost box. Where rounding leaves none above the
        threshold, the one with the greatest IoU.
    """
    by, overlap = np.empty(len(lost), np.int64), np.zeros(len(lost), np.float32)
    open_rows = np.arange(len(lost))  # lost boxes whose suppressor is not found yet
    start, block = 0, _FIRST_BLOCK
    best = np.full(len(lost), -1.0, np.float32)
    while start < len(kept) and len(open_rows):
        some = kept[start : start + min(block, max(1, _PAIRS_AT_ONCE // len(open_rows)))]
        matrix = iou_matrix(boxes[lost[open_rows]], boxes[some])
        above = exceeds(matrix, iou)
        found = above.any(1)
        # Unfound rows take the greatest overlap so far, in case rounding finds nobody above.
        column = np.where(found, above.argmax(1), 0)
        column[~found] = matrix[~found].argmax(1)
        value = matrix[np.arange(len(matrix)), column]
        better = found | (value > best[open_rows])
        rows = open_rows[better]
        by[rows], overlap[rows], best[rows] = some[column[better]], value[better], value[better]
        open_rows = open_rows[~found]
        start, block = start + len(some), block * 2
    return by, overlap


def _rounded_down(threshold: float) -> np.float32:
    """The greatest float32 that is not above the threshold.

    torchvision's NMS kernel compares a float32 IoU with a double threshold; comparing with this
    value gives the same answer in float32, where rounding to nearest would let 3/10 pass at 0.3.
    """
    nearest = np.float32(threshold)
    return nearest if float(nearest) <= threshold else np.nextafter(nearest, np.float32(-1))


def exceeds(matrix: np.ndarray, threshold: float) -> np.ndarray:
    """``matrix > threshold`` for float32 IoUs as torchvision's NMS kernel compares them."""
    return matrix > _rounded_down(threshold)


def iou_matrix(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """IoU of every pair, float32 [A, B], in the operations of torchvision's NMS kernel.

    ``torchvision.ops.box_iou`` adds the areas in another order and so rounds differently.
    """
    width = np.minimum(a[:, None, 2], b[None, :, 2])
    width -= np.maximum(a[:, None, 0], b[None, :, 0])
    height = np.minimum(a[:, None, 3], b[None, :, 3])
    height -= np.maximum(a[:, None, 1], b[None, :, 1])
    np.maximum(width, 0, out=width)
    np.maximum(height, 0, out=height)
    width *= height
    union = _areas(a)[:, None] + _areas(b)[None]
    union -= width
    union[union == 0] = 1  # two boxes without area: 0/0 suppresses nothing in torchvision either
    width /= union
    return width


def _areas(boxes: np.ndarray) -> np.ndarray:
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
