"""The score from which a detector is believed: right three times in four on validation photos."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torchvision.ops import box_iou

WANTED_PRECISION = 0.75
MATCH = 0.5
"""IoU from which a detection may count as right."""
STEP = 0.01
HIGHEST = 0.95
"""The threshold of a detector that never reaches the wanted precision."""


@dataclass(frozen=True)
class OperatingPoint:
    """A score threshold, and what share of the detections above it is right.

    Attributes:
        threshold: detections with a greater score are shown.
        precision: share of these that are right; NaN if there are none.
        recall: share of the true boxes that they find.
    """

    threshold: float
    precision: float
    recall: float


def operating_point(
    truth: Sequence[Mapping[str, Tensor]],
    predicted: Sequence[Mapping[str, Tensor]],
    wanted: float = WANTED_PRECISION,
) -> OperatingPoint:
    """Return the lowest threshold whose detections reach the wanted precision.

    All classes and photos count together. A detection is right if its best free true box of its
    class has an IoU of at least ``MATCH``; the best score chooses first. What lies mostly in a
    crowd is not judged.

    Args:
        truth: per photo ``boxes [K, 4]``, ``labels [K]``, maybe ``crowds`` and ``crowd_labels``.
        predicted: per photo ``boxes``, ``labels`` and ``scores [K]``.
        wanted: precision to reach.
    """
    scores, right = _judged(truth, predicted)
    total = sum(len(photo["labels"]) for photo in truth)
    point = OperatingPoint(HIGHEST, float("nan"), 0.0)
    for threshold in np.arange(round(HIGHEST / STEP), 0, -1) * STEP:
        above = scores > threshold
        if not above.any():
            continue
        precision = float(right[above].mean())
        if precision >= wanted:
            recall = float(right[above].sum() / max(total, 1))
            point = OperatingPoint(round(float(threshold), 2), precision, recall)
    return point


def _judged(
    truth: Sequence[Mapping[str, Tensor]], predicted: Sequence[Mapping[str, Tensor]]
) -> tuple[np.ndarray, np.ndarray]:
    """Scores of all detections that are judged, and whether each is right."""
    scores: list[float] = []
    right: list[bool] = []
    for true, said in zip(truth, predicted, strict=True):
        free = torch.ones(len(true["labels"]), dtype=torch.bool)
        overlap = box_iou(said["boxes"].float(), true["boxes"].float())
        ignored = _in_crowd(true, said)
        for row in said["scores"].argsort(descending=True).tolist():
            allowed = free & (true["labels"] == said["labels"][row])
            best = torch.where(allowed, overlap[row], -1.0)
            hit = bool(len(best)) and bool(best.max() >= MATCH)
            if hit:
                free[best.argmax()] = False
            elif ignored[row]:
                continue
            scores.append(float(said["scores"][row]))
            right.append(hit)
    return np.array(scores), np.array(right, dtype=bool)


def _in_crowd(true: Mapping[str, Tensor], said: Mapping[str, Tensor]) -> Tensor:
    """Whether half of a detection or more lies in a crowd of its class."""
    crowds = true.get("crowds", torch.zeros(0, 4))
    labels = true.get("crowd_labels", torch.zeros(0, dtype=torch.int64))
    boxes = said["boxes"].float()
    low = torch.maximum(boxes[:, None, :2], crowds[None, :, :2])
    high = torch.minimum(boxes[:, None, 2:], crowds[None, :, 2:])
    shared = (high - low).clamp(min=0).prod(2)
    area = (boxes[:, 2:] - boxes[:, :2]).prod(1, keepdim=True)
    same = said["labels"][:, None] == labels[None]
    return ((shared >= 0.5 * area) & same).any(1)
