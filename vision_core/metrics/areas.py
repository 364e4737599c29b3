"""Precision, recall and the area under their curve, computed in this one place. NumPy only."""

from __future__ import annotations

import numpy as np


def running(hits: np.ndarray, true: int) -> tuple[np.ndarray, np.ndarray]:
    """Precision and recall after each detection, float64 ``[N]`` each.

    Args:
        hits: bool or 0/1 ``[N]``, by falling score.
        true: number of true boxes, at least 1.
    """
    found = np.cumsum(np.asarray(hits, np.int64))
    return found / np.arange(1, len(found) + 1), found / true


def envelope(precision: np.ndarray) -> np.ndarray:
    """The greatest precision from each place on: ``[N]``, not increasing."""
    best: np.ndarray = np.maximum.accumulate(precision[::-1])[::-1]
    return best


def all_points(precision: np.ndarray, recall: np.ndarray) -> float:
    """Area under the envelope, as Pascal VOC measures it since 2010; 0 without a point."""
    steps = np.diff(np.concatenate([[0.0], recall]))
    return float((steps * envelope(precision)).sum())


def at_recalls(precision: np.ndarray, recall: np.ndarray, count: int) -> float:
    """Mean of the envelope at ``count`` recalls from 0 to 1: 11 (VOC 2007), 101 (COCO)."""
    rows = np.searchsorted(recall, np.linspace(0, 1, count), side="left")
    return float(np.append(envelope(precision), 0.0)[rows].mean())
