"""A property: verdicts partition the candidates, and each is true when worked out again."""

from __future__ import annotations

import dataclasses

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.ops import box_iou

from tests.builders import make_trace
from vision_core.records import DetectionTrace
from vision_core.selection import FATES, Thresholds, select

AGREES = 2e-3  # the shift of batched_nms rounds coordinates; the reference knows no shift


@st.composite
def traces(draw: st.DrawFn) -> DetectionTrace:
    """Made-up traces, some with equal scores, equal boxes and boxes without a size."""
    trace = make_trace(draw(st.integers(0, 10_000)), draw(st.integers(0, 70)))
    boxes, scores = trace.boxes.copy(), trace.scores.copy()
    if draw(st.booleans()):
        boxes, scores = np.round(boxes / 10) * 10, np.round(scores * 4) / 4
    boxes = boxes.astype(np.float32)
    return dataclasses.replace(
        trace, boxes=boxes, boxes_net=boxes, scores=scores.astype(np.float32)
    )


def iou_of(trace: DetectionTrace) -> np.ndarray:
    boxes = torch.from_numpy(trace.boxes_net.astype(np.float64))
    return box_iou(boxes, boxes).nan_to_num(0).numpy()


@given(
    trace=traces(),
    score=st.sampled_from([0.0, 0.25, 0.3, 0.5]),
    iou=st.floats(0, 1),
    nms=st.sampled_from(["hard", "soft-linear", "soft-gaussian", "none"]),
    agnostic=st.booleans(),
    limit=st.integers(1, 40),
    classes=st.sampled_from([None, frozenset({"cat"})]),
)
@settings(max_examples=200, deadline=None)
def test_each_verdict_is_true(trace, score, iou, nms, agnostic, limit, classes):
    t = Thresholds(score, iou, nms, 0.5, agnostic, limit, classes)
    chosen, overlap = select(trace, t), iou_of(trace)
    verdicts = [chosen.verdict(i) for i in range(len(trace))]
    assert sum(chosen.counts().values()) == len(trace)
    assert {v.fate for v in verdicts} <= set(FATES)
    survivors = [i for i in range(len(trace)) if chosen.rank[i] >= 0]
    assert sorted(chosen.rank[survivors]) == list(range(len(survivors)))
    for i, verdict in enumerate(verdicts):
        above = trace.scores[i] > np.float32(score)
        assert (verdict.fate == "below_score") == (not above)
        if verdict.fate not in ("suppressed", "decayed"):
            continue
        k = verdict.facts["by"]
        assert agnostic or trace.label_ids[k] == trace.label_ids[i]
        assert abs(overlap[i, k] - verdict.facts["iou"]) < AGREES
        if verdict.fate == "suppressed":
            assert k in survivors and trace.scores[k] >= trace.scores[i]
            assert verdict.facts["iou"] > iou and overlap[i, k] > iou - AGREES
        else:
            least = max(float(np.float32(score)), 0)  # in single precision, as scores are
            assert verdict.facts["to"] <= least < verdict.facts["from"]
            assert nms != "soft-linear" or verdict.facts["iou"] > iou
    free_of_each_other(trace, t, survivors, overlap)


def free_of_each_other(trace, t, survivors, overlap) -> None:
    """After hard NMS no two survivors that compete overlap by more than the threshold."""
    if t.nms != "hard":
        return
    for at, a in enumerate(survivors):
        for b in survivors[at + 1 :]:
            if t.agnostic or trace.label_ids[a] == trace.label_ids[b]:
                assert overlap[a, b] <= t.iou + AGREES
