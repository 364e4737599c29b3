"""Compare's average precision of one class is that of the walkthrough."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.metrics.test_kinds_of_error import boxes, detections, truth
from vision_core.metrics.curve import curve
from vision_core.walkthroughs import build


def xywh(box: tuple[float, ...]) -> list[float]:
    return [box[0], box[1], box[2] - box[0], box[3] - box[1]]


@settings(deadline=None)
@given(st.lists(boxes, max_size=8), st.lists(boxes, min_size=1, max_size=5))
def test_both_give_the_area_by_all_points(found, there) -> None:
    scored = [("cat", float(np.float32(0.95 - 0.05 * i)), box) for i, box in enumerate(found)]
    walk = build(
        "average_precision",
        truth={"photo": [xywh(box) for box in there]},
        detections={"photo": [[score, *xywh(box)] for _, score, box in scored]},
    )
    compared = curve(detections(scored), truth([("cat", box) for box in there]))
    assert compared.average_precision == pytest.approx(walk.plain_result()["all_point"])
