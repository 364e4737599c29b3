"""Feature maps as pictures, mask and joint maps of one box, against torchvision's own modules."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.inference.reference import built, picture
from tests.inside.nets import EVERY, looked_into, module_of
from vision_core.errors import UserError
from vision_core.inside.head import joint_maps, mask_probabilities
from vision_core.inside.opened import network_boxes, opened
from vision_core.inside.pictures import (
    cells,
    density,
    level_values,
    shown_size,
    strongest_channels,
)
from vision_core.inside.report import nearest_true


@pytest.mark.parametrize("name", EVERY)
def test_a_level_is_the_features_where_the_photo_is(name):
    here = looked_into(name)
    width, height = here.trace.info.network_size
    for level in here.levels:
        maps = here.features[level.name][0].double().numpy()
        columns, rows = shown_size(here, level)
        # the last cell that is shown begins within the photo, the next one in the padding
        assert (columns - 1) * level.stride[0] < width and (rows - 1) * level.stride[1] < height
        assert columns == level.columns or columns * level.stride[0] >= width
        np.testing.assert_allclose(
            level_values(here, level), maps.mean(0)[:rows, :columns], rtol=1e-4, atol=1e-5
        )
        np.testing.assert_array_equal(
            level_values(here, level, 1), maps[1, :rows, :columns].astype(np.float32)
        )
        strength = np.abs(maps[:, :rows, :columns]).mean((1, 2))
        first = strongest_channels(here, level, 3)
        assert strength[first[0]] == pytest.approx(strength.max(), rel=1e-5)
        assert strength[first[2]] <= strength[first[1]] * (1 + 1e-5)


@pytest.mark.parametrize("name", EVERY)
def test_the_cells_of_a_level_tile_it_without_gaps(name):
    here = looked_into(name)
    width, height = here.trace.info.photo_size
    for level in here.levels[-2:]:
        boxes = cells(here, level)
        assert boxes.min() >= 0
        # torchvision rounds a stride down, so that the last pixels may belong to no cell
        wide, high = here.trace.info.network_size
        reach = np.minimum(
            [level.stride[0] * level.columns / wide, level.stride[1] * level.rows / high], 1
        ) * [width, height]
        np.testing.assert_allclose(boxes[:, 2:].max(0), reach)
        area = ((boxes[:, 2:] - boxes[:, :2]).prod(1)).sum()
        assert area == pytest.approx(reach.prod())
        # the cell of a point is the one that holds it
        net = network_boxes(here, boxes[:1])[0]
        assert (net[:2] == 0).all() and net[2] <= level.stride[0] + 1e-6


@pytest.mark.parametrize("name", ["mask_rcnn_s", "maskrcnn_resnet50_fpn"])
def test_the_mask_is_that_of_the_whole_network(name):
    here, module = looked_into(name), module_of(name)
    heads, size = module.roi_heads, here.trace.info.network_size[::-1]
    candidate = int(here.trace.scores.argmax())
    box, label = here.trace.boxes_net[candidate], int(here.trace.label_ids[candidate])
    features = {n: t.clone() for n, t in here.features.items()}
    with torch.no_grad():
        pooled = heads.mask_roi_pool(features, [torch.from_numpy(box[None].copy())], [size])
        logits = heads.mask_predictor(heads.mask_head(pooled))[0, label]
    made = mask_probabilities(here, box, label)
    assert made.shape == (28, 28)
    np.testing.assert_allclose(made, logits.sigmoid(), rtol=1e-4, atol=1e-5)


def test_joints_lie_at_the_highest_cells_of_their_maps():
    here = opened(built("keypointrcnn_resnet50_fpn"), picture(333, 250))
    box = np.array([20.0, 30.0, 180.0, 200.0], np.float32)
    maps = joint_maps(here, box)
    assert maps.shape[0] == 17 and maps.shape[1] == maps.shape[2]
    np.testing.assert_allclose(maps.sum((1, 2)), 1, rtol=1e-4)
    heads = here.module.roi_heads
    with torch.no_grad():
        pooled = heads.keypoint_roi_pool(
            here.features, [torch.from_numpy(box[None])], [here.trace.info.network_size[::-1]]
        )
        logits = heads.keypoint_predictor(heads.keypoint_head(pooled))[0]
    assert (maps.reshape(17, -1).argmax(1) == logits.flatten(1).argmax(1).numpy()).all()


def test_networks_without_the_head_are_refused_in_a_sentence():
    here = looked_into("faster_rcnn_s")
    with pytest.raises(UserError, match="no mask head; choose a Mask R-CNN"):
        mask_probabilities(here, [0, 0, 9, 9], 1)
    with pytest.raises(UserError, match="no keypoint head; choose a Keypoint R-CNN"):
        joint_maps(looked_into("fcos_s"), [0, 0, 9, 9])


def test_the_nearest_true_box_is_that_of_the_best_iou_else_of_the_nearest_middle():
    boxes = np.array([[0, 0, 10, 10], [20, 20, 40, 40], [22, 22, 30, 30]], float)
    assert (nearest_true(np.array([21, 21, 31, 31.0]), boxes) == boxes[2]).all()
    assert (nearest_true(np.array([41, 41, 50, 50.0]), boxes) == boxes[1]).all()


def test_density_counts_the_boxes_over_every_middle():
    rng = np.random.default_rng(0)
    corner = rng.uniform(-20, 90, (60, 2))
    boxes = np.concatenate([corner, corner + rng.uniform(0, 60, (60, 2))], 1)
    boxes[:3] = [[0, 0, 100, 80], [10, 10, 10, 40], [120, 5, 300, 9]]
    for most in (480, 37):
        found = density(boxes, (100, 80), most)
        rows, columns = found.shape
        assert max(rows, columns) == min(100, most)
        x = (np.arange(columns) + 0.5) * 100 / columns
        y = (np.arange(rows) + 0.5) * 80 / rows
        across = (boxes[:, :1] <= x) & (x < boxes[:, 2:3])
        down = (boxes[:, 1:2] <= y) & (y < boxes[:, 3:])
        np.testing.assert_array_equal(found, np.einsum("nr,nc->rc", down * 1, across * 1))
        assert found.max() > 8
