"""Who is first: ranks by each score, and by the mean of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vision_core.league.boxes import Corners
from vision_core.league.columns import COLUMNS, Criterion
from vision_core.league.competitor import Competitor


@dataclass(frozen=True)
class Ranked:
    """The places of one method.

    Attributes:
        ranks: by score, 1 for the best; equal ones share the mean of their places. A score that
            could not be measured has none.
        mean: of its ranks; ``None`` without any.
        place: by the mean, 1 for the best; equal ones share the first of their places.
    """

    ranks: Mapping[str, float]
    mean: float | None
    place: int | None


def ranked(
    scores: Sequence[Mapping[str, float | None]], columns: Sequence[Criterion] = COLUMNS
) -> list[Ranked]:
    """Rank methods by each score and by the mean of these ranks.

    Args:
        scores: of each method, by the names of ``columns``; ``None`` or missing where it could not
            be measured. Equal up to rounding counts as equal.
        columns: which count.
    """
    from scipy.stats import rankdata  # see ``sanity``

    ranks: list[dict[str, float]] = [{} for _ in scores]
    for column in columns:
        told = [(i, s[column.name]) for i, s in enumerate(scores) if s.get(column.name) is not None]
        values = np.array([value for _, value in told], np.float64).round(9)
        for (i, _), rank in zip(told, rankdata(-values if column.high else values), strict=True):
            ranks[i][column.name] = float(rank)
    means = [float(np.mean(list(r.values()))) if r else None for r in ranks]
    known = sorted(m for m in means if m is not None)
    places = [None if m is None else 1 + sum(k < m - 1e-9 for k in known) for m in means]
    return [Ranked(r, m, p) for r, m, p in zip(ranks, means, places, strict=True)]


@dataclass(frozen=True, eq=False)
class Standing:
    """A row of the table.

    Attributes:
        competitor: the method, or the control.
        scores: by the names of ``COLUMNS``.
        ranked: its places; of the control and of who failed, none.
    """

    competitor: Competitor
    scores: Mapping[str, float | None]
    ranked: Ranked


def standings(competitors: Sequence[Competitor], box: Corners | None) -> list[Standing]:
    """The table: the best first, then those without a place, then the control.

    Args:
        competitors: as far as they are.
        box: of what is explained; without one two scores are missing.
    """
    scores = [c.scores(box) for c in competitors]
    counted = [{} if c.control or c.error else s for c, s in zip(competitors, scores, strict=True)]
    rows = [Standing(*row) for row in zip(competitors, scores, ranked(counted), strict=True)]
    return sorted(rows, key=lambda r: (r.competitor.control, r.ranked.place or len(rows) + 1))
