"""The one pass: the trace is the usual one, and the recorded numbers are the network's."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torchvision.models.detection import FasterRCNN

from tests.inference.reference import tensor_of
from tests.inside.nets import BUNDLED, EVERY, looked_into, model, module_of, photo_for
from vision_core.errors import UserError
from vision_core.inference import trace
from vision_core.inside.coordinates import follow
from vision_core.inside.opened import network_boxes, opened, photo_boxes


@pytest.mark.parametrize("name", EVERY)
def test_the_trace_is_the_usual_one(name):
    here = looked_into(name)
    plain = trace(model(name), photo_for(name))
    assert plain.info.id == here.trace.info.id
    np.testing.assert_array_equal(plain.boxes, here.trace.boxes)
    np.testing.assert_array_equal(plain.scores, here.trace.scores)
    np.testing.assert_array_equal(plain.field.boxes_net, here.trace.field.boxes_net)


@pytest.mark.parametrize("name", EVERY)
def test_input_and_features_are_those_of_the_network(name):
    here, module = looked_into(name), module_of(name)
    with torch.no_grad():
        images, _ = module.transform([tensor_of(photo_for(name))])
        out = module.backbone(images.tensors)
    features = [out] if isinstance(out, torch.Tensor) else list(out.values())
    torch.testing.assert_close(torch.tensor(here.pixels), images.tensors[0])
    assert here.trace.info.network_size == images.image_sizes[0][::-1]
    for ours, theirs in zip(here.features.values(), features, strict=True):
        torch.testing.assert_close(ours.clone(), theirs)


@pytest.mark.parametrize("name", EVERY)
def test_no_pass_but_one_and_no_hook_is_left(name):
    module, passes = module_of(name), []
    convolution = next(m for m in module.modules() if isinstance(m, torch.nn.Conv2d))
    handle = convolution.register_forward_hook(lambda *_: passes.append(1))
    try:
        opened(model(name), photo_for(name))  # its shadow copies the hook, and so counts too
    finally:
        handle.remove()
    assert len(passes) == 1
    head = module.rpn.head if isinstance(module, FasterRCNN) else module.head
    assert not head._forward_hooks and not module.backbone._forward_hooks


@pytest.mark.parametrize("name", EVERY)
def test_anchors_are_centred_where_the_levels_say(name):
    here = looked_into(name)
    anchors = here.trace.field.anchors_net.astype(np.float64)
    centres = (anchors[:, :2] + anchors[:, 2:]) / 2
    assert sum(level.count for level in here.levels) == len(anchors) == len(here.logits)
    for level in here.levels:
        assert (here.trace.field.level[level.slice] == level.index).all()
        rows, columns = np.indices((level.rows, level.columns))
        grid = np.stack([columns, rows], -1).reshape(-1, 1, 2).repeat(level.per_place, 1)
        expected = (grid.reshape(-1, 2) + level.offset) * level.stride
        tolerance = 0.51 if level.offset == 0 else 1e-3  # torchvision rounds its anchors
        np.testing.assert_allclose(centres[level.slice], expected, atol=tolerance)


@pytest.mark.parametrize("name", EVERY)
def test_a_point_finds_the_anchors_that_stand_nearest(name):
    here = looked_into(name)
    width, height = here.trace.info.photo_size
    anchors = here.trace.field.anchors_net.astype(np.float64)
    centres = (anchors[:, :2] + anchors[:, 2:]) / 2
    for x, y in np.random.default_rng(1).uniform(0, 1, (20, 2)) * [width, height]:
        place = follow(here, x, y)
        box = network_boxes(here, np.array([[x, y, x, y]]))[0]
        np.testing.assert_allclose(place.network, box[:2])
        for at in place.levels:
            away = np.hypot(*(centres[at.level.slice] - place.network).T)
            mine = np.hypot(*(centres[list(at.anchors)] - place.network).T)
            assert mine.min() <= away.min() + 1.01
            for term, value in zip(at.terms, (at.u, at.v), strict=True):
                assert term.value == value
                assert eval(term.formula) == pytest.approx(value, rel=1e-4)


def test_the_padded_border_is_empty():
    here = looked_into("fcos_s")
    width, height = here.trace.info.network_size
    assert here.padded_size[0] % 32 == here.padded_size[1] % 32 == 0
    assert not here.pixels[:, height:].any() and not here.pixels[:, :, width:].any()
    assert here.pixels[:, :height, :width].std() > 0.1


def test_boxes_go_there_and_back():
    here = looked_into("yolo_s")
    boxes = np.array([[1.0, 2.0, 30.0, 40.0]])
    np.testing.assert_allclose(photo_boxes(here, network_boxes(here, boxes)), boxes)


def test_mistakes_are_told():
    with pytest.raises(UserError, match="outside the photo of 451 x 300"):
        follow(looked_into("fcos_s"), 452, 10)
    from vision_core import models

    with pytest.raises(UserError, match="no anchors"):
        opened(models.load("vgg_s", device="cpu"), photo_for(BUNDLED[0]))
