"""Object keypoint similarity: how near two sets of joints lie, by COCO's measure. No PyTorch here.

Source: COCO's keypoint evaluation, cocodataset.org/#keypoints-eval (``computeOks``).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

# COCO's spread of human labels for each joint, as a share of the object's scale.
SIGMAS = {
    "nose": 0.026,
    "eye": 0.025,
    "ear": 0.035,
    "shoulder": 0.079,
    "elbow": 0.072,
    "wrist": 0.062,
    "hip": 0.107,
    "knee": 0.087,
    "ankle": 0.089,
}


def spreads(names: Sequence[str]) -> np.ndarray:
    """COCO's k = 2 sigma of each joint, float64 ``[J]``; NaN for joints that COCO has not."""
    return np.array([2 * SIGMAS.get(name.split("_")[-1], np.nan) for name in names])


def similarities(distances: np.ndarray, area: float, names: Sequence[str]) -> np.ndarray:
    """exp(-d^2 / (2 s^2 k^2)) of each joint, float64 ``[J]``; NaN for joints that COCO has not.

    Args:
        distances: ``[J]``, pixels.
        area: s^2 of the person, square pixels, above 0.
        names: of the joints.
    """
    spread = spreads(names)
    terms: np.ndarray = np.exp(-(np.asarray(distances, np.float64) ** 2) / (2 * area * spread**2))
    return terms
