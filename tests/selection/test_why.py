"""Why is this box not here: each fate on a constructed case, and truth on real networks."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.ops import box_iou

from tests.builders import make_trace
from tests.inference.reference import built, picture, tensor_of
from vision_core.errors import UserError
from vision_core.inference import trace
from vision_core.records import ANCHOR_FATES, AnchorField, Cut, DetectionTrace
from vision_core.selection import Thresholds, lost, select
from vision_core.selection.why import centerness, why_box, why_spot

BOXES = [
    [10, 10, 50, 50],  # 0 dog 0.97
    [18, 10, 58, 50],  # 1 dog 0.80, overlaps 0 by 2/3
    [100, 10, 140, 50],  # 2 cat 0.043
    [100, 100, 140, 140],  # 3 cat 0.60
    [60, 60, 90, 90],  # 4 cow 0.55
]
SCORES = [0.97, 0.80, 0.043, 0.60, 0.55]
LABELS = [1, 1, 0, 0, 2]


def constructed() -> DetectionTrace:
    base = make_trace(0, 5)
    boxes = np.array(BOXES, np.float32)
    return dataclasses.replace(
        base,
        boxes=boxes,
        boxes_net=boxes * np.float32(0.5),
        scores=np.array(SCORES, np.float32),
        label_ids=np.array(LABELS),
    )


@pytest.mark.parametrize(
    ("box", "thresholds", "fate", "words"),
    [
        (0, Thresholds(), "kept", ["box 1", "dog 0.97"]),
        (1, Thresholds(), "suppressed", ["dog 0.80", "box 1 (dog 0.97)", "IoU 0.67", "0.50"]),
        (2, Thresholds(), "below_score", ["cat", "0.043", "threshold 0.50"]),
        (4, Thresholds(max_detections=2), "cut_by_max", ["cow 0.55", "limit of 2", "number 3"]),
        (3, Thresholds(classes=frozenset({"dog"})), "hidden_by_class_filter", ["class filter"]),
        (
            1,
            Thresholds(nms="soft-gaussian", sigma=0.5),
            "decayed",
            ["from 0.80", "box 1 (dog 0.97)", "IoU 0.67"],
        ),
    ],
)
def test_each_fate_in_a_sentence(box, thresholds, fate, words):
    answer = why_box(select(constructed(), thresholds), BOXES[box])
    assert answer.fate == fate and answer.candidate == box
    for word in words:
        assert word in answer.sentence
    assert answer.facts["coverage"] == pytest.approx(1)
    json.dumps(dict(answer.facts))


def test_among_boxes_that_cover_equally_well_the_best_score_speaks():
    chosen = select(constructed(), Thresholds(nms="none"))
    assert why_box(chosen, [14, 10, 55, 50]).candidate == 0
    assert why_box(chosen, BOXES[1]).candidate == 1
    assert why_box(select(constructed(), Thresholds()), BOXES[3], label="cat").candidate == 3


def test_a_spot_asks_the_box_that_it_is_in_the_middle_of():
    chosen = select(constructed(), Thresholds())
    assert why_spot(chosen, 30, 30).candidate == 0
    assert why_spot(chosen, 120, 30).fate == "below_score"
    assert why_spot(chosen, 120, 30, label="cat").candidate == 2


@given(
    st.lists(st.tuples(*[st.floats(-50, 50)] * 4), min_size=1, max_size=8),
    st.floats(-50, 50),
    st.floats(-50, 50),
)
@settings(max_examples=80, deadline=None)
def test_centerness_is_the_papers(raw, x, y):
    boxes = np.array([[min(a, c), min(b, d), max(a, c), max(b, d)] for a, b, c, d in raw])
    for value, (x1, y1, x2, y2) in zip(centerness(boxes, x, y), boxes, strict=True):
        inside = x1 < x < x2 and y1 < y < y2
        sides = (x - x1, x2 - x, y - y1, y2 - y)
        expected = 0.0
        if inside:
            expected = (min(sides[:2]) / max(sides[:2]) * min(sides[2:]) / max(sides[2:])) ** 0.5
        assert value == pytest.approx(expected, abs=1e-5)


def with_field(fates: list[str]) -> DetectionTrace:
    """Three anchors at the right edge, away from every candidate, with the given fates.

    Candidate 4 came from anchor 1, where that was a source.
    """
    last = 1 if fates[1] == "source" else 7
    boxes = np.array([[75, 60, 95, 78], [76, 60, 96, 78], [75, 20, 95, 40]], np.float32)
    field = AnchorField(
        anchors_net=boxes - np.float32(3),
        boxes_net=boxes,
        scores=np.array([0.30, 0.90, 0.02], np.float32),
        level=np.zeros(3, np.uint8),
        fate=np.array([ANCHOR_FATES.index(f) for f in fates], np.uint8),
        score_name="objectness",
    )
    funnel = (
        Cut("rpn_pre_nms", 2, 1000, ""),
        Cut("rpn_nms", 1, 0.7, ""),
        Cut("rpn_post_nms", 1, 50, ""),
        Cut("level_topk", 1, 400, ""),
    )
    return dataclasses.replace(
        constructed(),
        field=field,
        funnel=funnel,
        source_index=np.array([7, 7, 7, 7, last]),
    )


@pytest.mark.parametrize(
    ("fates", "fate", "stage", "words"),
    [
        (
            ["rpn_nms", "source", "rpn_pre_nms"],
            "cut_earlier",
            "rpn_nms",
            ["RPN's own NMS to proposal 4", "objectness 0.900", "IoU 0.90", "0.7"],
        ),
        (["rpn_nms", "rpn_post_nms", "tiny"], "cut_earlier", "rpn_nms", ["to anchor 1"]),
        (["rpn_pre_nms"] * 3, "cut_earlier", "rpn_pre_nms", ["1000 best", "objectness 0.300"]),
        (["rpn_post_nms"] * 3, "cut_earlier", "rpn_post_nms", ["50 best"]),
        (["level_topk"] * 3, "cut_earlier", "level_topk", ["400 best"]),
        (["score_floor"] * 3, "never_proposed", None, ["floor 0.001"]),
    ],
)
def test_places_lost_before_they_were_candidates(fates, fate, stage, words):
    found = with_field(fates)
    anchor = found.field.boxes_net[0] * 2  # the photo is twice as large as the network's input
    answer = lost.at_box(found, anchor, covers=0.5, slack=0.0)
    assert (answer.fate, answer.facts.get("stage"), answer.candidate) == (fate, stage, None)
    assert all(word in answer.sentence for word in words), answer.sentence
    asked = why_box(select(found, Thresholds()), anchor)
    assert asked.candidate is None or "source" in fates
    json.dumps(dict(answer.facts))


def test_a_proposal_whose_boxes_moved_away_answers_with_its_candidate():
    found = with_field(["rpn_nms", "source", "tiny"])
    answer = why_box(select(found, Thresholds()), found.field.boxes_net[1] * 2)
    assert (answer.candidate, answer.fate) == (4, "kept")
    assert answer.facts["coverage"] == 0


def test_nothing_near_is_never_proposed_with_the_nearest_anchor():
    answer = why_box(select(with_field(["source"] * 3), Thresholds()), [0, 150, 20, 160])
    assert answer.fate == "never_proposed"
    assert "nearest anchor" in answer.sentence and "objectness" in answer.facts


@pytest.mark.parametrize(
    ("box", "word"),
    [
        ([1, 2, 3], "four numbers"),
        ([5, 5, 5, 9], "x1 < x2"),
        ([9, 9, 2, 2], "x1 < x2"),
        ([float("nan")] * 4, "four numbers"),
        ([300, 10, 400, 20], "outside"),
    ],
)
def test_bad_boxes_are_refused(box, word):
    with pytest.raises(UserError, match=word):
        why_box(select(constructed(), Thresholds()), box)


def test_bad_spots_and_classes_are_refused():
    chosen = select(constructed(), Thresholds())
    with pytest.raises(UserError, match="outside"):
        why_spot(chosen, -1, 5)
    with pytest.raises(UserError, match="no class called 'yak'"):
        why_spot(chosen, 5, 5, label="yak")


def test_anchor_fates_of_the_rpn_are_torchvisions():
    """Those that survived are exactly the proposals of torchvision's own RPN."""
    module, photo = built("maskrcnn_resnet50_fpn"), picture(333, 777, smooth=True)
    found = trace(module, photo)
    field = found.field
    with torch.no_grad():
        images, _ = module.transform([tensor_of(photo)])
        proposals, _ = module.rpn(images, module.backbone(images.tensors))
    source = np.flatnonzero(field.fate == ANCHOR_FATES.index("source"))
    assert sorted(source.tolist()) == sorted(found.source_index.tolist())
    np.testing.assert_allclose(field.boxes_net[found.source_index], proposals[0], atol=1e-4)
    counts = {name: int((field.fate == i).sum()) for i, name in enumerate(ANCHOR_FATES)}
    stages = {s.name: s.count for s in found.funnel[:6]}
    assert counts["rpn_pre_nms"] == stages["anchors"] - stages["rpn_pre_nms"]
    assert counts["rpn_nms"] == stages["rpn_score"] - stages["rpn_nms"]
    assert counts["rpn_post_nms"] == stages["rpn_nms"] - stages["rpn_post_nms"] > 0
    assert sum(counts.values()) == stages["anchors"]


