"""What the second stage sees and says, against torchvision's pooling, decoding and mask code."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torchvision.models.detection.roi_heads import project_masks_on_boxes

from tests.inside.nets import TWO_STAGE, looked_into, module_of
from vision_core.errors import UserError
from vision_core.inside.head import look, mask_target, scales_of
from vision_core.inside.opened import network_boxes

ROWS = (0, 3, 40)


@pytest.mark.parametrize("name", TWO_STAGE)
def test_scores_boxes_and_crop_are_those_of_the_trace_and_of_torchvision(name):
    here, module = looked_into(name), module_of(name)
    heads, size = module.roi_heads, here.trace.info.network_size[::-1]
    proposals = torch.from_numpy(here.trace.source_boxes_net[list(ROWS)].copy())
    features = {n: t.clone() for n, t in here.features.items()}
    if heads.box_roi_pool.scales is None:
        pytest.skip("the pooler keeps the scales of its first picture; asked in the next test")
    with torch.no_grad():
        pooled = heads.box_roi_pool(features, [proposals], [size])
        logits, deltas = heads.box_predictor(heads.box_head(pooled))
        decoded = heads.box_coder.decode(deltas, [proposals])
    for i, row in enumerate(ROWS):
        view = look(here, here.trace.source_boxes_net[row])
        np.testing.assert_allclose(view.crop, pooled[i], rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(view.scores, logits[i].softmax(-1), rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(view.unclipped_net, decoded[i], rtol=1e-4, atol=1e-2)


@pytest.mark.parametrize("name", TWO_STAGE)
def test_the_head_says_again_what_it_said_for_the_trace(name):
    here = looked_into(name)
    for row in ROWS:
        view = look(here, here.trace.source_boxes_net[row])
        assert len(view.labels) == len(view.scores) == here.trace.class_scores.shape[1]
        np.testing.assert_allclose(view.scores, here.trace.class_scores[row], rtol=1e-3, atol=1e-5)
        mine = np.flatnonzero(here.trace.source == row)
        for candidate in mine:
            after = view.boxes[here.trace.label_ids[candidate]]
            np.testing.assert_allclose(after, here.trace.boxes[candidate], atol=0.05)
        moved = view.codes[1, :2] * np.subtract(view.box_net[2:], view.box_net[:2])
        middle = (view.unclipped_net[1, :2] + view.unclipped_net[1, 2:]) / 2
        expected = (view.box_net[:2] + view.box_net[2:]) / 2 + moved
        np.testing.assert_allclose(middle, expected, rtol=1e-3, atol=0.05)


@pytest.mark.parametrize("name", TWO_STAGE)
def test_a_bin_is_the_mean_of_the_features_at_its_points(name):
    here = looked_into(name)
    pool = module_of(name).roi_heads.box_roi_pool
    for row in ROWS:
        view = look(here, here.trace.source_boxes_net[row])
        scale = scales_of(here, pool)[view.level]
        features = here.features[view.level_name][0].numpy().astype(np.float64)
        assert view.points.shape == (7, 7, 2, 2, 2)
        flat = view.points.reshape(-1, 2)
        cells = network_boxes(here, np.concatenate([flat, flat], 1))[:, :2] * scale
        values = np.array([_bilinear(features, x, y) for x, y in cells])
        means = values.reshape(7, 7, 4, -1).mean(2).transpose(2, 0, 1)
        np.testing.assert_allclose(means, view.crop, rtol=1e-3, atol=1e-4)


def _bilinear(features: np.ndarray, x: float, y: float) -> np.ndarray:
    """Features [C] between four cells; 0 more than a cell outside, the border within it."""
    rows, columns = features.shape[1:]
    if x < -1 or y < -1 or x > columns or y > rows:
        return np.zeros(len(features))
    x, y = min(max(x, 0), columns - 1), min(max(y, 0), rows - 1)
    x0, y0 = int(x), int(y)
    x1, y1 = min(x0 + 1, columns - 1), min(y0 + 1, rows - 1)
    top = features[:, y0, x0] * (x0 + 1 - x) + features[:, y0, x1] * (x - x0)
    bottom = features[:, y1, x0] * (x0 + 1 - x) + features[:, y1, x1] * (x - x0)
    return top * (y0 + 1 - y) + bottom * (y - y0)


@pytest.mark.parametrize("name", ["mask_rcnn_s", "maskrcnn_resnet50_fpn"])
def test_the_mask_target_is_the_one_of_training(name):
    here, module = looked_into(name), module_of(name)
    width, height = here.trace.info.photo_size
    mask = np.zeros((height, width), bool)
    mask[height // 4 : height * 3 // 4, width // 3 : width * 2 // 3] = True
    mask[height // 2 :, : width // 2] = True
    box = network_boxes(here, np.array([[0.2, 0.3, 0.8, 0.9]]) * [width, height, width, height])[0]
    found = mask_target(here, box, mask)
    pixels = torch.zeros(3, height, width)
    target = {
        "masks": torch.from_numpy(mask.astype(np.uint8))[None],
        "boxes": torch.zeros(1, 4),
        "labels": torch.ones(1),
    }
    _, (resized,) = module.transform([pixels], [target])
    expected = project_masks_on_boxes(
        resized["masks"].float(), torch.tensor(box, dtype=torch.float32)[None], torch.zeros(1), 28
    )
    np.testing.assert_array_equal(found, expected[0])
    assert 0.2 < found.mean() < 0.9


def test_mistakes_are_told():
    with pytest.raises(UserError, match="no second stage"):
        look(looked_into("ssd300_vgg16"), (0, 0, 9, 9))
    for name in ("faster_rcnn_s", "fcos_s"):
        with pytest.raises(UserError, match="no mask head"):
            mask_target(looked_into(name), (0, 0, 9, 9), np.zeros((300, 451), bool))
    with pytest.raises(ValueError, match="another size"):
        mask_target(looked_into("mask_rcnn_s"), (0, 0, 9, 9), np.zeros((3, 4), bool))
