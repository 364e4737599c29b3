"""Matching of two sets of detections against every possible matching, and its symmetry."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.ops import box_iou

from vision_core.comparison.boxes import KINDS, NEAR, SAME, agreement_curve, compare_boxes
from vision_core.records import Detections


def detections(boxes, labels, scores=None) -> Detections:
    n = len(labels)
    return Detections(
        np.arange(n),
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array(scores if scores is not None else np.linspace(0.9, 0.5, n), np.float32),
        np.zeros(n, np.int64),
        tuple(labels),
    )


def drawn(seed: int, count: int) -> Detections:
    rng = np.random.default_rng(seed)
    corner, size = rng.integers(0, 30, (count, 2)), rng.integers(5, 30, (count, 2))
    labels = rng.choice(["cat", "dog"], count).tolist()
    return detections(np.concatenate([corner, corner + size], 1), labels, rng.random(count))


def best_of_all(fits: np.ndarray, overlap: np.ndarray) -> tuple[int, float]:
    """Most pairs and, among those, the greatest sum of IoUs, by trying every matching."""
    n, m = fits.shape
    best = (0, 0.0)
    columns = [*range(m), *[None] * n]
    for choice in set(itertools.permutations(columns, n)):
        chosen = [(i, j) for i, j in enumerate(choice) if j is not None and fits[i, j]]
        best = max(best, (len(chosen), sum(float(overlap[p]) for p in chosen)))
    return best


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 4), st.integers(0, 4))
def test_the_first_stage_is_the_best_of_all_matchings(seed, n, m) -> None:
    a, b = drawn(seed, n), drawn(seed + 1, m)
    overlap = box_iou(torch.from_numpy(a.boxes), torch.from_numpy(b.boxes)).numpy()
    same = np.array([[x == y for y in b.labels] for x in a.labels], bool).reshape(n, m)
    found = compare_boxes(a, b)
    both = found.of("both")
    count, total = best_of_all(same & (overlap >= SAME), overlap)
    assert len(both) == count and sum(p.iou for p in both) == pytest.approx(total, abs=1e-4)
    assert found.f1 == pytest.approx(2 * count / (n + m) if n + m else 1.0)
    for pair in found.pairs:
        if pair.a is None or pair.b is None:
            continue
        assert pair.iou == pytest.approx(float(overlap[pair.a, pair.b]), abs=1e-5)
        assert same[pair.a, pair.b] == (pair.kind != "other_class")
        assert pair.iou >= (NEAR if pair.kind == "shifted" else SAME)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 8), st.integers(0, 8))
def test_every_detection_is_in_one_pair_and_swapping_swaps(seed, n, m) -> None:
    a, b = drawn(seed, n), drawn(seed + 7, m)
    forth, back = compare_boxes(a, b), compare_boxes(b, a)
    assert sorted(p.a for p in forth.pairs if p.a is not None) == list(range(n))
    assert sorted(p.b for p in forth.pairs if p.b is not None) == list(range(m))
    swapped = {"only_a": "only_b", "only_b": "only_a"}
    assert forth.counts() == {swapped.get(k, k): c for k, c in back.counts().items()}
    assert forth.f1 == back.f1


def test_each_kind_on_a_case_made_for_it() -> None:
    a = detections(
        [[0, 0, 10, 10], [20, 0, 30, 10], [40, 0, 50, 10], [60, 0, 70, 10]],
        ["cat", "cat", "aeroplane", "dog"],
    )
    b = detections(
        [[1, 0, 11, 10], [20, 0, 30, 10], [45, 0, 55, 10], [80, 0, 90, 10]],
        ["cat", "dog", "airplane", "sheep"],
    )
    found = compare_boxes(a, b)
    assert [(p.kind, p.a, p.b) for p in found.pairs] == [
        ("both", 0, 0),
        ("other_class", 1, 1),
        ("shifted", 2, 2),
        ("only_a", 3, None),
        ("only_b", None, 3),
    ]
    assert found.counts() == dict.fromkeys(KINDS, 1) and found.f1 == 0.25


def test_empty_columns() -> None:
    some, none = drawn(1, 3), detections([], [])
    assert compare_boxes(some, none).counts()["only_a"] == 3
    assert compare_boxes(none, some).counts()["only_b"] == 3
    assert compare_boxes(none, none).f1 == 1.0


def test_the_curve_of_agreement_drops_boxes_from_both() -> None:
    a = detections([[0, 0, 10, 10], [20, 0, 30, 10]], ["cat", "cat"], [0.9, 0.3])
    b = detections([[0, 0, 10, 10]], ["cat"], [0.6])
    assert agreement_curve(a, b, np.array([0.0, 0.5, 0.8])).tolist() == [
        pytest.approx(2 / 3),
        1.0,
        0.0,
    ]
