"""The replay ends where torchvision's NMS and the selection end."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.ops import batched_nms, box_iou

from tests.builders import make_trace
from vision_core.selection import NMS_VARIANTS, Thresholds, select
from vision_core.selection.replay import replay


@given(
    st.integers(0, 500),
    st.integers(0, 80),
    st.sampled_from([0.0, 0.3, 0.6]),
    st.sampled_from([0.2, 0.5]),
)
@settings(max_examples=60, deadline=None)
def test_hard_steps_end_where_batched_nms_ends(seed, n, score, iou):
    trace = make_trace(seed, n)
    steps = replay(trace, Thresholds(score, iou))
    alive = np.flatnonzero(trace.scores > np.float32(score))
    expected = alive[
        batched_nms(
            torch.tensor(trace.boxes_net[alive]),
            torch.tensor(trace.scores[alive]),
            torch.tensor(trace.label_ids[alive]),
            iou,
        ).numpy()
    ]
    assert [s.kept for s in steps] == expected.tolist()
    assert sum(1 + len(s.effects) for s in steps) == len(alive)
    assert [s.remaining for s in steps][-1:] in ([0], [])
    for step in steps:
        for effect in step.effects:
            pair = torch.tensor(trace.boxes_net[[step.kept, effect.candidate]])
            assert float(box_iou(pair[:1], pair[1:])) == pytest.approx(effect.iou, abs=1e-3)
            assert effect.iou > iou and effect.before <= step.score and effect.out


@given(
    st.integers(0, 500),
    st.integers(0, 60),
    st.sampled_from(["soft-linear", "soft-gaussian"]),
    st.booleans(),
    st.sampled_from([0.02, 0.3]),
)
@settings(max_examples=60, deadline=None)
def test_soft_steps_end_at_the_selections_scores(seed, n, nms, agnostic, score):
    trace = make_trace(seed, n)
    thresholds = Thresholds(score, 0.4, nms, 0.5, agnostic, max_detections=1000)
    chosen, steps = select(trace, thresholds), replay(trace, thresholds)
    assert [s.kept for s in steps] == chosen.detections.candidate.tolist()
    np.testing.assert_allclose([s.score for s in steps], chosen.detections.scores, rtol=1e-5)
    out = {e.candidate: e.after for s in steps for e in s.effects if e.out}
    decayed = {i for i in range(n) if chosen.verdict(i).fate == "decayed"}
    assert set(out) == decayed
    for step in steps:
        ious = [e.iou for e in step.effects]
        assert ious == sorted(ious, reverse=True)
        assert all(e.after <= e.before for e in step.effects)
    if steps:
        assert steps[-1].remaining == 0


@pytest.mark.parametrize("nms", NMS_VARIANTS)
def test_the_limit_and_the_class_filter_do_not_shorten_the_replay(nms):
    trace = make_trace(4, 50)
    plain = replay(trace, Thresholds(0.1, nms=nms, max_detections=1000))
    cut = replay(trace, Thresholds(0.1, nms=nms, max_detections=2, classes=frozenset({"cat"})))
    assert plain == cut and len(plain) > 2


def test_without_nms_every_step_keeps_one_and_touches_none():
    steps = replay(make_trace(4, 30), Thresholds(0.0, nms="none"))
    assert len(steps) == 30 and not any(s.effects for s in steps)
