"""How many anchors two IoU limits make positive, negative and ignored: a table for all limits.

The best IoU of every anchor does not depend on the limits, and neither does which anchors
torchvision's ``Matcher`` takes in any case (low-quality matches). So the counts at every limit
follow from two cumulative counts over a grid of limits; a browser can add them up while a slider
moves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vision_core.inside.assignment import Assignment, assign
from vision_core.inside.opened import Opened

STEPS = 100
"""Limits from 0 to 1 in so many steps."""
_NEVER = 2.0  # no IoU reaches this limit: what is positive is taken in any case


@dataclass(frozen=True, eq=False)
class LimitTable:
    """Cumulative counts of anchors over limits.

    Attributes:
        grid: float64 [G], the limits, rising from 0 to 1.
        below: int64 [G], anchors whose best IoU lies below each limit.
        forced: int64 [G], those of them that are taken in any case.
        total: all anchors.
        single: whether there is one limit alone, as for SSD, and nothing is ignored.
    """

    grid: np.ndarray
    below: np.ndarray
    forced: np.ndarray
    total: int
    single: bool = False

    def counts(self, high: float, low: float) -> dict[str, int]:
        """As ``Assignment.counts`` at two limits of the grid, ``low`` at most ``high``.

        Raises:
            ValueError: a limit is not in the grid.
        """
        at = [np.flatnonzero(self.grid == limit) for limit in (high, high if self.single else low)]
        if not all(len(found) for found in at):
            raise ValueError("both limits must be in the grid")
        up, down = (int(found[0]) for found in at)
        below, forced = self.below.tolist(), self.forced.tolist()
        return {
            "positive": self.total - below[up] + forced[up],
            "negative": below[down] - forced[down],
            "ignored": below[up] - below[down] - (forced[up] - forced[down]),
            "forced": forced[up],
        }


def limit_table(
    opened: Opened, truth: Any, extra: Sequence[float] = (), single: bool = False
) -> LimitTable:
    """The counts of anchors at every limit.

    Args:
        opened: a detector whose anchors are labelled by IoU (``assignment.limits`` is not None).
        truth: true boxes [M, 4], photo pixels, at least one.
        extra: further limits, 0..1, that shall be in the grid.
        single: the network has one limit.
    """
    return table_of(assign(opened, truth, _NEVER, _NEVER), extra, single)


def table_of(never: Assignment, extra: Sequence[float] = (), single: bool = False) -> LimitTable:
    """The table of an assignment at limits that no IoU reaches.

    PyTorch compares a float32 tensor with a number in float32; so does this.
    """
    grid = np.unique([*(np.arange(STEPS + 1) / STEPS), *(float(v) for v in extra)])
    limits = grid.astype(np.float32)

    def below(overlap: np.ndarray) -> np.ndarray:
        return np.searchsorted(np.sort(overlap), limits, side="left")

    return LimitTable(
        grid, below(never.overlap), below(never.overlap[never.forced]), len(never.match), single
    )
