"""What anchors are to learn, against the code that torchvision and ``yolo_s`` train with."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torchvision.models.detection import FCOS
from torchvision.models.detection._utils import BoxCoder, Matcher, SSDMatcher
from torchvision.ops import box_iou

from tests.inside.nets import EVERY, looked_into, module_of, true_boxes
from vision_core.errors import UserError
from vision_core.inside.assignment import (
    IGNORED,
    NEGATIVE,
    assign,
    limits,
    sample,
    sample_size,
)
from vision_core.inside.opened import network_boxes
from vision_core.models.zoo.yolo_s import grid_loss

RPN = [n for n in EVERY if "rcnn" in n]
MATCHED = [n for n in EVERY if "fcos" not in n and "yolo" not in n]


def in_network(name: str) -> torch.Tensor:
    boxes = network_boxes(looked_into(name), true_boxes(name).numpy())
    return torch.from_numpy(boxes.astype(np.float32))


def anchors_of(name: str) -> torch.Tensor:
    return torch.from_numpy(looked_into(name).trace.field.anchors_net.copy())


@pytest.mark.parametrize("name", RPN)
def test_an_rpn_is_taught_as_torchvision_does_it(name):
    rpn, true, anchors = module_of(name).rpn, in_network(name), anchors_of(name)
    labels, boxes = rpn.assign_targets_to_anchors([anchors], [{"boxes": true}])
    found = assign(looked_into(name), true_boxes(name).numpy())
    expected = {1: labels[0] == 1, 0: labels[0] == 0, -1: labels[0] == -1}
    np.testing.assert_array_equal(found.match >= 0, expected[1])
    np.testing.assert_array_equal(found.match == NEGATIVE, expected[0])
    np.testing.assert_array_equal(found.match == IGNORED, expected[-1])
    codes = rpn.box_coder.encode(boxes, [anchors])[0][expected[1]]
    np.testing.assert_allclose(found.targets, codes, rtol=1e-5, atol=1e-6)
    assert found.counts()["positive"] >= 3, "each true box has one at least"
    np.testing.assert_array_equal(found.forced, expected[1].numpy() & (found.overlap < 0.7))
    assert (found.high, found.low) == limits(module_of(name)) == (0.7, 0.3)


@pytest.mark.parametrize("name", MATCHED)
@pytest.mark.parametrize("pair", [(0.7, 0.3), (0.5, 0.4), (0.35, 0.35)])
@pytest.mark.parametrize("low_quality", [True, False])
def test_limits_that_are_moved_are_those_of_the_matcher(name, pair, low_quality):
    overlap = box_iou(in_network(name), anchors_of(name))
    found = assign(looked_into(name), true_boxes(name).numpy(), *pair, low_quality)
    matcher: Any = Matcher(*pair, allow_low_quality_matches=low_quality)
    if "ssd" in name and low_quality:
        matcher = SSDMatcher(pair[0])
    np.testing.assert_array_equal(found.match, matcher(overlap))
    assert sum(found.counts()[k] for k in ("positive", "negative", "ignored")) == len(found.match)
    assert low_quality or not found.forced.any()


@pytest.mark.parametrize("name", ["retinanet_resnet50_fpn", "ssd300_vgg16"])
def test_one_stage_is_taught_as_torchvision_does_it(name):
    module, true, anchors = module_of(name), in_network(name), anchors_of(name)
    held = SimpleNamespace(
        proposal_matcher=module.proposal_matcher,
        head=SimpleNamespace(compute_loss=lambda _targets, _heads, _anchors, match: match),
    )
    targets = [{"boxes": true, "labels": torch.ones(len(true), dtype=torch.int64)}]
    if "ssd" in name:  # its forward matches in line
        expected = SSDMatcher(0.5)(box_iou(true, anchors))
    else:
        expected = type(module).compute_loss(held, targets, {}, [anchors])[0]
    found = assign(looked_into(name), true_boxes(name).numpy())
    np.testing.assert_array_equal(found.match, expected)
    weights = (10.0, 10.0, 5.0, 5.0) if "ssd" in name else (1.0,) * 4
    positive = found.positive
    codes = BoxCoder(weights).encode_single(true[found.match[positive]], anchors[positive])
    np.testing.assert_allclose(found.targets, codes, rtol=1e-5)


@pytest.mark.parametrize("name", ["fcos_s", "fcos_resnet50_fpn"])
@pytest.mark.parametrize("radius", [None, 0.6, 4.0])
def test_the_points_of_fcos_are_those_that_torchvision_takes(name, radius):
    here, module = looked_into(name), module_of(name)
    true, anchors = in_network(name), anchors_of(name)
    taken = SimpleNamespace(compute_loss=lambda _targets, _heads, _anchors, match: match)
    held = SimpleNamespace(
        center_sampling_radius=module.center_sampling_radius if radius is None else radius,
        head=taken,
    )
    counts = [level.count for level in here.levels]
    (expected,) = FCOS.compute_loss(held, [{"boxes": true}], {}, [anchors], counts)
    found = assign(here, true_boxes(name).numpy(), radius=radius)
    np.testing.assert_array_equal(found.match, expected)
    assert found.counts()["positive"] >= 1
    codes = module.box_coder.encode(anchors, true[expected.clip(min=0)])[expected >= 0]
    np.testing.assert_allclose(found.targets, codes, rtol=1e-5)
    left_right, top_bottom = codes[:, [0, 2]], codes[:, [1, 3]]
    product = (left_right.amin(1) / left_right.amax(1)) * (top_bottom.amin(1) / top_bottom.amax(1))
    np.testing.assert_allclose(found.centerness, product.sqrt(), rtol=1e-5)
    fits = found.tests["inside"] & found.tests["near"] & found.tests["in range"]
    np.testing.assert_array_equal(fits.any(1), found.match >= 0)


def test_a_cell_of_yolo_learns_what_the_loss_asks_for():
    here, true = looked_into("yolo_s"), in_network("yolo_s")
    found = assign(here, true_boxes("yolo_s").numpy())
    assert len(found.positive) == len({row // 2 for row in found.positive.tolist()})
    for row, target in zip(found.positive.tolist(), found.targets, strict=True):
        box = true[found.match[row]].double()
        column, line = row // 2 % 10, row // 2 // 10
        middle = (box[:2] + box[2:]) / 64
        assert (column, line) == (int(middle[0]), int(middle[1]))
        size = ((box[2:] - box[:2]) / 320).sqrt()
        np.testing.assert_allclose(
            target, [*(middle - torch.tensor([column, line])), *size], atol=1e-5
        )
        other = row + 1 if row % 2 == 0 else row - 1
        assert found.overlap[row] >= found.overlap[other]
    grid = torch.cat([torch.from_numpy(a.copy()) for a in (here.codes, here.logits)], 1)
    grid = torch.cat([grid.reshape(-1, 10), torch.from_numpy(here.classes.copy())], 1)[None]
    labels = torch.zeros(len(true), dtype=torch.int64)
    losses = grid_loss(grid, [{"boxes": true, "labels": labels}], 2, 320)
    said = 1 / (1 + np.exp(-here.codes[found.positive].astype(np.float64)))
    squares = 5 * (said - found.targets) ** 2
    assert float(losses["middle"]) == pytest.approx(squares[:, :2].sum(), rel=1e-4)
    assert float(losses["size"]) == pytest.approx(squares[:, 2:].sum(), rel=1e-4)


@pytest.mark.parametrize("name", EVERY)
def test_without_true_boxes_every_anchor_is_negative(name):
    found = assign(looked_into(name), [])
    assert found.counts() == {
        "positive": 0,
        "negative": len(found.match),
        "ignored": 0,
        "forced": 0,
    }
    assert found.targets.shape == (0, 4)


@pytest.mark.parametrize("name", RPN)
def test_the_sample_is_the_one_that_torchvision_draws(name):
    here = looked_into(name)
    sampler = module_of(name).rpn.fg_bg_sampler
    size, fraction = sample_size(here)
    assert (size, fraction) == (sampler.batch_size_per_image, sampler.positive_fraction)
    found = assign(here, true_boxes(name).numpy())
    before = torch.random.get_rng_state()
    drawn = sample(found, 5, size, fraction)
    assert torch.equal(before, torch.random.get_rng_state())
    labels, _ = module_of(name).rpn.assign_targets_to_anchors(
        [anchors_of(name)], [{"boxes": in_network(name)}]
    )
    torch.manual_seed(5)
    positive, negative = sampler([labels[0]])
    np.testing.assert_array_equal(drawn.positive, np.flatnonzero(positive[0]))
    np.testing.assert_array_equal(drawn.negative, np.flatnonzero(negative[0]))
    assert len(drawn.positive) + len(drawn.negative) == size
    assert not np.array_equal(drawn.negative, sample(found, 6, size, fraction).negative)


def test_mistakes_and_others():
    with pytest.raises(UserError, match="lower IoU limit"):
        assign(looked_into("faster_rcnn_s"), [[0, 0, 50, 50]], 0.3, 0.6)
    assert limits(module_of("fcos_s")) is None and sample_size(looked_into("fcos_s")) is None
