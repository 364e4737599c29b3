"""Groups of points: k-means from the starts of k-means++; points of a gallery in a plane."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vision_core.space import maps

_TRIES = 100
_ROUNDS = 300


@dataclass(frozen=True, eq=False)
class Clusters:
    """Groups of N points.

    Attributes:
        labels: int64 [N], the group of each point, 0 to K - 1.
        centres: float64 [K, D], the mean of each group.
        inertia: sum of the squared distances of all points to the centres of their groups.
    """

    labels: np.ndarray
    centres: np.ndarray
    inertia: float

    def members(self, group: int, points: np.ndarray) -> list[int]:
        """The points of a group, those closest to its centre first."""
        rows = np.flatnonzero(self.labels == group)
        away = ((np.asarray(points, np.float64)[rows] - self.centres[group]) ** 2).sum(1)
        return [int(row) for row in rows[np.argsort(away, kind="stable")]]


def lloyd(points: np.ndarray, centres: np.ndarray) -> Clusters:
    """k-means from given centres, until no point changes its group (Lloyd 1982).

    A group that loses all its points gets the point that lies farthest from its own centre.

    Args:
        points: [N, D].
        centres: [K, D], K at most N.
    """
    points, centres = np.asarray(points, np.float64), np.asarray(centres, np.float64).copy()
    labels = np.full(len(points), -1)
    for _ in range(_ROUNDS):
        away = ((points[:, None] - centres) ** 2).sum(2)
        now = away.argmin(1)
        for group in set(range(len(centres))) - set(now.tolist()):
            lone = np.bincount(now, minlength=len(centres))[now] == 1
            own = np.where(lone, -1.0, away[np.arange(len(points)), now])
            now[own.argmax()] = group
        if (now == labels).all():
            break
        labels = now
        centres = np.stack([points[labels == g].mean(0) for g in range(len(centres))])
    return Clusters(labels, centres, float(((points - centres[labels]) ** 2).sum()))


def kmeans(points: np.ndarray, count: int, seed: int = 0) -> Clusters:
    """The best of some runs of k-means, each from starts by k-means++ (Arthur and Vassilvitskii
    2007); the largest group comes first.

    Args:
        points: [N, D].
        count: of groups, 1 to N.
        seed: of the starts.

    Raises:
        ValueError: another number of groups.
    """
    points = np.asarray(points, np.float64)
    if not 1 <= count <= len(points):
        raise ValueError(f"{len(points)} points make 1 to {len(points)} groups, not {count}")
    rng = np.random.default_rng(seed)
    runs = [lloyd(points, _spread_out(points, count, rng)) for _ in range(_TRIES)]
    best = min(runs, key=lambda run: run.inertia)
    order = np.argsort(-np.bincount(best.labels, minlength=count), kind="stable")
    return Clusters(np.argsort(order)[best.labels], best.centres[order], best.inertia)


def _spread_out(points: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Starts: each next one by chance, the more likely the farther from those that are there."""
    chosen = [int(rng.integers(len(points)))]
    while len(chosen) < count:
        away = ((points[:, None] - points[chosen]) ** 2).sum(2).min(1)
        away[chosen] = 0
        if away.sum() > 0:
            chosen.append(int(rng.choice(len(points), p=away / away.sum())))
        else:  # all others lie where a start is
            chosen.append(next(i for i in range(len(points)) if i not in chosen))
    return np.asarray(points[chosen])


def in_a_plane(features: np.ndarray) -> np.ndarray:
    """Points [N, D] in two dimensions: by t-SNE, and as they lie by PCA where they are too few.

    Returns:
        float64 [N, 2].
    """
    if len(features) < 4:
        return maps.pca(features).points
    *_, last = maps.tsne(features, min(30.0, maps.most_perplexity(len(features))))
    return last.points
