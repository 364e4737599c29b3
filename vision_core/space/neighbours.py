"""The nearest pictures of a picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

Metric = Literal["euclidean", "cosine"]
METRICS: tuple[Metric, ...] = ("euclidean", "cosine")


@dataclass(frozen=True, eq=False)
class Nearest:
    """Neighbours, nearest first.

    Attributes:
        index: int64 [K], rows of the gallery.
        distance: float64 [K].
    """

    index: np.ndarray
    distance: np.ndarray


def distances(x: np.ndarray, to: np.ndarray, metric: Metric = "euclidean") -> np.ndarray:
    """How far each row of ``x`` [N, D] is from ``to`` [D], float64 [N].

    ``cosine`` is 1 minus the cosine of the angle: 0 for the same direction. A row of zeros has no
    direction; its distance is 1.
    """
    x, to = np.asarray(x, np.float64), np.asarray(to, np.float64)
    if metric == "euclidean":
        return np.asarray(np.sqrt(((x - to) ** 2).sum(1)))
    lengths = np.linalg.norm(x, axis=1) * np.linalg.norm(to)
    cosine = np.divide(x @ to, lengths, out=np.zeros(len(x)), where=lengths > 0)
    return np.asarray(1 - cosine)


def nearest(
    x: np.ndarray,
    to: np.ndarray,
    count: int,
    metric: Metric = "euclidean",
    without: int | None = None,
) -> Nearest:
    """The ``count`` nearest rows of ``x`` [N, D] to a vector [D].

    Args:
        x: a gallery.
        to: the query.
        count: of neighbours; fewer where the gallery is smaller.
        metric: one of ``METRICS``.
        without: a row that is left out: the query itself.
    """
    far = distances(x, to, metric)
    order = np.argsort(far, kind="stable")
    order = order[order != without][:count] if without is not None else order[:count]
    return Nearest(order, far[order])


def agreement(labels: list[str], found: Nearest, label: str) -> float:
    """The share of neighbours that have the query's class; 0 where there are none."""
    same = [labels[i] == label for i in found.index]
    return sum(same) / len(same) if same else 0.0
