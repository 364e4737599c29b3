"""The selection that the browser repeats while a hand is on the slider equals Python's."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from tests.browser import engine
from tests.builders import make_trace
from tests.components.traces import IOUS, degenerate, grid, many_labels, ties, touching
from tests.inference.reference import built, picture
from vision_core.figures.browser.live import best
from vision_core.inference import trace as run_network
from vision_core.selection import NMS_VARIANTS, Thresholds, select

pytestmark = pytest.mark.browser
SOFT_RTOL = 1e-6  # exp() of NumPy and of V8 may differ in the last of 53 bits; scores are float32


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    found = browser.new_page()
    yield engine.load(found)
    found.close()


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
