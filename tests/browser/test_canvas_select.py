"""The selection that the browser repeats while a hand is on the slider equals Python's."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from pages.components.canvas.live import best
from tests.browser import engine
from tests.builders import make_trace
from tests.inference.reference import built, picture
from vision_core.inference import trace as run_network
from vision_core.records import DetectionTrace
from vision_core.selection import NMS_VARIANTS, Thresholds, select

pytestmark = pytest.mark.browser
SOFT_RTOL = 1e-6  # exp() of NumPy and of V8 may differ in the last of 53 bits; scores are float32


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    found = browser.new_page()
    yield engine.load(found)
    found.close()


def with_arrays(trace: DetectionTrace, **arrays: np.ndarray) -> DetectionTrace:
    if "boxes" in arrays:
        arrays["boxes_net"] = arrays["boxes"].astype(np.float32)
    return dataclasses.replace(trace, **arrays)


def ties(n: int = 90) -> DetectionTrace:
    """Only five different scores, and many boxes exactly equal."""
    trace = make_trace(5, n)
    boxes = np.round(trace.boxes / 8) * 8
    boxes[n // 2 :] = boxes[: n - n // 2]
    scores = (np.arange(n) % 5 / 5 + 0.1).astype(np.float32)
    return with_arrays(trace, boxes=boxes, scores=scores)


def touching() -> DetectionTrace:
    """Scores and IoUs that lie exactly on thresholds of the grid: 0.3, 0.5, 0.7, 0 and 1."""
    widths = [9, 3, 5, 7, 10, 0, 1, 10]
    boxes = np.array([[0, 0, w, 10] for w in widths], np.float64)
    apart = boxes + np.array([10, 0, 10, 0])  # edges that touch those of the first group
    scores = np.array([0.9, 0.3, 0.5, 0.7, 0.30000001, 0.5, 0.29999998, 1.0] * 2, np.float32)
    trace = make_trace(0, 16)
    labels = np.array([0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2])
    return with_arrays(trace, boxes=np.concatenate([boxes, apart]), scores=scores, label_ids=labels)


def degenerate() -> DetectionTrace:
    """Points, lines, boxes turned inside out, one that covers everything, among ordinary ones."""
    trace = make_trace(3, 60)
    boxes = trace.boxes.astype(np.float64)
    boxes[0] = [5, 5, 5, 5]
    boxes[1] = [5, 5, 5, 5]
    boxes[2] = [0, 8, 100, 8]
    boxes[3] = [50, 50, 40, 60]
    boxes[4] = [50, 50, 40, 40]
    boxes[5] = [0, 0, 200, 160]
    boxes[6] = [0, 0, 200, 160]
    boxes[7] = [0, 0, 1e-30, 1e-30]
    boxes[8] = [0, 0, 1e-30, 1e-30]
    return with_arrays(trace, boxes=boxes)


def many_labels(n: int) -> DetectionTrace:
    """Ninety classes on a large picture, where the shift of batched_nms rounds most."""
    names = tuple(f"class {i}" for i in range(90))
    trace = make_trace(8, n, labels=names, size=(1333, 800))
    return with_arrays(trace, boxes=trace.boxes + np.float32(1 / 3))


TRACES = {
    "clusters": lambda: make_trace(1, 120),
    "ties": ties,
    "touching": touching,
    "degenerate": degenerate,
    "shifted far": lambda: many_labels(900),
    "exactly 1,000": lambda: make_trace(2, 1000),
    "1,001": lambda: make_trace(2, 1001),
    "none": lambda: make_trace(0, 0),
    "one": lambda: make_trace(0, 1),
}
SCORES = (0.0, 0.29999998211860657, 0.3, 0.5, 0.7, 1.0)
IOUS = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0)
RARE = (  # limit, class filter, sigma: taken in turn over the grid of the others
    (100, None, 0.5),
    (3, None, 0.1),
    (1, frozenset({"cat"}), 2.0),
    (2000, frozenset({"dog", "class 7"}), 0.5),
    (7, frozenset(), 0.5),
)


def grid(trace: DetectionTrace) -> list[Thresholds]:
    wanted = itertools.product(SCORES, IOUS, NMS_VARIANTS, (False, True))
    if len(trace) > 500:  # fewer score thresholds: Python's soft NMS takes its time
        wanted = itertools.product((0.0, 0.3, 0.7), (0.0, 0.3, 0.5), NMS_VARIANTS, (False, True))
    return [
        Thresholds(score, iou, nms, sigma, agnostic, limit, classes)
        for i, (score, iou, nms, agnostic) in enumerate(wanted)
        for limit, classes, sigma in [RARE[0], RARE[1 + i % (len(RARE) - 1)]]
    ]


@pytest.mark.parametrize("name", TRACES)
def test_the_browser_selects_what_python_selects(page: Page, name: str) -> None:
    trace = TRACES[name]()
    many = grid(trace)
    kept = 0
    for thresholds, got in zip(many, engine.run(page, trace, many), strict=True):
        expected = select(trace, thresholds)
        compare(got, expected, thresholds)
        kept += len(expected.detections)
    assert kept > 0 or not len(trace)


def compare(got, expected, thresholds) -> None:
    found = expected.detections
    assert got["kept"] == found.candidate.tolist(), thresholds
    assert got["fate"] == expected.fate.tolist(), thresholds
    assert got["counts"] == list(expected.counts().values())
    final = np.array(got["final"], np.float32)
    if thresholds.nms in ("hard", "none"):
        assert got["by"] == expected.by.tolist(), thresholds
        assert got["iou"] == expected.iou.tolist(), thresholds
        assert final[got["kept"]].tolist() == found.scores.tolist()
    else:
        np.testing.assert_allclose(final, expected.final_scores, rtol=SOFT_RTOL, atol=1e-30)
        assert got["by"] == expected.by.tolist(), thresholds
        np.testing.assert_allclose(got["iou"], expected.iou, rtol=1e-7)


@pytest.mark.parametrize("name", ["fcos_resnet50_fpn", "ssdlite320_mobilenet_v3_large"])
def test_networks_with_a_top_k_and_equal_scores(page: Page, name: str) -> None:
    """The order in which a top-k of a level or a class leaves equal scores counts."""
    whole = run_network(built(name), picture(300, 260, seed=4))
    rows = best(whole, 700)
    assert rows is not None
    trace = dataclasses.replace(
        whole,
        **{
            part: getattr(whole, part)[rows]
            for part in (
                "boxes",
                "boxes_net",
                "scores",
                "label_ids",
                "source",
                "level",
                "group",
                "position",
            )
        },
    )
    trace = dataclasses.replace(trace, scores=np.round(trace.scores, 2))
    ranked = np.sort(trace.scores)[::-1]
    assert len(np.unique(trace.scores)) < 100
    many = [
        Thresholds(float(ranked[rank]), iou, nms, 0.5, agnostic, 100)
        for rank in (600, 60)
        for iou in (0.3, 0.6)
        for nms in NMS_VARIANTS
        for agnostic in (False, True)
    ]
    for thresholds, got in zip(many, engine.run(page, trace, many), strict=True):
        compare(got, select(trace, thresholds), thresholds)


@pytest.mark.parametrize("agnostic", [False, True])
def test_ties_among_more_than_1000_boxes_may_only_change_places(page: Page, agnostic) -> None:
    """batched_nms sorts what its loop over classes kept with an unstable sort, whose order of equal
    scores depends on the processor. Everything else is the same; without classes there is no sort.
    """
    trace = ties(1500)
    many = [Thresholds(0.05, iou, "hard", 0.5, agnostic, 2000) for iou in IOUS]
    for thresholds, got in zip(many, engine.run(page, trace, many), strict=True):
        expected = select(trace, thresholds)
        if agnostic:
            compare(got, expected, thresholds)
        assert got["fate"] == expected.fate.tolist()
        assert got["by"] == expected.by.tolist()
        assert trace.scores[got["kept"]].tolist() == expected.detections.scores.tolist()
        assert sorted(got["kept"]) == sorted(expected.detections.candidate.tolist())


def test_the_grid_meets_ties_and_touching_thresholds() -> None:
    """The comparison above would pass for being empty without these."""
    assert len(np.unique(ties().scores)) == 5
    trace = touching()
    met = select(trace, Thresholds(score=0.0, iou=0.3, agnostic=True))
    assert {np.float32(0.3), np.float32(0.5), np.float32(0.7)} <= set(trace.scores)
    assert float(np.float32(3) / np.float32(10)) > 0.3, "3/10 in float32 lies above the double"
    assert (met.iou == np.float32(0.3)).any()


def test_going_back_and_forth_changes_nothing(page: Page) -> None:
    """The browser remembers earlier runs; the order of the questions must not show."""
    trace = make_trace(4, 1400)
    asked = [
        Thresholds(score=s, iou=i, max_detections=2000)
        for s, i in [(0.9, 0.5), (0.1, 0.5), (0.6, 0.5), (0.0, 0.3), (0.0, 0.5), (0.8, 0.3)]
    ]
    for thresholds, got in zip(asked, engine.run(page, trace, asked), strict=True):
        compare(got, select(trace, thresholds), thresholds)
