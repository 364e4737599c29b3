"""Staged inference equals torchvision's own forward, for every detection family."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
import torch
from torch import nn
from torchvision.models.detection.roi_heads import paste_masks_in_image

from tests.inference.reference import (
    BUILDERS,
    built,
    like,
    picture,
    set_to,
    tensor_of,
    with_few_boxes,
)
from vision_core.images import Photo
from vision_core.inference import DetectionTrace, PartSource, trace
from vision_core.selection import Selection, Thresholds

ODD = [(10, 2000), (333, 777), (1, 1), (777, 333), (2000, 10)]


@lru_cache(maxsize=2)
def traced(name: str, smooth: bool) -> tuple[Photo, DetectionTrace]:
    """A picture and what a detector sees in it, at its own thresholds."""
    photo = picture(333, 777, smooth=smooth)
    return photo, trace(built(name), photo)


def both(module: nn.Module, photo: Photo) -> tuple[dict, DetectionTrace, Selection]:
    with torch.no_grad():
        expected = module([tensor_of(photo)])[0]
    found = trace(module, photo)
    return expected, found, found.select(Thresholds.torchvision(module))


def assert_equal(expected: dict, chosen: Selection) -> None:
    got = chosen.detections
    assert got.label_ids.tolist() == expected["labels"].tolist()
    np.testing.assert_allclose(got.scores, expected["scores"].numpy(), rtol=1e-5)
    np.testing.assert_allclose(got.boxes, expected["boxes"].numpy(), rtol=1e-5, atol=1e-4)


def assert_worth_comparing(expected: dict, chosen: Selection, family: str) -> None:
    assert len(expected["scores"]) >= 20
    assert len(set(expected["scores"].tolist())) >= 20
    assert family == "keypoint_rcnn" or len(set(expected["labels"].tolist())) >= 2
    assert chosen.counts()["suppressed"] >= 1


def assert_parts_equal(
    module: nn.Module, photo: Photo, expected: dict, found: DetectionTrace, chosen: Selection
) -> None:
    parts = PartSource(module, photo, found)
    shown = chosen.detections
    if "masks" in expected:
        masks = parts.masks(shown.candidate)
        pasted = paste_masks_in_image(
            torch.from_numpy(masks)[:, None],
            torch.tensor(shown.boxes),
            (photo.height, photo.width),
        )
        np.testing.assert_allclose(pasted.numpy(), expected["masks"].numpy(), atol=1e-5)
    if "keypoints" in expected:
        joints = parts.keypoints(shown.candidate)
        assert joints.score_kind == "heatmap logit"
        np.testing.assert_allclose(joints.xy, expected["keypoints"][..., :2], rtol=1e-5, atol=1e-3)
        np.testing.assert_allclose(joints.scores, expected["keypoints_scores"], rtol=1e-4)


@pytest.mark.parametrize("name", BUILDERS)
def test_equals_torchvision(name: str) -> None:
    module, photo = built(name), picture(333, 777)
    expected, found, chosen = both(module, photo)
    assert_equal(expected, chosen)
    assert_worth_comparing(expected, chosen, found.info.family)
    assert_parts_equal(module, photo, expected, found, chosen)


@pytest.mark.parametrize(
    "name",
    [
        "maskrcnn_resnet50_fpn",
        "keypointrcnn_resnet50_fpn",
        "retinanet_resnet50_fpn",
        "fcos_resnet50_fpn",
        "ssdlite320_mobilenet_v3_large",
        "fasterrcnn_mobilenet_v3_large_320_fpn",
    ],
)
def test_odd_sizes_in_any_order(name: str) -> None:
    module = with_few_boxes(built(name))
    for width, height in ODD:
        photo = picture(width, height, 2)
        expected, found, chosen = both(module, photo)
        assert_equal(expected, chosen)
        assert_parts_equal(module, photo, expected, found, chosen)


def test_full_size() -> None:
    module, photo = like("fasterrcnn_resnet50_fpn"), picture(640, 160)
    expected, found, chosen = both(module, photo)
    assert_equal(expected, chosen)
    assert_worth_comparing(expected, chosen, found.info.family)
    assert found.info.network_size == (1333, 333)


@pytest.mark.long
@pytest.mark.parametrize("name", BUILDERS)
@pytest.mark.parametrize("size", [(640, 480), *ODD])
def test_all_builders_at_all_sizes(name: str, size: tuple[int, int]) -> None:
    module, photo = like(name), picture(*size)
    expected, found, chosen = both(module, photo)
    assert_equal(expected, chosen)
    assert_parts_equal(module, photo, expected, found, chosen)


@pytest.mark.parametrize("score", [0.02, 0.1, 0.3])
@pytest.mark.parametrize("iou", [0.2, 0.7])
@pytest.mark.parametrize("name", ["retinanet_resnet50_fpn", "ssdlite320_mobilenet_v3_large"])
def test_any_threshold_equals_a_network_set_to_it(name: str, score: float, iou: float) -> None:
    """The trace is made at a floor below; cutting later must not change the answer.

    Without equal scores: where more than the top-k limit lie above the threshold, which of several
    equal ones the limit cuts is torchvision's chance.
    """
    photo, found = traced(name, smooth=True)
    changed = set_to(name, score_thresh=score, nms_thresh=iou)
    expected = changed([tensor_of(photo)])[0]
    limit = changed.detections_per_img
    assert_equal(expected, found.select(Thresholds(score, iou, max_detections=limit)))


@pytest.mark.parametrize("score", [0.02, 0.1, 0.3])
@pytest.mark.parametrize(
    "name",
    [
        "retinanet_resnet50_fpn",
        "fcos_resnet50_fpn",
        "ssd300_vgg16",
        "ssdlite320_mobilenet_v3_large",
    ],
)
def test_equal_scores_at_other_thresholds_are_exact_or_said_to_be_open(
    name: str, score: float
) -> None:
    photo, found = traced(name, smooth=False)
    changed = set_to(name, score_thresh=score, nms_thresh=0.5)
    chosen = found.select(Thresholds(score, 0.5, max_detections=changed.detections_per_img))
    expected = changed([tensor_of(photo)])[0]
    if not chosen.ties_open:
        assert_equal(expected, chosen)
    assert not trace(changed, photo).select(Thresholds.torchvision(changed)).ties_open


def test_a_fresh_module_is_not_marked_by_its_first_picture() -> None:
    """torchvision's pooler remembers the first picture's scales; a trace must not set them."""
    module = built("maskrcnn_resnet50_fpn")
    pools = [module.roi_heads.box_roi_pool, module.roi_heads.mask_roi_pool]
    kept = [(p.scales, p.map_levels) for p in pools]
    try:
        for pool in pools:
            pool.scales = pool.map_levels = None
        trace(module, picture(10, 2000))
        assert all(p.scales is None and p.map_levels is None for p in pools)
        found = trace(module, picture(333, 777))
    finally:
        for pool, (scales, mapper) in zip(pools, kept, strict=True):
            pool.scales, pool.map_levels = scales, mapper
    assert_equal(both(module, picture(333, 777))[0], found.select(found.defaults))
