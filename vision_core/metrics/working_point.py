"""Precision, recall and F1 of the detections above a score threshold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class WorkingPoint:
    """What is left above a score threshold.

    Attributes:
        hits: true positives.
        false: false positives.
        missed: true boxes that are not found.
        precision: hits / (hits + false), 1 where nothing is left.
        recall: hits / (hits + missed), 1 where nothing is there.
        f1: 2 hits / (2 hits + false + missed), 1 where nothing is left and nothing is there.
    """

    hits: int
    false: int
    missed: int

    @property
    def precision(self) -> float:
        return _share(self.hits, self.hits + self.false)

    @property
    def recall(self) -> float:
        return _share(self.hits, self.hits + self.missed)

    @property
    def f1(self) -> float:
        return _share(2 * self.hits, 2 * self.hits + self.false + self.missed)


def working_point(scores: Any, hits: Any, true: int, threshold: float) -> WorkingPoint:
    """Count what a score threshold leaves.

    Args:
        scores: ``[N]`` of the detections.
        hits: bool ``[N]``, whether each is a true positive.
        true: number of true boxes.
        threshold: detections with a greater score are left.
    """
    above = np.asarray(scores, np.float64).reshape(-1) > threshold
    found = int(np.asarray(hits, bool).reshape(-1)[above].sum())
    return WorkingPoint(found, int(above.sum()) - found, true - found)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 1.0
