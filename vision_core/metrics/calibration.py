"""Whether a score says how often its owner is right: reliability and expected calibration error.

Sources: Naeini, Cooper, Hauskrecht: "Obtaining Well Calibrated Probabilities Using Bayesian
Binning" (2015); Guo, Pleiss, Sun, Weinberger: "On Calibration of Modern Neural Networks" (2017).
For detections "right" is a hit (Kueppers et al. 2020).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from vision_core.errors import UserError

MOST_BINS = 50


@dataclass(frozen=True)
class Bin:
    """Answers whose scores lie above ``low`` and up to ``high``; 0 lies in the first bin.

    Attributes:
        low, high: limits.
        count: how many answers.
        confidence: their mean score, ``None`` where there are none.
        accuracy: share of right ones, ``None`` where there are none.
    """

    low: float
    high: float
    count: int
    confidence: float | None
    accuracy: float | None

    @property
    def gap(self) -> float:
        """Distance between mean score and share of right ones; 0 where there are none."""
        if self.confidence is None or self.accuracy is None:
            return 0.0
        return abs(self.accuracy - self.confidence)


@dataclass(frozen=True)
class Calibration:
    """Answers by score.

    Attributes:
        bins: of equal width, from 0 to 1.
        count: of all answers.
        error: expected calibration error: the mean of the gaps, weighted by the counts.
        largest: the largest gap of a bin (maximum calibration error).
    """

    bins: tuple[Bin, ...]
    count: int
    error: float
    largest: float


def calibration(scores: Any, right: Any, bins: int = 10) -> Calibration:
    """Sort answers into bins by score and compare scores with the share of right ones.

    Args:
        scores: ``[N]``, 0 to 1.
        right: bool ``[N]``, whether each answer is right.
        bins: how many, 1 to ``MOST_BINS``.

    Raises:
        UserError: no answers, scores outside 0 to 1, or a number of bins that cannot be.
    """
    values = np.asarray(scores, np.float64).reshape(-1)
    hits = np.asarray(right, bool).reshape(-1)
    if not len(values):
        raise UserError("Calibration needs at least one answer with a score.")
    if len(values) != len(hits):
        raise UserError(f"There are {len(values)} scores and {len(hits)} answers; as many must be.")
    if not ((values >= 0) & (values <= 1)).all():
        raise UserError("Every score must lie between 0 and 1.")
    if not 1 <= bins <= MOST_BINS:
        raise UserError(f"There can be 1 to {MOST_BINS} bins, not {bins}.")
    edges = np.linspace(0, 1, bins + 1)
    place = np.searchsorted(edges[1:-1], values, side="left")
    made = tuple(
        _bin(edges[i], edges[i + 1], values[place == i], hits[place == i]) for i in range(bins)
    )
    error = sum(one.count * one.gap for one in made) / len(values)
    return Calibration(made, len(values), error, max(one.gap for one in made))


def _bin(low: float, high: float, scores: np.ndarray, right: np.ndarray) -> Bin:
    if not len(scores):
        return Bin(float(low), float(high), 0, None, None)
    return Bin(float(low), float(high), len(scores), float(scores.mean()), float(right.mean()))
