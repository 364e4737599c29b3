"""Scores that compare a map with a box: the pointing game and the energy in the box."""

from __future__ import annotations

import numpy as np

from vision_core.league.boxes import Corners
from vision_core.league.columns import TOLERANCE
from vision_core.league.maps import InputMap


def pointing(found: InputMap, box: Corners, tolerance: float = TOLERANCE) -> float:
    """The pointing game (Zhang et al. 2018): does the largest value lie in the box?

    Args:
        found: a map.
        box: photo pixels.
        tolerance: how far beside the box the middle of a pixel may lie, photo pixels.

    Returns:
        1 or 0; of several places with the same largest value the share that counts. 0 for a map
        without a positive value.
    """
    values, (x, y) = found.values, found.middles()
    highest = values.max(initial=0.0)
    if highest <= 0:
        return 0.0
    rows, columns = np.nonzero(values == highest)
    return float((_distance(x[columns], y[rows], box) <= tolerance).mean())


def energy(found: InputMap, box: Corners) -> float:
    """The share of the positive values in the box (Wang et al. 2020), 0 to 1.

    Args:
        found: a map.
        box: photo pixels; a pixel belongs to it where its middle does.

    Returns:
        0 for a map without a positive value.
    """
    x, y = found.middles()
    positive = np.maximum(found.values, 0).astype(np.float64)
    total = positive.sum()
    if not total:
        return 0.0
    rows = (y >= box[1]) & (y <= box[3])
    columns = (x >= box[0]) & (x <= box[2])
    return float(positive[np.ix_(rows, columns)].sum() / total)


def by_chance(found: InputMap, box: Corners, tolerance: float = TOLERANCE) -> tuple[float, float]:
    """Pointing game and energy that a map without any order has on average.

    The shares of the seen pixels that lie within the tolerance of the box, and in it.
    """
    x, y = found.middles()
    distance = _distance(x[None, :], y[:, None], box)
    return float((distance <= tolerance).mean()), float((distance <= 0).mean())


def _distance(x: np.ndarray, y: np.ndarray, box: Corners) -> np.ndarray:
    """How far points lie from a box; 0 within it."""
    across = np.maximum(np.maximum(box[0] - x, x - box[2]), 0)
    down = np.maximum(np.maximum(box[1] - y, y - box[3]), 0)
    return np.hypot(across, down)