def test_lost_in_the_rpns_nms_names_a_true_winner():
    found = trace(built("maskrcnn_resnet50_fpn"), picture(333, 777, smooth=True))
    field = found.field
    beaten = np.flatnonzero(field.fate == ANCHOR_FATES.index("rpn_nms"))[:40]
    for anchor in beaten:
        answer = lost._of_anchor(found, field, int(anchor), None)
        kind, number = answer.facts["to"].split()
        winner = found.source_index[int(number)] if kind == "proposal" else int(number)
        assert field.scores[winner] >= field.scores[anchor]
        pair = torch.tensor(field.boxes_net[[anchor, winner]])
        assert float(box_iou(pair[:1], pair[1:])) == pytest.approx(answer.facts["iou"], abs=1e-5)
        assert answer.facts["iou"] > 0.7


@pytest.mark.parametrize(
    "name", ["fcos_resnet50_fpn", "retinanet_resnet50_fpn", "ssdlite320_mobilenet_v3_large"]
)
def test_fields_of_one_stage_networks(name):
    found = trace(built(name), picture(333, 777, smooth=True))
    field = found.field
    used = np.flatnonzero(field.fate == ANCHOR_FATES.index("source"))
    assert used.tolist() == found.source_index.tolist()
    np.testing.assert_array_equal(
        field.boxes_net[found.source_index[found.source]], found.boxes_net
    )
    below = field.fate == ANCHOR_FATES.index("score_floor")
    assert (field.scores[below] <= found.floor).all() and (field.scores[~below] > found.floor).all()
    best = np.zeros(len(field.scores), np.float32)
    np.maximum.at(best, found.source_index[found.source], found.scores)
    assert (best[used] <= field.scores[used] + 1e-6).all()
