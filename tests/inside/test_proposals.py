"""The best k proposals and their recall against the RPN's own filter and a slow count."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.inside.nets import TWO_STAGE, looked_into, module_of, true_boxes
from tests.inside.slow import iou
from vision_core.errors import UserError
from vision_core.inside.opened import network_boxes
from vision_core.inside.proposals import Ranked, anchor_maps, best, objectness_maps, recall


@pytest.mark.parametrize("name", TWO_STAGE)
def test_after_nms_they_are_what_the_rpn_gives(name):
    here, rpn = looked_into(name), module_of(name).rpn
    field = here.trace.field
    with torch.no_grad():
        boxes, scores = rpn.filter_proposals(
            torch.from_numpy(field.boxes_net.copy())[None],
            torch.from_numpy(here.logits[None, :, 0].copy()),
            [here.trace.info.network_size[::-1]],
            [level.count for level in here.levels],
        )
    count = len(scores[0])
    found = best(here, "after", count)
    assert count == min(rpn.post_nms_top_n(), len(best(here, "after", 10**6)))
    np.testing.assert_allclose(found.scores, scores[0], rtol=1e-6)
    ours, theirs = network_boxes(here, found.boxes), boxes[0].numpy()
    for score in np.unique(scores[0]):  # which of equally good ones comes first is open
        rows = scores[0].numpy() == score
        ours[rows], theirs[rows] = _by_place(ours[rows]), _by_place(theirs[rows])
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-3)


def _by_place(boxes: np.ndarray) -> np.ndarray:
    return boxes[np.lexsort(boxes.round().T)]


@pytest.mark.parametrize("name", TWO_STAGE)
def test_before_nms_there_are_more_and_none_is_better(name):
    here = looked_into(name)
    before, after = best(here, "before", 10**6), best(here, "after", 10**6)
    assert set(after.anchor) < set(before.anchor)
    stages = {stage.name: stage.count for stage in here.trace.funnel}
    assert len(before) == stages["rpn_score"] and len(after) == stages["rpn_nms"]
    assert (np.diff(before.scores) <= 0).all() and before.scores[0] == after.scores[0]
    assert len(best(here, "before", 7)) == 7


@pytest.mark.parametrize("name", TWO_STAGE)
def test_the_maps_hold_every_objectness_in_its_place(name):
    here = looked_into(name)
    maps, every = objectness_maps(here), anchor_maps(here)
    np.testing.assert_array_equal(
        np.concatenate([m.ravel() for m in every]), here.trace.field.scores
    )
    expected = 1 / (1 + np.exp(-here.logits[:, 0]))
    np.testing.assert_allclose(np.concatenate([m.ravel() for m in every]), expected, rtol=1e-4)
    for level, flat, full in zip(here.levels, maps, every, strict=True):
        assert flat.shape == (level.rows, level.columns)
        assert flat[2 % level.rows, 1 % level.columns] == max(
            full[2 % level.rows, 1 % level.columns]
        )


@pytest.mark.parametrize("name", TWO_STAGE)
def test_recall_over_k_is_what_counting_finds(name):
    here, truth = looked_into(name), true_boxes(name).numpy()
    ranked = best(here, "after", 60)
    found = recall(ranked, truth, 0.3)
    overlaps = [[iou(p, t) for t in truth] for p in ranked.boxes]
    for k in (1, 5, 20, len(ranked)):
        hit = sum(any(overlaps[i][j] >= 0.3 for i in range(k)) for j in range(len(truth)))
        assert found.recall[k - 1] == pytest.approx(hit / len(truth))
    np.testing.assert_allclose(found.best, np.max(overlaps, axis=0), rtol=1e-4)


@given(st.integers(0, 1000), st.integers(0, 40), st.sampled_from([0.1, 0.5, 0.9]))
def test_recall_never_falls_and_ends_at_what_is_found(seed, count, limit):
    rng = np.random.default_rng(seed)
    low = rng.uniform(0, 50, (count, 2))
    boxes = np.concatenate([low, low + rng.uniform(5, 50, (count, 2))], 1)
    ranked = Ranked(np.arange(count), boxes, np.linspace(1, 0, count), np.zeros(count, int))
    truth = [[10, 10, 50, 50], [30, 20, 70, 90]]
    found = recall(ranked, truth, limit)
    assert (np.diff(found.recall) >= 0).all() and len(found.k) == count
    final = np.mean(found.best >= np.float32(limit))
    assert final == (found.recall[-1] if count else 0) == np.mean(found.first > 0)


def test_others_have_no_proposals():
    for ask in (lambda h: best(h, "after"), objectness_maps):
        with pytest.raises(UserError, match="no region proposals"):
            ask(looked_into("fcos_s"))
    with pytest.raises(ValueError, match="true box"):
        recall(best(looked_into("faster_rcnn_s"), "after"), [], 0.5)
