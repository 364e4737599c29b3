"""Fates of candidates: every one has exactly one, and each is what it says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import make_trace
from vision_core.errors import UserError
from vision_core.selection import FATES, NMS_VARIANTS, Thresholds, select


@given(
    seed=st.integers(0, 999),
    score=st.floats(0, 1),
    iou=st.floats(0, 1),
    nms=st.sampled_from(NMS_VARIANTS),
    agnostic=st.booleans(),
    limit=st.integers(1, 60),
    classes=st.sampled_from([None, frozenset(), frozenset({"cat"}), frozenset({"dog", "cow"})]),
)
@settings(max_examples=150, deadline=None)
def test_fates_partition_the_candidates(seed, score, iou, nms, agnostic, limit, classes):
    trace = make_trace(seed, 50)
    t = Thresholds(score, iou, nms, 0.5, agnostic, limit, classes)
    chosen = select(trace, t)
    assert sum(chosen.counts().values()) == len(trace)
    kept = [i for i in range(len(trace)) if chosen.verdict(i).fate == "kept"]
    assert sorted(chosen.detections.candidate.tolist()) == kept
    assert (np.diff(chosen.detections.scores) <= 0).all()
    for i in range(len(trace)):
        verdict = chosen.verdict(i)
        if verdict.fate == "below_score":
            assert trace.scores[i] <= np.float32(score)
        if verdict.fate in ("suppressed", "decayed"):
            assert 0 <= verdict.facts["by"] < len(trace) and verdict.facts["by"] != i
        if verdict.fate == "decayed":
            assert verdict.facts["to"] <= score < verdict.facts["from"]
        if verdict.fate == "cut_by_max":
            assert verdict.facts["rank"] >= limit
        if verdict.fate == "hidden_by_class_filter":
            assert trace.label(i) not in classes
    visible = {"cat", "dog", "cow"} if classes is None else classes
    assert set(chosen.detections.labels) <= visible


def test_class_filter_changes_no_other_verdict():
    trace = make_trace(3, 80)
    everything = select(trace, Thresholds(score=0.1, max_detections=9))
    cats = select(trace, Thresholds(score=0.1, max_detections=9, classes=frozenset({"cat"})))
    for i in range(len(trace)):
        before, after = everything.verdict(i).fate, cats.verdict(i).fate
        hidden = before == "kept" and trace.label(i) != "cat"
        assert after == ("hidden_by_class_filter" if hidden else before)


def test_score_filter_is_strict():
    trace = make_trace(1, 20)
    at = float(trace.scores[4])
    assert select(trace, Thresholds(score=at, nms="none")).verdict(4).fate == "below_score"


@pytest.mark.parametrize("nms", NMS_VARIANTS)
def test_no_candidates_and_one_candidate(nms):
    assert len(select(make_trace(0, 0), Thresholds(nms=nms)).detections) == 0
    assert len(select(make_trace(0, 1), Thresholds(score=0.0, nms=nms)).detections) == 1


def test_selection_is_read_only_and_leaves_the_trace_alone():
    trace = make_trace(7, 60)
    before = trace.scores.copy()
    chosen = select(trace, Thresholds(score=0.05, nms="soft-gaussian"))
    assert (trace.scores == before).all()
    for array in (chosen.fate, chosen.by, chosen.detections.boxes, chosen.detections.scores):
        with pytest.raises(ValueError):
            array[...] = 0
    with pytest.raises(IndexError):
        chosen.verdict(len(trace))


def test_hard_nms_filters_before_or_after_alike_and_soft_nms_does_not():
    """Filtering by score commutes with hard NMS; with soft NMS it must see decayed scores."""
    differs = 0
    for seed in range(30):
        trace = make_trace(seed, 60)
        low = select(trace, Thresholds(score=0.01, iou=0.4)).detections
        high = select(trace, Thresholds(score=0.5, iou=0.4)).detections
        after = low.candidate[low.scores > np.float32(0.5)]
        assert after.tolist() == high.candidate.tolist()
        soft = select(trace, Thresholds(score=0.5, iou=0.4, nms="soft-gaussian")).detections
        hard_scores = trace.scores[soft.candidate]
        differs += bool((soft.scores < hard_scores).any())
    assert differs > 0


@pytest.mark.parametrize(
    ("kwargs", "word"),
    [
        ({"score": -0.1}, "score"),
        ({"score": 1.5}, "score"),
        ({"score": float("nan")}, "score"),
        ({"iou": 2}, "iou"),
        ({"nms": "fast"}, "NMS"),
        ({"sigma": 0}, "Sigma"),
        ({"sigma": float("inf")}, "Sigma"),
        ({"max_detections": 0}, "Max"),
    ],
)
def test_values_out_of_range_are_refused_in_one_sentence(kwargs, word):
    with pytest.raises(UserError, match=word) as caught:
        Thresholds(**kwargs)
    assert "\n" not in str(caught.value)


def test_thresholds_as_dict_are_json_ready():
    import json

    assert json.loads(json.dumps(Thresholds(classes=frozenset({"dog", "cat"})).as_dict())) == {
        "score": 0.5,
        "iou": 0.5,
        "nms": "hard",
        "sigma": 0.5,
        "agnostic": False,
        "max_detections": 100,
        "classes": ["cat", "dog"],
    }


def test_all_fates_are_reachable():
    trace = make_trace(11, 60)
    seen = set()
    for t in (
        Thresholds(score=0.3, iou=0.3, max_detections=3, classes=frozenset({"cat"})),
        Thresholds(score=0.3, nms="soft-gaussian", sigma=0.1),
        Thresholds(score=0.0, nms="none"),
    ):
        seen |= {name for name, n in select(trace, t).counts().items() if n}
    assert seen == set(FATES)
