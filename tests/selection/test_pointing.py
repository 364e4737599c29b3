"""What an answer points out on the picture."""

from __future__ import annotations

import numpy as np
import pytest

from tests.inference.reference import built, picture
from tests.selection.test_why import BOXES, constructed, with_field
from vision_core.inference import trace
from vision_core.selection import Thresholds, lost, select
from vision_core.selection.pointing import named_boxes
from vision_core.selection.why import Why, why_box, why_spot


def test_a_suppressed_candidate_comes_with_its_suppressor():
    chosen = select(constructed(), Thresholds())
    first, second = named_boxes(chosen, why_box(chosen, BOXES[1]))
    assert (first.role, first.box, first.text, first.iou) == (
        "candidate",
        BOXES[1],
        "dog 0.80",
        None,
    )
    assert (second.role, second.box, second.text) == ("suppressor", BOXES[0], "box 1: dog 0.97")
    assert second.iou == pytest.approx(2 / 3)


def test_a_kept_candidate_stands_alone():
    chosen = select(constructed(), Thresholds())
    assert [n.role for n in named_boxes(chosen, why_box(chosen, BOXES[0]))] == ["candidate"]


def test_a_place_lost_in_the_rpn_shows_anchor_box_and_winner():
    found = with_field(["rpn_nms", "rpn_post_nms", "tiny"])
    chosen = select(found, Thresholds())
    box = found.field.boxes_net[0] * 2
    gone = lost.at_box(found, box, covers=0.5, slack=0.0)
    roles = named_boxes(chosen, Why(gone.sentence, gone.fate, None, gone.facts))
    assert [n.role for n in roles] == ["network_box", "anchor", "winner"]
    np.testing.assert_allclose(roles[0].box, box)
    np.testing.assert_allclose(roles[1].box, box - 6)
    np.testing.assert_allclose(roles[2].box, found.field.boxes_net[1] * 2)
    assert roles[2].iou == pytest.approx(0.9, abs=0.01)


@pytest.mark.parametrize("name", ["maskrcnn_resnet50_fpn", "fcos_resnet50_fpn"])
def test_every_spot_of_a_real_trace_gets_an_answer_whose_boxes_lie_in_the_photo(name):
    photo = picture(333, 777, smooth=True)
    found = trace(built(name), photo)
    chosen = select(found, found.defaults)
    fates = set()
    for x in range(5, photo.width, 40):
        for y in range(5, photo.height, 60):
            answer = why_spot(chosen, x, y)
            fates.add(answer.fate)
            named = named_boxes(chosen, answer)
            assert named and answer.sentence
            if answer.candidate is not None:
                assert named[0].box == found.boxes[answer.candidate].tolist()
    assert len(fates) > 1
