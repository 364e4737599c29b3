"""Box losses against their papers' formulas, and their gradients against finite differences."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from torch.nn import functional as F
from torchvision.ops import complete_box_iou_loss, distance_box_iou_loss, generalized_box_iou_loss

from tests.inside.slow import iou
from vision_core.inside.losses import NAMES, box_losses, curves, weighted

SPANS = st.tuples(*[st.floats(-50, 50)] * 2, *[st.floats(1, 80)] * 2)


def as_box(span: tuple[float, ...]) -> list[float]:
    x, y, width, height = span
    return [x, y, x + width, y + height]


def by_hand(p: list[float], t: list[float], beta: float) -> dict[str, float]:
    """The losses from their papers' text; eps as in torchvision."""
    gaps = [abs(a - b) for a, b in zip(p, t, strict=True)]
    around = [min(p[0], t[0]), min(p[1], t[1]), max(p[2], t[2]), max(p[3], t[3])]
    hull = (around[2] - around[0]) * (around[3] - around[1])
    areas = [(b[2] - b[0]) * (b[3] - b[1]) for b in (p, t)]
    overlap = iou(p, t)
    union = sum(areas) / (1 + overlap)
    diagonal = (around[2] - around[0]) ** 2 + (around[3] - around[1]) ** 2
    middles = ((p[0] + p[2] - t[0] - t[2]) / 2) ** 2 + ((p[1] + p[3] - t[1] - t[3]) / 2) ** 2
    angle = math.atan((t[2] - t[0]) / (t[3] - t[1])) - math.atan((p[2] - p[0]) / (p[3] - p[1]))
    v = 4 / math.pi**2 * angle**2
    alpha = v / (1 - overlap + v) if v else 0.0
    return {
        "L2": sum(g * g for g in gaps),
        "L1": sum(gaps),
        "smooth L1": sum(g * g / (2 * beta) if g < beta else g - beta / 2 for g in gaps),
        "1 - IoU": 1 - overlap,
        "GIoU": 1 - overlap + (hull - union) / hull,
        "DIoU": 1 - overlap + middles / diagonal,
        "CIoU": 1 - overlap + middles / diagonal + alpha * v,
    }


@given(SPANS, SPANS, st.sampled_from([0.1, 1.0, 5.0]))
def test_values_are_those_of_the_papers(first, second, beta):
    predicted, true = as_box(first), as_box(second)
    expected = by_hand(predicted, true, beta)
    found = box_losses(predicted, true, beta)
    assert tuple(one.name for one in found) == NAMES == tuple(expected)
    for one in found:
        assert one.value == pytest.approx(expected[one.name], rel=1e-6, abs=1e-6)


@given(SPANS, SPANS)
def test_values_and_gradients_are_those_of_torchvision_and_autograd(first, second):
    predicted, true = as_box(first), as_box(second)
    found = {one.name: one for one in box_losses(predicted, true)}
    theirs = {
        "L2": F.mse_loss,
        "L1": F.l1_loss,
        "smooth L1": F.smooth_l1_loss,
        "GIoU": generalized_box_iou_loss,
        "DIoU": distance_box_iou_loss,
        "CIoU": complete_box_iou_loss,
    }
    for name, loss in theirs.items():
        box = torch.tensor([predicted], dtype=torch.float64, requires_grad=True)
        value = loss(box, torch.tensor([true], dtype=torch.float64), reduction="sum")
        value.backward()
        assert found[name].value == value.item()
        assert found[name].gradient == tuple(box.grad[0].tolist())


@given(SPANS, SPANS)
def test_gradients_are_finite_differences(first, second):
    predicted, true = as_box(first), as_box(second)
    edges = [a - b for a in predicted for b in true]
    assume(min(abs(e) for e in edges) > 0.01)  # corners on a line have no derivative
    assume(min(abs(abs(a - b) - 1) for a, b in zip(predicted, true, strict=True)) > 0.01)
    for i in range(4):
        values = []
        for step in (1e-4, -1e-4):
            moved = list(predicted)
            moved[i] += step
            values.append([one.value for one in box_losses(moved, true)])
        slopes = (np.array(values[0]) - values[1]) / 2e-4
        for one, slope in zip(box_losses(predicted, true), slopes, strict=True):
            if one.name != "CIoU":  # whose alpha counts as a constant, as in the paper
                assert one.gradient[i] == pytest.approx(slope, rel=1e-3, abs=1e-5)


def test_far_apart_only_iou_gives_no_direction():
    found = {one.name: one for one in box_losses([0, 0, 10, 10], [50, 0, 60, 10])}
    assert found["1 - IoU"].value == 1 and found["1 - IoU"].gradient == (0, 0, 0, 0)
    for name in set(NAMES) - {"1 - IoU"}:
        assert any(found[name].gradient)
    right, _ = found["GIoU"].corners[1]
    assert right > 0, "the lower right corner is drawn to the truth"


def test_curves_are_the_losses_of_moved_boxes():
    true = [10, 10, 40, 50]
    values = curves(true, true, [-30, 0, 3.5])
    assert set(values) == set(NAMES)
    for name in NAMES:
        assert values[name][1] == pytest.approx(0, abs=1e-6)
    there = {one.name: one.value for one in box_losses([13.5, 10, 43.5, 50], true)}
    assert {n: v[2] for n, v in values.items()} == pytest.approx(there)


def test_two_terms_and_their_weight():
    assert weighted(2.0, 3.0, 2.0) == {"class": 2, "box": 6, "total": 8, "box_share": 0.75}
    assert weighted(0.0, 0.0, 1.0)["box_share"] == 0
    with pytest.raises(ValueError, match="negative"):
        weighted(1, 1, -1)
    for wrong in ({"beta": 0.0}, {"scale": 0.0}):
        with pytest.raises(ValueError, match="greater than 0"):
            box_losses([0, 0, 1, 1], [0, 0, 1, 1], **wrong)
    with pytest.raises(ValueError, match="width and a height"):
        box_losses([0, 0, 0, 1], [0, 0, 1, 1])
