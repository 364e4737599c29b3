"""The default threshold against numbers worked out by hand and scikit-learn."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from sklearn.metrics import precision_recall_curve

from vision_core.evaluation.operating_point import HIGHEST, operating_point


def photo(boxes: list[list[float]], labels: list[int], scores: list[float] | None = None):
    rows = torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4)
    one = {"boxes": rows, "labels": torch.tensor(labels, dtype=torch.long)}
    return one | ({"scores": torch.tensor(scores)} if scores is not None else {})


def at(x: float) -> list[float]:
    return [x, 0.0, x + 10, 10.0]


def test_lowest_threshold_with_three_of_four_right() -> None:
    """Right at 0.9, 0.8, 0.7 and 0.5, wrong at 0.6 and 0.4: 4 of 5 above 0.41, 4 of 6 below."""
    truth = [photo([at(0), at(20), at(40), at(60), at(80)], [0] * 5)]
    said = [
        photo(
            [at(0), at(20), at(40), at(500), at(60), at(600)],
            [0] * 6,
            [0.905, 0.805, 0.705, 0.605, 0.505, 0.405],
        )
    ]
    point = operating_point(truth, said)
    assert point.threshold == pytest.approx(0.41)
    assert point.precision == pytest.approx(4 / 5) and point.recall == pytest.approx(4 / 5)


def test_a_second_box_on_the_same_object_and_another_class_are_wrong() -> None:
    truth = [photo([at(0)], [0])]
    said = [photo([at(0), at(1), at(0)], [0, 0, 1], [0.905, 0.805, 0.705])]
    point = operating_point(truth, said)
    assert point.threshold == pytest.approx(0.81) and point.precision == 1


def test_what_lies_in_a_crowd_is_not_judged() -> None:
    truth = [
        photo([at(0)], [0])
        | {
            "crowds": torch.tensor([[100.0, 0, 200, 50]]),
            "crowd_labels": torch.tensor([0]),
        }
    ]
    said = [photo([at(0), at(120), at(140)], [0, 0, 1], [0.505, 0.905, 0.295])]
    point = operating_point(truth, said, wanted=0.9)
    assert point.threshold == pytest.approx(0.3) and point.precision == 1


def test_a_detector_that_is_never_right_is_hardly_believed() -> None:
    point = operating_point([photo([at(0)], [0])], [photo([at(50)], [0], [0.9])])
    assert point.threshold == HIGHEST and math.isnan(point.precision) and point.recall == 0


def test_equals_sklearn_on_many_boxes() -> None:
    """Each detection has a true box of its own or none, so that matching is a look-up."""
    rng = np.random.default_rng(0)
    scores = rng.permutation(np.arange(1, 400) / 400)
    hit = rng.random(399) < 0.2 + 0.8 * scores
    truth, said = [], []
    for k, (score, right) in enumerate(zip(scores, hit, strict=True)):
        truth.append(photo([at(k)] if right else [], [0] if right else []))
        said.append(photo([at(k)], [0], [float(score)]))
    point = operating_point(truth, said)
    precision, recall, thresholds = precision_recall_curve(hit, scores)
    candidates = [
        t
        for t in np.arange(1, 96) / 100
        if precision[:-1][thresholds > t].size and precision[:-1][thresholds > t][0] >= 0.75
    ]
    assert point.threshold == pytest.approx(min(candidates))
    first = np.flatnonzero(thresholds > point.threshold)[0]
    assert point.precision == pytest.approx(precision[first])
    assert point.recall == pytest.approx(recall[first])
