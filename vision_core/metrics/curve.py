"""The precision-recall curve of one photo, with all classes in one list."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vision_core.comparison.boxes import SAME
from vision_core.comparison.truth import Truth, best_first, judge
from vision_core.errors import UserError
from vision_core.metrics.areas import all_points, running
from vision_core.records import Detections


@dataclass(frozen=True, eq=False)
class Curve:
    """Precision and recall while the threshold falls.

    Attributes:
        scores: float ``[D]``, falling, each score once; a point keeps all detections down to it.
        precision, recall: float ``[D]``.
        average_precision: area under the curve, precision made non-increasing, as Pascal VOC
            measures it since 2010, but with all classes in one list (VOC takes the mean over the
            classes of each one's own); 0 where nothing is found.
    """

    scores: np.ndarray
    precision: np.ndarray
    recall: np.ndarray
    average_precision: float


def curve(found: Detections, truth: Truth, iou: float = SAME) -> Curve:
    """The precision-recall curve of all classes together, by the rule ``voc``.

    Raises:
        UserError: the truth holds no box.
    """
    if not len(truth.labels):
        raise UserError("A precision-recall curve needs at least one true box; draw one.")
    order = best_first(found)
    last = np.flatnonzero(np.diff(found.scores[order], append=-np.inf))  # of each equal score
    precision, recall = running(judge(found, truth, iou, "voc").hit[order] >= 0, len(truth.labels))
    precision, recall = precision[last], recall[last]
    return Curve(found.scores[order][last], precision, recall, all_points(precision, recall))
