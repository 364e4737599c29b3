"""Joints of detections."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True, eq=False)
class Keypoints:
    """Joints of some detections.

    Attributes:
        xy: float32 [K, J, 2], photo pixels.
        scores: float32 [K, J].
        score_kind: what the scores are: ``heatmap logit``, ``probability``, or ``none`` where
            the network gives none and 1.0 stands in their place.
        names: J joint names.
        skeleton: pairs of joint indices that a limb connects.
    """

    xy: np.ndarray
    scores: np.ndarray
    score_kind: str
    names: tuple[str, ...]
    skeleton: tuple[tuple[int, int], ...] = field(default=())
