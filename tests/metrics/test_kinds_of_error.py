"""Kinds of error: cases by hand, a partition, and a slow version from the paper's words."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vision_core.comparison.truth import Truth, judge
from vision_core.errors import UserError
from vision_core.metrics.kinds_of_error import KINDS, kinds_of_error
from vision_core.records import Detections

CAT = (0, 0, 100, 100)
DOG = (200, 0, 300, 100)
THERE = [("cat", CAT), ("dog", DOG)]


def detections(rows: list[tuple[str, float, tuple[float, ...]]]) -> Detections:
    n = len(rows)
    return Detections(
        np.arange(n),
        np.array([box for _, _, box in rows], np.float32).reshape(n, 4),
        np.array([score for _, score, _ in rows], np.float32),
        np.zeros(n, np.int64),
        tuple(label for label, _, _ in rows),
    )


def truth(rows: list[tuple[str, tuple[float, ...]]]) -> Truth:
    boxes = np.array([box for _, box in rows], np.float32).reshape(-1, 4)
    return Truth(boxes, tuple(label for label, _ in rows))


@pytest.mark.parametrize(
    ("rows", "kinds", "missed", "covered"),
    [
        ([("cat", 0.9, CAT), ("dog", 0.8, DOG)], ["correct", "correct"], [], []),
        ([("dog", 0.9, CAT)], ["class"], [1], [0]),
        ([("cat", 0.9, (0, 0, 100, 40))], ["location"], [1], [0]),
        ([("dog", 0.9, (0, 0, 100, 40))], ["both"], [0, 1], []),
        ([("cat", 0.8, (0, 0, 100, 90)), ("cat", 0.9, CAT)], ["duplicate", "correct"], [1], []),
        ([("cat", 0.9, (400, 400, 500, 500))], ["background"], [0, 1], []),
        ([("cat", 0.9, (0, 0, 100, 5))], ["background"], [0, 1], []),
        ([("Cat ", 0.9, CAT)], ["correct"], [1], []),  # spellings of one class are one
        ([], [], [0, 1], []),
    ],
)
def test_cases_by_hand(rows, kinds, missed, covered) -> None:
    found = kinds_of_error(detections(rows), truth(THERE))
    assert list(found.kinds) == kinds
    assert found.missed.tolist() == missed and found.covered.tolist() == covered


def test_where_nothing_is_there_everything_lies_on_background() -> None:
    found = kinds_of_error(detections([("cat", 0.9, CAT)]), truth([]))
    assert found.kinds == ("background",) and found.counts()["missed"] == 0


def test_limits_that_cannot_be_are_refused() -> None:
    with pytest.raises(UserError, match="lower <= upper"):
        kinds_of_error(detections([]), truth([]), 0.1, 0.5)


def iou(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    wide = max(min(a[2], b[2]) - max(a[0], b[0]), 0)
    high = max(min(a[3], b[3]) - max(a[1], b[1]), 0)
    areas = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1])
    return wide * high / (areas - wide * high)


def slow(rows, there, upper: float, lower: float) -> list[str]:
    """The kinds from the words of the paper, detection by detection."""
    kinds = [""] * len(rows)
    taken: set[int] = set()
    for i in sorted(range(len(rows)), key=lambda i: -rows[i][1]):
        label, _, box = rows[i]
        free = [j for j, (name, _) in enumerate(there) if name == label and j not in taken]
        best = max(free, key=lambda j: (iou(box, there[j][1]), -j), default=None)
        if best is not None and iou(box, there[best][1]) >= upper:
            taken.add(best)
            kinds[i] = "correct"
    for i, (label, _, box) in enumerate(rows):
        if kinds[i]:
            continue
        same = max((iou(box, b) for name, b in there if name == label), default=-1)
        other = max((iou(box, b) for name, b in there if name != label), default=-1)
        fits = {
            "location": lower <= same < upper,
            "class": other >= upper,
            "duplicate": same >= upper,
            "background": max(same, other) < lower,
            "both": lower <= other < upper,
        }
        kinds[i] = next(kind for kind, yes in fits.items() if yes)
    return kinds


names = st.sampled_from(["cat", "dog", "cow"])
boxes = st.tuples(st.integers(0, 8), st.integers(0, 8), st.integers(1, 8), st.integers(1, 8)).map(
    lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3])
)


@settings(deadline=None)
@given(
    st.lists(st.tuples(names, boxes), max_size=8),
    st.lists(st.tuples(names, boxes), max_size=5),
    st.sampled_from([(0.5, 0.1), (0.7, 0.3), (0.5, 0.5)]),
)
def test_every_detection_has_one_kind_and_it_is_the_papers(rows, there, limits) -> None:
    scored = [(name, 0.95 - 0.05 * i, box) for i, (name, box) in enumerate(rows)]
    found = kinds_of_error(detections(scored), truth(there), *limits)
    assert list(found.kinds) == slow(scored, there, *limits)
    counts = found.counts()
    assert set(counts) == set(KINDS)
    assert sum(counts.values()) - counts["missed"] == len(rows)
    assert counts["correct"] == int(
        (judge(detections(scored), truth(there), limits[0]).hit >= 0).sum()
    )
    # a true box is found, missed, or meant by a detection with one thing wrong
    assert counts["correct"] + len(found.missed) + len(found.covered) == len(there)
    assert not set(found.missed.tolist()) & set(found.covered.tolist())
    for kind, box in zip(found.kinds, found.about.tolist(), strict=True):
        assert (box < 0) == (kind == "background")
