"""Detections of two models, matched one to one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from vision_core.labels import comparable
from vision_core.records import Detections
from vision_core.selection.nms import iou_matrix

SAME = 0.5
"""IoU from which two boxes stand for the same object, the threshold of Pascal VOC."""
NEAR = 0.1
"""IoU from which a box of the same class counts as shifted, not as another object."""
KINDS = ("both", "other_class", "shifted", "only_a", "only_b")


@dataclass(frozen=True)
class Pair:
    """What became of a detection, or of two.

    Attributes:
        kind: one of ``KINDS``.
        a, b: rows of the two sets of detections; ``None`` where there is none.
        iou: of the two boxes, 0 where one is alone.
    """

    kind: str
    a: int | None
    b: int | None
    iou: float = 0.0


@dataclass(frozen=True)
class BoxComparison:
    """All detections of two models, each in exactly one pair.

    Attributes:
        pairs: in the order of ``KINDS``, the best overlaps of each kind first.
        f1: agreement, the F1 score of one set against the other; 1 where both are empty.
    """

    pairs: tuple[Pair, ...]
    f1: float

    def of(self, kind: str) -> tuple[Pair, ...]:
        """The pairs of one kind."""
        return tuple(pair for pair in self.pairs if pair.kind == kind)

    def counts(self) -> dict[str, int]:
        """How many pairs of each kind."""
        return {kind: len(self.of(kind)) for kind in KINDS}


def compare_boxes(a: Detections, b: Detections) -> BoxComparison:
    """Match two sets of detections one to one, by IoU and class.

    First as many as possible of one class with an IoU of ``SAME`` or more (among those matchings
    the one with the greatest sum of IoUs), then of what is left those of another class at the same
    place, then those of one class that only overlap. Exchanging a and b exchanges the answer.

    Args:
        a, b: detections in pixels of the same photo; classes are compared by name, with aliases.
    """
    overlap = iou_matrix(a.boxes.astype(np.float32), b.boxes.astype(np.float32))
    names_a, names_b = ([comparable(n) for n in d.labels] for d in (a, b))
    same = np.array([[x == y for y in names_b] for x in names_a], bool).reshape(overlap.shape)
    free_a, free_b = np.ones(len(names_a), bool), np.ones(len(names_b), bool)
    pairs: list[Pair] = []
    for kind, fits in (
        ("both", same & (overlap >= SAME)),
        ("other_class", ~same & (overlap >= SAME)),
        ("shifted", same & (overlap >= NEAR)),
    ):
        fits = fits & free_a[:, None] & free_b[None]
        for i, j in _most(fits, overlap):
            free_a[i] = free_b[j] = False
            pairs.append(Pair(kind, i, j, float(overlap[i, j])))
    pairs += [Pair("only_a", int(i), None) for i in np.flatnonzero(free_a)]
    pairs += [Pair("only_b", None, int(j)) for j in np.flatnonzero(free_b)]
    found = sum(p.kind == "both" for p in pairs)
    total = len(names_a) + len(names_b)
    return BoxComparison(tuple(pairs), 2 * found / total if total else 1.0)


def _most(fits: np.ndarray, overlap: np.ndarray) -> list[tuple[int, int]]:
    """As many pairs as can be, with the greatest sum of IoUs, greatest IoU first."""
    if not fits.any():
        return []
    # one more pair always weighs more than any gain in IoU
    weight = np.where(fits, overlap.astype(np.float64) + len(fits) + fits.shape[1], 0.0)
    rows, columns = linear_sum_assignment(weight, maximize=True)
    chosen = [(int(i), int(j)) for i, j in zip(rows, columns, strict=True) if fits[i, j]]
    return sorted(chosen, key=lambda p: -overlap[p])


def agreement_curve(a: Detections, b: Detections, thresholds: np.ndarray) -> np.ndarray:
    """F1 of one against the other when both keep only scores above a threshold.

    Args:
        a, b: detections at the lowest threshold that is asked for.
        thresholds: float ``[T]``.

    Returns:
        float ``[T]``.
    """
    return np.array(
        [compare_boxes(_above(a, float(t)), _above(b, float(t))).f1 for t in thresholds]
    )


def _above(found: Detections, threshold: float) -> Detections:
    rows = np.flatnonzero(found.scores > threshold)
    return Detections(
        found.candidate[rows],
        found.boxes[rows],
        found.scores[rows],
        found.label_ids[rows],
        tuple(found.labels[i] for i in rows),
    )
