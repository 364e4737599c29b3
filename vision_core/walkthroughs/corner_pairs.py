"""CornerNet's pairing: which top-left and which bottom-right corner belong to one object."""

from __future__ import annotations

from typing import Any

import numpy as np

from vision_core.errors import UserError
from vision_core.walkthroughs import params
from vision_core.walkthroughs.record import RawTerm, Recorder, at, check_terms, num
from vision_core.walkthroughs.types import Array, Cell, Walkthrough

_MAPS = ("top_left", "bottom_right", "embedding_top_left", "embedding_bottom_right")


def corner_pairs(
    top_left: Any,
    bottom_right: Any,
    embedding_top_left: Any,
    embedding_bottom_right: Any,
    k: Any = 3,
    distance: Any = 0.5,
) -> Walkthrough:
    """Pairs of corners by the distance of their embeddings (Law and Deng 2018, section 3.4).

    The k highest cells of each heat map are corners. A pair is a box where the embeddings differ
    by at most ``distance`` and the bottom-right corner lies right of and below the other one; its
    score is the mean of the two heats. The paper takes k = 100 and 0.5, and local maxima only.

    Args:
        top_left, bottom_right: H x W heat maps of one class, corner probabilities.
        embedding_top_left, embedding_bottom_right: H x W numbers, one embedding for each cell.
        k: corners of each kind.
        distance: the greatest difference of the embeddings of one object, 0 or more.

    Returns:
        reduction ``keep``; the output is k x k, row i the i-th best top-left corner, column j the
        j-th best bottom-right corner: the score of the box, 0 where they are no pair. ``facts``:
        ``pairs`` (row, column, score and [x1, y1, x2, y2] in cells, best first), ``corners``.

    Raises:
        UserError: numbers that do not fit.
    """
    given = (top_left, bottom_right, embedding_top_left, embedding_bottom_right)
    maps = {
        name: params.numbers(value, name, (2,)) for name, value in zip(_MAPS, given, strict=True)
    }
    shapes = {value.shape for value in maps.values()}
    if len(shapes) > 1:
        raise UserError("The two heat maps and the two maps of embeddings must have one shape.")
    limit = params.number(distance, "distance")
    if limit < 0:
        raise UserError(f"distance must be 0 or more, and {limit:g} is not.")
    count = params.whole(k, "k", 1)
    size = maps["top_left"].size
    count = min(count, size)
    check_terms(count * count)
    first, second = (_highest(maps[name], count) for name in _MAPS[:2])
    recorder = Recorder((count, count), "keep")
    pairs = []
    for i, a in enumerate(first):
        for j, b in enumerate(second):
            score, text = _pair(maps, a, b, limit)
            reads = ((_MAPS[0], a), (_MAPS[1], b), (_MAPS[2], a), (_MAPS[3], b))
            half = 0.5 if score else 0.0  # the embeddings decide, the heats make the score
            term = RawTerm(score, reads, (half, half, 0.0, 0.0))
            recorder.step([((i, j), [term])], text)
            if score:
                box = [a[1], a[0], b[1], b[0]]
                pairs.append({"row": i, "column": j, "score": score, "box": box})
    return recorder.finish(
        "corner_pairs",
        {name: ("input", values) for name, values in maps.items()},
        ("a pair: |embedding - embedding| <= distance, the second corner right of and below",),
        {
            "pairs": sorted(pairs, key=lambda pair: -float(pair["score"])),
            "corners": {"top_left": first, "bottom_right": second},
        },
    )


def _highest(heat: Array, count: int) -> list[Cell]:
    """The cells with the highest values; of equal ones the first in reading order."""
    order = np.argsort(-heat, axis=None, kind="stable")[:count]
    rows, columns = np.unravel_index(order, heat.shape)
    return [(int(r), int(c)) for r, c in zip(rows, columns, strict=True)]


def _pair(maps: dict[str, Array], a: Cell, b: Cell, limit: float) -> tuple[float, str]:
    """The score of one pair, 0 for none, and why."""
    away = abs(float(maps[_MAPS[2]][a]) - float(maps[_MAPS[3]][b]))
    heats = float(maps[_MAPS[0]][a]), float(maps[_MAPS[1]][b])
    who = f"top-left {at(a)} with bottom-right {at(b)}: "
    if not (b[0] > a[0] and b[1] > a[1]):
        return 0.0, who + "the second does not lie right of and below the first, no box"
    said = f"embeddings differ by {num(away)}"
    if away > limit:
        return 0.0, f"{who}{said} > {num(limit)}, two objects"
    score = (heats[0] + heats[1]) / 2
    return score, f"{who}{said} <= {num(limit)}, a box with score {num(score)}"
