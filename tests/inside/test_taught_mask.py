"""Mask targets and their loss, against the code that torchvision trains with."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torchvision.models.detection.roi_heads import maskrcnn_loss

from tests.inside.nets import looked_into, module_of, true_boxes
from vision_core.inside.head import mask_probabilities, mask_target
from vision_core.inside.opened import network_boxes
from vision_core.inside.taught_mask import match, taught_mask

MASKED = ["mask_rcnn_s", "maskrcnn_resnet50_fpn"]


@pytest.mark.parametrize("name", MASKED)
def test_a_proposal_meets_the_true_box_that_torchvision_assigns(name):
    here, heads = looked_into(name), module_of(name).roi_heads
    true = true_boxes(name).numpy()
    net = torch.from_numpy(network_boxes(here, true).astype(np.float32))
    proposals = torch.from_numpy(here.trace.source_boxes_net[:40].copy())
    proposals = torch.cat([proposals, net + 3])
    matched, labels = heads.assign_targets_to_proposals(
        [proposals], [net], [torch.tensor([1, 2, 3])]
    )
    found = [match(here, box, true) for box in proposals.numpy()]
    assert [f.positive for f in found] == (labels[0] > 0).tolist()
    chosen = [(f.index, int(m)) for f, m in zip(found, matched[0], strict=True) if f.positive]
    assert chosen and all(mine == theirs for mine, theirs in chosen)


@pytest.mark.parametrize("name", MASKED)
def test_target_and_loss_are_those_of_training(name):
    here, heads = looked_into(name), module_of(name).roi_heads
    width, height = here.trace.info.photo_size
    mask = np.zeros((height, width), bool)
    mask[height // 5 : height * 4 // 5, width // 4 : width * 3 // 4] = True
    box = network_boxes(here, np.array([[0.2, 0.25, 0.9, 0.8]]) * [width, height, width, height])
    label = 2
    found = taught_mask(here, box[0], mask, label)
    np.testing.assert_array_equal(found.target, mask_target(here, box[0], mask))
    assert 0.3 < found.target.mean() < 1
    said = np.stack([mask_probabilities(here, box[0], i) for i in range(label + 1)])
    logits = torch.from_numpy(said).double().logit()[None].float()
    small = torch.nn.functional.interpolate(
        torch.from_numpy(mask.astype(np.float32))[None, None],
        size=here.trace.info.network_size[::-1],
    )[0]
    expected = maskrcnn_loss(
        logits,
        [torch.from_numpy(box.astype(np.float32))],
        [small.byte()],
        [torch.tensor([label])],
        [torch.tensor([0])],
    )
    assert found.loss == pytest.approx(float(expected), rel=1e-4)
    assert heads.has_mask()
    unknown = taught_mask(here, box[0], mask, -1)
    assert unknown.loss is None and unknown.said is None
