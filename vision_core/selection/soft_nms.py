"""Soft-NMS (Bodla et al. 2017): overlapping boxes lose score instead of their place.

Always the box with the greatest current score goes next; every box still waiting is scaled by a
weight of its IoU with it. Linear: 1 - IoU where the IoU exceeds the threshold. Gaussian:
exp(-IoU^2 / sigma), everywhere.
"""

from __future__ import annotations

import numpy as np

from vision_core.selection.nms import Outcome, exceeds, iou_matrix

_MATRIX_MAX = 3000  # boxes of one class whose IoUs are all worked out at once: 36 MB


def soft_nms(
    boxes: np.ndarray,
    scores: np.ndarray,
    labels: np.ndarray | None,
    *,
    floor: float,
    sigma: float,
    linear_above: float | None,
) -> Outcome:
    """Soft NMS on boxes whose scores lie above ``floor``.

    A box at or below the floor could never be picked before the others and so never changes
    them: leaving such boxes out changes nothing that is kept.

    Args:
        boxes: float32 [N, 4], xyxy.
        scores: float32 [N].
        labels: int64 [N], or ``None`` to decay across classes.
        floor: a box whose decayed score is not greater is dropped.
        sigma: of the Gaussian.
        linear_above: IoU threshold of the linear decay; ``None`` for the Gaussian one.

    Returns:
        survivors by decayed score, and for each decayed box the one that took most from it.
    """
    n = len(scores)
    final = scores.astype(np.float64)
    by, overlap = np.full(n, -1), np.zeros(n, np.float32)
    survives = np.zeros(n, bool)
    groups = (
        [np.arange(n)]
        if labels is None
        else [np.flatnonzero(labels == label) for label in np.unique(labels)]
    )
    for members in groups:
        _decay(boxes, members, final, by, overlap, survives, floor, sigma, linear_above)
    kept = np.flatnonzero(survives)
    order = kept[np.argsort(-final[kept], kind="stable")]
    return Outcome(order, by, overlap, final.astype(np.float32), ~survives)


def _decay(
    boxes: np.ndarray,
    members: np.ndarray,
    final: np.ndarray,
    by: np.ndarray,
    overlap: np.ndarray,
    survives: np.ndarray,
    floor: float,
    sigma: float,
    linear_above: float | None,
) -> None:
    """One class: pick, decay the rest, until the best that waits is at or below the floor."""
    mine = boxes[members]
    matrix = iou_matrix(mine, mine) if len(members) <= _MATRIX_MAX else None
    waiting = final[members]  # a copy; 0 once picked, which no floor lets through again
    result = waiting.copy()
    picked = np.zeros(len(members), bool)
    least = np.ones(len(members))  # the smallest weight met so far, by whom and at which IoU
    blame = np.full(len(members), -1)
    iou_then = np.zeros(len(members), np.float32)
    while len(members) and waiting[best := int(waiting.argmax())] > floor:
        result[best] = waiting[best]
        picked[best] = True
        waiting[best] = 0.0
        row = matrix[best] if matrix is not None else iou_matrix(mine[best : best + 1], mine)[0]
        weight = decay_weight(row, sigma, linear_above)
        waiting *= weight
        harder = (weight < least) & ~picked
        least[harder], iou_then[harder], blame[harder] = weight[harder], row[harder], best
    result[~picked] = waiting[~picked]
    final[members] = result
    survives[members] = picked
    by[members] = np.where(blame >= 0, members[blame], -1)
    overlap[members] = iou_then


def decay_weight(iou: np.ndarray, sigma: float, linear_above: float | None) -> np.ndarray:
    """What a score is multiplied by, for each IoU with the box that was picked; float64.

    Args:
        iou: float32, 0 to 1.
        sigma: of the Gaussian, used where ``linear_above`` is ``None``.
        linear_above: IoU from which on the linear decay acts.
    """
    if linear_above is None:
        return np.exp(-(iou.astype(np.float64) ** 2) / sigma)
    return np.where(exceeds(iou, linear_above), 1.0 - iou.astype(np.float64), 1.0)
