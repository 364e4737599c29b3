"""Class losses against the paper's formula, the training code of torchvision, and sums by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torchvision.ops import sigmoid_focal_loss

from tests.inside.nets import EVERY, looked_into, module_of, true_boxes
from vision_core.errors import UserError
from vision_core.inside.assignment import IGNORED, Assignment, assign
from vision_core.inside.imbalance import NO_ALPHA, class_losses, focal_curve, imbalance

ONES = [n for n in EVERY if "yolo" not in n]
LABELS = [1, 2, 1]


def taught(name: str) -> Assignment:
    return assign(looked_into(name), true_boxes(name).numpy())


@given(st.floats(0.001, 0.999), st.floats(0, 5), st.one_of(st.just(NO_ALPHA), st.floats(0, 1)))
def test_the_curve_is_the_formula_of_the_paper(p, gamma, alpha):
    weight = 1 if alpha == NO_ALPHA else alpha
    expected = -weight * (1 - p) ** gamma * math.log(p)
    assert focal_curve([p], gamma, alpha)[0] == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("name", ONES)
@pytest.mark.parametrize("gamma_alpha", [(0.0, NO_ALPHA), (2.0, 0.25), (0.5, 0.9)])
def test_losses_of_anchors_are_the_formula_on_their_logits(name, gamma_alpha):
    here, given_to = looked_into(name), taught(name)
    gamma, alpha = gamma_alpha
    rows, loss, right = class_losses(here, given_to, LABELS, gamma, alpha)
    assert set(rows) == set(np.flatnonzero(given_to.match != IGNORED))
    checked = [*np.flatnonzero(given_to.match[rows] >= 0)[:5], *range(0, len(rows), len(rows) // 7)]
    for i in checked:
        logits, match = here.logits[rows[i]].astype(np.float64), given_to.match[rows[i]]
        label = -1 if match < 0 else (0 if here.two_stage else LABELS[match])
        a = 1 if alpha == NO_ALPHA else alpha
        b = 1 if alpha == NO_ALPHA else 1 - alpha
        if "ssd" in name:
            powers = np.exp(logits - logits.max())
            p = powers[max(label, 0)] / powers.sum()
            expected = (a if label > 0 else b) * (1 - p) ** gamma * -math.log(p)
        else:
            chances = 1 / (1 + np.exp(-logits))
            terms = b * chances**gamma * -np.log1p(-chances)
            if label >= 0:
                p = chances[label]
                terms[label] = a * (1 - p) ** gamma * -math.log(p)
            else:
                p = 1 - chances.max()
            expected = terms.sum()
        assert loss[i] == pytest.approx(expected, rel=1e-6)
        assert right[i] == pytest.approx(p, rel=1e-6)


@pytest.mark.parametrize("name", ["retinanet_resnet50_fpn", "fcos_s", "fcos_resnet50_fpn"])
def test_the_sum_is_the_class_loss_that_torchvision_trains_with(name):
    here, module, given_to = looked_into(name), module_of(name), taught(name)
    match = torch.from_numpy(given_to.match)
    heads = {
        "cls_logits": torch.from_numpy(here.logits.astype(np.float64))[None],
        "bbox_regression": torch.from_numpy(here.codes.astype(np.float64))[None],
    }
    targets = [{"boxes": true_boxes(name), "labels": torch.tensor(LABELS)}]
    anchors = [torch.from_numpy(here.trace.field.anchors_net.astype(np.float64))]
    if here.centerness is None:
        theirs = module.head.classification_head.compute_loss(targets, heads, [match])
    else:
        heads["bbox_ctrness"] = torch.from_numpy(here.centerness.astype(np.float64))[None, :, None]
        theirs = module.head.compute_loss(targets, heads, anchors, [match])["classification"]
    _, loss, _ = class_losses(here, given_to, LABELS, 2.0, 0.25)
    count = given_to.counts()["positive"]
    assert loss.sum() / count == pytest.approx(float(theirs), rel=1e-6)


@pytest.mark.parametrize("name", ["faster_rcnn_s", "maskrcnn_resnet50_fpn"])
def test_objectness_of_an_rpn_is_torchvisions_own(name):
    here, given_to = looked_into(name), taught(name)
    rows, loss, _ = class_losses(here, given_to, [], 1.5, 0.3)
    truth = torch.from_numpy((given_to.match[rows] >= 0).astype(np.float64))
    logits = torch.from_numpy(here.logits[rows, 0].astype(np.float64))
    np.testing.assert_allclose(loss, sigmoid_focal_loss(logits, truth, 0.3, 1.5), rtol=1e-12)


@pytest.mark.parametrize("name", ONES)
def test_shares_add_up_and_the_focal_loss_turns_to_the_hard(name):
    here, given_to = looked_into(name), taught(name)
    found = imbalance(here, given_to, LABELS, gamma=2.0, alpha=NO_ALPHA)
    counts = given_to.counts()
    assert sum(g.count for g in found.groups) == counts["positive"] + counts["negative"]
    assert sum(g.cross_entropy for g in found.groups) == pytest.approx(1)
    assert sum(g.focal for g in found.groups) == pytest.approx(1)
    assert found.negatives_per_positive == pytest.approx(counts["negative"] / counts["positive"])
    assert found.focal < found.cross_entropy and found.left_out == 0
    easy, easy_focal = (
        sum(getattr(g, kind) for g in found.groups if "easy" in g.name)
        for kind in ("cross_entropy", "focal")
    )
    assert easy_focal <= easy


def test_classes_that_the_network_does_not_know_are_left_out():
    given_to = taught("fcos_s")
    found = imbalance(looked_into("fcos_s"), given_to, [-1, -1, -1])
    assert found.negatives_per_positive is None
    assert found.left_out == given_to.counts()["positive"]
    assert found.groups[0].count == found.groups[1].count == 0


def test_mistakes_are_told():
    here, given_to = looked_into("yolo_s"), taught("yolo_s")
    with pytest.raises(UserError, match="by squares"):
        class_losses(here, given_to, LABELS, 2.0)
    here, given_to = looked_into("fcos_s"), taught("fcos_s")
    with pytest.raises(ValueError, match="label id"):
        class_losses(here, given_to, [], 2.0)
    for gamma, alpha in ((-1.0, 0.5), (1.0, 1.5)):
        with pytest.raises(ValueError, match="gamma must be"):
            class_losses(here, given_to, LABELS, gamma, alpha)
