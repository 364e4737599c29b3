"""Detections against a ground truth: hits, false alarms and misses.

Two rules of matching, both in the order of the scores and within a class:

- ``coco`` (Lin et al. 2014, as pycocotools does it), for hits and misses: a detection takes the
  free box with the greatest IoU, if that is at least the threshold.
- ``voc`` (Everingham et al. 2010, VOCevaldet.m of the development kit), for curve and average
  precision (``vision_core.metrics.curve``): only the box with the greatest IoU counts; where it is
  taken already, the detection is false, even if another box is free. VOC counts whole pixels (a
  box from 1 to 10 is 10 wide); boxes have real corners here, so that widths are differences.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from vision_core.comparison.annotations import Truth, read_coco
from vision_core.comparison.boxes import SAME
from vision_core.labels import comparable
from vision_core.records import Detections
from vision_core.selection.nms import iou_matrix

__all__ = ["Judged", "Rule", "Truth", "best_first", "judge", "read_coco"]

Rule = Literal["coco", "voc"]


@dataclass(frozen=True, eq=False)
class Judged:
    """Detections against a truth.

    Attributes:
        hit: int64 ``[N]``, the true box of each detection, -1 for a false positive.
        missed: int64 ``[M]``, true boxes that no detection found.
        precision, recall, f1: 0 to 1; precision is 1 where nothing is detected, recall where
            nothing is there.
    """

    hit: np.ndarray
    missed: np.ndarray
    precision: float
    recall: float
    f1: float


def judge(found: Detections, truth: Truth, iou: float = SAME, rule: Rule = "coco") -> Judged:
    """Match detections to true boxes of their class.

    Args:
        found: detections, any order.
        truth: what is there.
        iou: a hit needs at least this IoU.
        rule: ``coco`` or ``voc``; see the head of this module.
    """
    overlap = iou_matrix(found.boxes.astype(np.float32), truth.boxes.astype(np.float32))
    names = [comparable(n) for n in truth.labels]
    hit = np.full(len(found), -1)
    free = np.ones(len(names), bool)
    for i in best_first(found):
        name = comparable(found.labels[i])
        fits = np.array([n == name for n in names], bool)
        if rule == "coco":
            fits &= free
        if not fits.any():
            continue
        best = int(np.where(fits, overlap[i], -1.0).argmax())
        if free[best] and overlap[i, best] >= iou:
            hit[i], free[best] = best, False
    hits = int((hit >= 0).sum())
    precision = hits / len(found) if len(found) else 1.0
    recall = hits / len(names) if names else 1.0
    f1 = 2 * hits / (len(found) + len(names)) if len(found) + len(names) else 1.0
    return Judged(hit, np.flatnonzero(free), precision, recall, f1)


def best_first(found: Detections) -> np.ndarray:
    """Detections by falling score; equal ones by class and place, not by where they stand."""
    names = np.array([comparable(n) for n in found.labels], dtype=str)
    return np.lexsort((*found.boxes.reshape(-1, 4).T, names, -found.scores))
