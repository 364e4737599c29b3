"""Suppression against torchvision, and against a second version written close to the papers."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.ops import batched_nms, box_iou, nms

from vision_core.selection.nms import exceeds, first_suppressor, hard_nms, iou_matrix, no_nms
from vision_core.selection.soft_nms import soft_nms


def scene(seed: int, n: int, classes: int = 3) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Random boxes in clusters, so that many overlap; distinct scores."""
    rng = np.random.default_rng(seed)
    centres = rng.uniform(20, 180, (max(1, n // 6), 2))
    middle = centres[rng.integers(len(centres), size=n)] + rng.normal(0, 5, (n, 2))
    half = rng.uniform(4, 25, (n, 2))
    boxes = np.concatenate([middle - half, middle + half], 1).clip(0, 200).astype(np.float32)
    scores = rng.permutation(np.linspace(0.01, 0.99, n)).astype(np.float32)
    return boxes, scores, rng.integers(0, classes, n)


@given(
    seed=st.integers(0, 10_000),
    n=st.sampled_from([0, 1, 2, 17, 120, 1000, 1001]),
    iou=st.sampled_from([0.0, 0.3, 0.5, 0.7, 1.0]),
    agnostic=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_survivors_are_torchvisions_and_the_reason_is_true(seed, n, iou, agnostic):
    boxes, scores, labels = scene(seed, n)
    outcome = hard_nms(boxes, scores, None if agnostic else labels, iou)
    tensors = torch.tensor(boxes), torch.tensor(scores)
    if agnostic:
        expected = nms(*tensors, iou)
    else:
        expected = batched_nms(*tensors, torch.tensor(labels), iou)
    assert outcome.order.tolist() == expected.tolist()
    lost = np.setdiff1d(np.arange(n), outcome.order)
    assert (outcome.by[outcome.order] == -1).all()
    place = {int(k): i for i, k in enumerate(outcome.order)}
    reference = box_iou(*(torch.tensor(boxes).double(),) * 2).numpy()
    for box in lost:
        killer = int(outcome.by[box])
        assert killer in place and scores[killer] >= scores[box]
        assert agnostic or labels[killer] == labels[box]
        assert outcome.iou[box] > iou
        assert outcome.iou[box] == pytest.approx(reference[box, killer], abs=2e-3)
        for earlier in outcome.order[: place[killer]]:
            if agnostic or labels[earlier] == labels[box]:
                assert reference[box, earlier] <= iou + 2e-3


def test_iou_exactly_at_the_threshold_keeps_both():
    boxes = np.array([[0, 0, 10, 1], [0, 0, 5, 1]], np.float32)
    scores = np.array([0.9, 0.8], np.float32)
    assert len(hard_nms(boxes, scores, None, 0.5).order) == 2
    # 3/10 in float32 lies above the double 0.3, and torchvision compares in double.
    boxes[1, 2] = 3
    outcome = hard_nms(boxes, scores, None, 0.3)
    assert outcome.order.tolist() == nms(torch.tensor(boxes), torch.tensor(scores), 0.3).tolist()
    assert outcome.by.tolist() == [-1, 0]


def test_same_box_of_two_classes_falls_only_when_agnostic():
    boxes = np.array([[0, 0, 9, 9]] * 2, np.float32)
    scores, labels = np.array([0.9, 0.8], np.float32), np.array([1, 2])
    assert len(hard_nms(boxes, scores, labels, 0.5).order) == 2
    assert hard_nms(boxes, scores, None, 0.5).by.tolist() == [-1, 0]


def test_raising_the_iou_threshold_can_remove_a_box():
    """Not monotone: a box freed by a higher threshold suppresses another one itself."""
    lost = 0
    for seed in range(60):
        boxes, scores, _ = scene(seed, 60)
        low = set(hard_nms(boxes, scores, None, 0.3).order.tolist())
        high = set(hard_nms(boxes, scores, None, 0.6).order.tolist())
        lost += not low <= high
    assert lost > 0


def test_first_suppressor_falls_back_to_the_greatest_overlap():
    boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 9], [50, 50, 60, 60]], np.float32)
    by, iou = first_suppressor(boxes, np.array([1]), np.array([2, 0]), 0.95)
    assert by.tolist() == [0] and iou[0] == pytest.approx(0.9)


def test_iou_matrix_equals_torchvision_box_iou():
    boxes, _, _ = scene(5, 80)
    boxes[0] = [3, 3, 3, 3]  # no area
    expected = box_iou(torch.tensor(boxes), torch.tensor(boxes)).nan_to_num(0).numpy()
    np.testing.assert_allclose(iou_matrix(boxes, boxes), expected, atol=1e-6)


def test_none_sorts_by_score_and_keeps_ties_in_order():
    outcome = no_nms(np.array([0.5, 0.9, 0.5], np.float32))
    assert outcome.order.tolist() == [1, 0, 2]


def slow_soft_nms(boxes, scores, labels, floor, sigma, linear_above):
    """Bodla et al. 2017, figure 2, as a loop over Python lists."""
    iou = box_iou(torch.tensor(boxes).double(), torch.tensor(boxes).double()).nan_to_num(0).numpy()
    now = {i: float(s) for i, s in enumerate(scores)}
    kept = []
    while now:
        best = max(now, key=lambda i: now[i])
        kept.append((best, now.pop(best)))
        for other in now:
            if labels is not None and labels[other] != labels[best]:
                continue
            overlap = iou[best, other]
            if linear_above is None:
                now[other] *= np.exp(-(overlap**2) / sigma)
            elif overlap > linear_above:
                now[other] *= 1 - overlap
    return sorted(((i, s) for i, s in kept if s > floor), key=lambda pair: -pair[1])


@given(
    seed=st.integers(0, 10_000),
    n=st.integers(0, 60),
    agnostic=st.booleans(),
    floor=st.sampled_from([0.0, 0.05, 0.3]),
    sigma=st.sampled_from([0.1, 0.5, 2.0]),
    linear=st.sampled_from([None, 0.0, 0.3, 0.5]),
)
@settings(max_examples=120, deadline=None)
def test_soft_nms_equals_the_paper(seed, n, agnostic, floor, sigma, linear):
    boxes, scores, labels = scene(seed, n)
    above = scores > floor
    boxes, scores, labels = boxes[above], scores[above], labels[above]
    group = None if agnostic else labels
    got = soft_nms(boxes, scores, group, floor=floor, sigma=sigma, linear_above=linear)
    expected = slow_soft_nms(boxes, scores, group, floor, sigma, linear)
    assert sorted(got.order.tolist()) == sorted(i for i, _ in expected)
    np.testing.assert_allclose(got.scores[got.order], [s for _, s in expected], rtol=1e-4)
    for box in np.flatnonzero(got.decayed):
        assert got.by[box] >= 0 and got.scores[box] <= floor < scores[box]


def test_identical_boxes_under_linear_decay_vanish():
    boxes = np.array([[0, 0, 9, 9]] * 3, np.float32)
    scores = np.array([0.9, 0.8, 0.7], np.float32)
    got = soft_nms(boxes, scores, None, floor=0.05, sigma=0.5, linear_above=0.3)
    assert got.order.tolist() == [0]
    assert got.scores.tolist() == pytest.approx([0.9, 0, 0])
    assert got.by.tolist() == [-1, 0, 0]


@pytest.mark.parametrize("threshold", [0.1, 0.2, 0.3, 0.7])
def test_an_iou_is_compared_in_double(threshold):
    """0.1 in float32 lies above the double 0.1; torchvision's kernel compares in double."""
    nearest = np.float32(threshold)
    values = np.array([np.nextafter(nearest, np.float32(0)), nearest, np.nextafter(nearest, 1)])
    above = exceeds(values.astype(np.float32), threshold).tolist()
    assert above == [float(v) > threshold for v in values.astype(np.float32)]
