"""The funnel's counts and the boxes behind each stage, on real networks and a made-up trace."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tests.builders import make_trace
from tests.inference.reference import built, picture
from vision_core.errors import UserError
from vision_core.inference import trace
from vision_core.selection import Thresholds, select
from vision_core.selection.funnel import behind, stages

NETWORKS = ["maskrcnn_resnet50_fpn", "fcos_resnet50_fpn", "ssdlite320_mobilenet_v3_large"]


@pytest.mark.parametrize("name", NETWORKS)
def test_counts_are_the_funnels_and_boxes_are_as_many(name):
    found = trace(built(name), picture(333, 777, smooth=True))
    chosen = select(found, dataclasses.replace(found.defaults, max_detections=7))
    named = stages(chosen)
    assert [s for s in named.values() if s in found.funnel] == list(found.funnel)
    for key, stage in named.items():
        boxes = behind(chosen, key)
        assert boxes.boxes.shape[1] == 4 and boxes.boxes.dtype == np.float32
        if not boxes.note:
            assert len(boxes.boxes) == stage.count, key
    counts = [s.count for key, s in named.items() if key != "anchors_x_classes"]
    after = counts.index(len(found))
    assert counts[after:] == sorted(counts[after:], reverse=True)
    assert named["max_detections"].count == len(chosen.detections) == 7


def test_boxes_of_the_rpns_stages_shrink_and_end_with_the_proposals():
    found = trace(built("maskrcnn_resnet50_fpn"), picture(333, 777, smooth=True))
    chosen = select(found, found.defaults)
    order = ["anchors", "rpn_pre_nms", "tiny", "rpn_score", "rpn_nms", "rpn_post_nms"]
    sizes = [len(behind(chosen, name).boxes) for name in order]
    assert sizes == sorted(sizes, reverse=True) and sizes[0] > sizes[-1] > 0
    scale = np.array(found.info.photo_size) / np.array(found.info.network_size)
    proposals = found.source_boxes_net * np.tile(scale, 2).astype(np.float32)
    last = behind(chosen, "rpn_post_nms").boxes
    np.testing.assert_allclose(np.sort(last, 0), np.sort(proposals, 0), rtol=1e-6)
    each = behind(chosen, "proposals_x_classes")
    np.testing.assert_array_equal(each.boxes, last)
    assert "one box per class" in each.note


def test_stages_of_the_thresholds_are_the_selections():
    chosen = select(
        make_trace(3, 80),
        Thresholds(score=0.2, iou=0.4, max_detections=9, classes=frozenset({"cat"})),
    )
    counts = chosen.counts()
    named = {key: stage.count for key, stage in stages(chosen).items()}
    assert named["score_threshold"] == 80 - counts["below_score"]
    assert named["nms"] == named["score_threshold"] - counts["suppressed"]
    assert named["max_detections"] == 9 == counts["kept"] + counts["hidden_by_class_filter"]
    assert named["class_filter"] == counts["kept"] == len(chosen.detections)
    np.testing.assert_array_equal(behind(chosen, "class_filter").boxes, chosen.detections.boxes)


def test_an_unknown_stage_is_refused():
    with pytest.raises(UserError, match="no stage called 'bakery'"):
        behind(select(make_trace(0, 5), Thresholds()), "bakery")
