"""What the replay sends to the browser is what the selection does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pages.components.replay import MOST, at_most, content
from tests.builders import make_trace
from vision_core import samples
from vision_core.selection import Thresholds, select


def test_content_repeats_the_selection_for_every_variant() -> None:
    trace = make_trace(3, 60)
    thresholds = Thresholds(0.1, 0.4, max_detections=1000)
    sent = content(samples.sample("cat"), trace, thresholds)
    assert [v["name"] for v in sent["variants"]] == ["hard", "soft-linear", "soft-gaussian"]
    for variant in sent["variants"]:
        chosen = select(trace, replace(thresholds, nms=variant["name"]))
        kept = [sent["ids"][step[0]] for step in variant["steps"]]
        assert kept == chosen.detections.candidate.tolist()
        scores = [step[1] for step in variant["steps"]]
        np.testing.assert_allclose(scores, chosen.detections.scores, atol=1e-4)
        out = {sent["ids"][e[0]] for step in variant["steps"] for e in step[2] if e[4]}
        lost = {"suppressed", "decayed"}
        assert out == {i for i in range(60) if chosen.verdict(i).fate in lost}


@pytest.mark.parametrize("count", [0, MOST, MOST + 1, 3 * MOST])
def test_no_more_candidates_than_can_be_seen(count: int) -> None:
    trace = make_trace(5, count)
    used, above = at_most(trace, Thresholds(0.0))
    left = int((trace.scores > np.float32(used.score)).sum())
    assert above == int((trace.scores > 0).sum())
    assert left <= MOST and (used.score == 0.0) == (above <= MOST)
    if above > MOST and len(np.unique(trace.scores)) == count:
        assert left == MOST


def test_the_picture_is_small_and_whole() -> None:
    photo = samples.sample("china")
    sent = content(photo, make_trace(1, 5), Thresholds(0.0))
    assert sent["photo"]["url"].startswith("data:image/jpeg;base64,")
    assert len(sent["photo"]["url"]) < 300_000
    assert (sent["photo"]["width"], sent["photo"]["height"]) == (photo.width, photo.height)
