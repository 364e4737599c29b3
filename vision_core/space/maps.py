"""Maps of points: PCA, and t-SNE (van der Maaten and Hinton 2008) without approximations.

The gradient of t-SNE needs all pairs, so that a gallery of 500 pictures costs 250,000 terms a step;
faster methods (Barnes-Hut, FIt-SNE) pay from thousands of points on. Learning rate, exaggeration
and momentum are those of scikit-learn 1.5 (``learning_rate="auto"``, ``init="pca"``).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

STEPS, EXAGGERATED = 750, 250
_EXAGGERATION = 12.0
_TINY = 1e-12
_EVERY = 25
_HALVINGS = 64


@dataclass(frozen=True, eq=False)
class Principal:
    """A principal component analysis.

    Attributes:
        mean: float64 [D].
        axes: float64 [2, D], orthonormal.
        share: float64 [2], of the variance along each axis, 0..1.
        points: float64 [N, 2].
    """

    mean: np.ndarray
    axes: np.ndarray
    share: np.ndarray
    points: np.ndarray

    def place(self, x: np.ndarray) -> np.ndarray:
        """New rows [M, D] on the same axes, float64 [M, 2]."""
        return np.asarray((np.asarray(x, np.float64) - self.mean) @ self.axes.T)


@dataclass(frozen=True, eq=False)
class Embedding:
    """How far a t-SNE is.

    Attributes:
        done, total: steps.
        points: float64 [N, 2].
        divergence: KL(P || Q) in nats, without exaggeration.
    """

    done: int
    total: int
    points: np.ndarray
    divergence: float


def pca(x: np.ndarray) -> Principal:
    """The two axes along which rows [N, D] vary most; the greatest part of an axis is positive.

    With fewer than three rows, or none that differ, the missing axes are zero.
    """
    x = np.asarray(x, np.float64)
    mean = x.mean(0)
    _, values, axes = np.linalg.svd(x - mean, full_matrices=False)
    axes, values = axes[:2], values**2
    if len(axes) < 2:
        axes = np.pad(axes, ((0, 2 - len(axes)), (0, 0)))
    whole = float(values.sum())
    share = np.pad(values, (0, 2))[:2] / whole if whole > 0 else np.zeros(2)
    axes = np.where(share[:, None] > 0, axes, 0.0)
    largest = np.abs(axes).argmax(1)
    axes = axes * np.where(axes[[0, 1], largest] < 0, -1.0, 1.0)[:, None]
    return Principal(mean, axes, share, (x - mean) @ axes.T)


def most_perplexity(count: int) -> float:
    """The greatest perplexity that so many points allow: each needs three times as many others."""
    return max(1.0, (count - 1) / 3)


def conditional(squared: np.ndarray, perplexity: float) -> np.ndarray:
    """Gaussian neighbour probabilities of each row, each with the given perplexity.

    Args:
        squared: float64 [M, N], squared distances; ``inf`` where a point is not its own neighbour.
        perplexity: 2 to the entropy (in bits) of a row's probabilities.

    Returns:
        float64 [M, N], rows add up to 1.
    """
    nearest = np.min(squared, axis=1, keepdims=True)
    shifted = np.where(np.isinf(squared), np.inf, squared - nearest)
    wanted = math.log(perplexity)
    spread = np.where(np.isinf(shifted), 0, shifted).mean(1)
    beta = 1 / np.maximum(spread, _TINY)
    low, high = np.zeros(len(beta)), np.full(len(beta), np.inf)
    for _ in range(_HALVINGS):
        weights = np.exp(-shifted * beta[:, None])
        total = weights.sum(1)
        mean = (np.where(weights > 0, shifted, 0) * weights).sum(1) / total
        entropy = np.log(total) + beta * mean
        wide = entropy > wanted  # too many neighbours: narrower
        low, high = np.where(wide, beta, low), np.where(wide, high, beta)
        beta = np.where(np.isinf(high), beta * 2, (low + high) / 2)
    weights = np.exp(-shifted * beta[:, None])
    return np.asarray(weights / weights.sum(1, keepdims=True))


def joint(x: np.ndarray, perplexity: float) -> np.ndarray:
    """The symmetric probabilities P of t-SNE, float64 [N, N], zero diagonal, sum 1."""
    squared = _squared(x, x)
    np.fill_diagonal(squared, np.inf)
    p = conditional(squared, perplexity)
    return np.asarray((p + p.T) / (2 * len(p)))


def gradient(p: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, float]:
    """The gradient of KL(P || Q) in the points [N, 2], and the divergence itself."""
    kernel = 1 / (1 + _squared(points, points))
    np.fill_diagonal(kernel, 0)
    q = kernel / kernel.sum()
    pull = (p - q) * kernel
    slope = 4 * (pull.sum(1)[:, None] * points - pull @ points)
    seen = p > 0
    logs = np.log(p[seen] / np.maximum(q[seen], _TINY))
    return slope, float((p[seen] * logs).sum())


def tsne(x: np.ndarray, perplexity: float = 30.0, steps: int = STEPS) -> Iterator[Embedding]:
    """A t-SNE, some steps at a time; it begins with the PCA and so gives the same map each time.

    Args:
        x: points [N, D], at least 4 of them.
        perplexity: about how many neighbours count; at most ``most_perplexity``.
        steps: of gradient descent, of which the first third is exaggerated.

    Yields:
        the map after every 25 steps and after the last.

    Raises:
        ValueError: too few points.
    """
    if len(x) < 4:
        raise ValueError("a t-SNE needs at least 4 points")
    p = joint(x, min(perplexity, most_perplexity(len(x))))
    start = pca(x).points
    spread = float(start[:, 0].std())
    points = start / spread * 1e-4 if spread > 0 else start
    # Points that are equal would stay together for ever; a pattern without chance parts them.
    points = points + 1e-6 * np.stack([np.sin(np.arange(len(x))), np.cos(np.arange(len(x)))], 1)
    rate = max(len(x) / _EXAGGERATION / 4, 50.0)
    move, gains = np.zeros_like(points), np.ones_like(points)
    early = min(EXAGGERATED, steps // 3)
    for step in range(1, steps + 1):
        exaggerated = step <= early
        slope, _ = gradient(p * _EXAGGERATION if exaggerated else p, points)
        against = slope * move < 0
        gains = np.maximum(np.where(against, gains + 0.2, gains * 0.8), 0.01)
        move = (0.5 if exaggerated else 0.8) * move - rate * gains * slope
        points = points + move
        points = points - points.mean(0)
        if step % _EVERY == 0 or step == steps:
            yield Embedding(step, steps, points.copy(), gradient(p, points)[1])


def place(
    new: np.ndarray,
    x: np.ndarray,
    points: np.ndarray,
    perplexity: float = 5.0,
    steps: int = 250,
) -> np.ndarray:
    """New points in a map that stands: only they move (as openTSNE's ``transform`` has it).

    Each new point minimises the divergence of its own neighbour probabilities, among the old points
    alone, from those of the map. It begins at the median of its nearest neighbours.

    Args:
        new: [M, D].
        x: [N, D], the points of the map, at least 4.
        points: float64 [N, 2], where they lie.
        perplexity: of the new points; small, since each is to find its closest kin.
        steps: of gradient descent.

    Returns:
        float64 [M, 2].
    """
    squared = _squared(new, x)
    p = conditional(squared, min(perplexity, most_perplexity(len(x) + 1)))
    near = np.argsort(squared, axis=1)[:, : max(1, min(int(perplexity), len(x)))]
    placed = np.median(points[near], axis=1)
    best, least = placed.copy(), divergences(p, placed, points)
    rate = 0.1 * float(points.std()) ** 2 + _TINY
    for _ in range(steps):
        away = placed[:, None] - points
        kernel = 1 / (1 + (away**2).sum(2))
        q = kernel / kernel.sum(1, keepdims=True)
        slope = 2 * (((p - q) * kernel)[..., None] * away).sum(1)
        tried = placed - rate * slope
        now = divergences(p, tried, points)
        better = now < least
        least, best = np.where(better, now, least), np.where(better[:, None], tried, best)
        placed = np.where(better[:, None], tried, best)
        if not better.any():
            rate /= 2
    return best


def divergences(p: np.ndarray, placed: np.ndarray, points: np.ndarray) -> np.ndarray:
    """KL of each new point's probabilities [M, N] from those of its place in a map, float64 [M]."""
    kernel = 1 / (1 + _squared(placed, points))
    q = kernel / kernel.sum(1, keepdims=True)
    logs = np.log(np.maximum(p, _TINY) / np.maximum(q, _TINY))
    return np.asarray(np.where(p > 0, p * logs, 0).sum(1))


def _squared(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Squared distances of rows, float64 [M, N]."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    squared = (a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T
    return np.maximum(squared, 0)
