"""Scores of a class map, each with the formula and its numbers filled in.

Sources: Long, Shelhamer, Darrell: "Fully Convolutional Networks for Semantic Segmentation" (2015)
for pixel accuracy, mean accuracy and mean IoU; Dice (1945), which is F1.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from vision_core.errors import UserError

IGNORED = -1
"""Truth of a pixel that does not count."""
_LISTED = 4
"""Terms of a sum that are written out."""


@dataclass(frozen=True)
class Formula:
    """A score in words.

    Attributes:
        name: of the score.
        rule: its definition in letters.
        numbers: the same with the numbers filled in.
        value: 0 to 1; ``None`` where the denominator is 0.
    """

    name: str
    rule: str
    numbers: str
    value: float | None


@dataclass(frozen=True)
class ClassCounts:
    """Pixels of one class against all others: true and false positives and negatives."""

    tp: int
    fp: int
    fn: int
    tn: int

    def formulas(self) -> tuple[Formula, ...]:
        """IoU, precision, recall, and F1, which is Dice."""
        tp, fp, fn = self.tp, self.fp, self.fn
        return (
            _formula("IoU (Jaccard)", "TP / (TP + FP + FN)", tp, (tp, fp, fn)),
            _formula("Precision", "TP / (TP + FP)", tp, (tp, fp)),
            _formula("Recall", "TP / (TP + FN)", tp, (tp, fn)),
            _formula("F1 = Dice", "2 TP / (2 TP + FP + FN)", 2 * tp, (2 * tp, fp, fn)),
        )


@dataclass(frozen=True, eq=False)
class PixelScores:
    """A class map against a truth.

    Attributes:
        labels: C class names.
        table: int64 ``[C, C]``, pixels by (true class, predicted class); those without a truth
            do not count.
    """

    labels: tuple[str, ...]
    table: np.ndarray

    @cached_property
    def present(self) -> tuple[int, ...]:
        """Classes that occur in the truth or in the map."""
        return tuple(np.flatnonzero(self.table.sum(0) + self.table.sum(1)).tolist())

    def of(self, index: int) -> ClassCounts:
        """The pixels of a class against all others."""
        tp = int(self.table[index, index])
        said, true = int(self.table[:, index].sum()), int(self.table[index].sum())
        return ClassCounts(tp, said - tp, true - tp, int(self.table.sum()) - said - true + tp)

    def formulas(self) -> tuple[Formula, ...]:
        """Pixel accuracy, mean pixel accuracy and mean IoU.

        The mean accuracy is over the classes of the truth, the mean IoU over those that occur in
        the truth or in the map.
        """
        right = [int(self.table[i, i]) for i in self.present]
        total = int(self.table.sum())
        recalls = [self._score(i, 2) for i in self.present if self.table[i].sum()]
        overlaps = [self._score(i, 0) for i in self.present]
        accuracy = Formula(
            "Pixel accuracy",
            "right pixels / all pixels",
            f"({_sum(f'{n:,}' for n in right)}) / {total:,}",
            sum(right) / total if total else None,
        )
        return (
            accuracy,
            _mean("Mean pixel accuracy", "mean of the recall of each class", recalls),
            _mean("Mean IoU", "mean of the IoU of each class", overlaps),
        )

    def _score(self, index: int, which: int) -> float:
        value = self.of(index).formulas()[which].value
        assert value is not None  # the class occurs
        return value


def pixel_scores(truth: np.ndarray, predicted: np.ndarray, labels: Sequence[str]) -> PixelScores:
    """Count the pixels of a class map by their true class.

    Args:
        truth: int ``[H, W]``, classes from 0 on; negative pixels do not count.
        predicted: int ``[H, W]``, classes from 0 on.
        labels: of the classes.

    Raises:
        UserError: the sizes differ, or no pixel counts.
    """
    if truth.shape != predicted.shape:
        raise UserError(
            f"The truth has {truth.shape[1]} x {truth.shape[0]} pixels and the class map "
            f"{predicted.shape[1]} x {predicted.shape[0]}; they must have one size."
        )
    counted = truth >= 0
    if not counted.any():
        raise UserError(
            "No pixel of the truth has a class that the network knows; draw or assign one."
        )
    size = len(labels)
    index = truth[counted].astype(np.int64) * size + predicted[counted]
    table = np.bincount(index, minlength=size * size).reshape(size, size)
    return PixelScores(tuple(labels), table)


def lit(truth: np.ndarray, predicted: np.ndarray, index: int, which: str) -> np.ndarray:
    """The pixels behind a number.

    Args:
        truth, predicted: as ``pixel_scores`` takes them.
        index: of a class.
        which: ``TP``, ``FP`` or ``FN`` of that class.

    Returns:
        bool ``[H, W]``.
    """
    true, said, counted = truth == index, predicted == index, truth >= 0
    masks = {"TP": true & said, "FP": said & ~true & counted, "FN": true & ~said}
    return np.asarray(masks[which])


def _formula(name: str, rule: str, part: int, whole: Sequence[int]) -> Formula:
    numbers = f"{part:,} / ({' + '.join(f'{n:,}' for n in whole)})"
    total = sum(whole)
    return Formula(name, rule, numbers, part / total if total else None)


def _mean(name: str, rule: str, values: Sequence[float]) -> Formula:
    numbers = f"({_sum(f'{v:.3f}' for v in values)}) / {len(values)}"
    return Formula(name, rule, numbers, float(np.mean(values)) if values else None)


def _sum(terms: Iterable[str]) -> str:
    """A sum with at most so many terms written out."""
    words = list(terms)
    if len(words) <= _LISTED + 1:
        return " + ".join(words) or "0"
    return " + ".join(words[:_LISTED]) + f" + … ({len(words) - _LISTED} more)"
