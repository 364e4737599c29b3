"""All scores of one photo as plain values, for the command line."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import numpy as np

from vision_core.comparison.truth import Truth, judge
from vision_core.labels import comparable
from vision_core.metrics.calibration import calibration
from vision_core.metrics.kinds_of_error import BACKGROUND, FOREGROUND, kinds_of_error
from vision_core.metrics.pixels import pixel_scores
from vision_core.metrics.working_point import working_point
from vision_core.records import Detections, DetectionTrace, SegmentationTrace
from vision_core.walkthroughs import build


def boxes_record(trace: DetectionTrace, truth: Truth, iou: float = FOREGROUND) -> dict[str, Any]:
    """A detector's boxes against the true ones.

    Args:
        trace: what the detector said.
        truth: what is there.
        iou: of a hit.

    Returns:
        ``average_precision`` by class and rule, at any score; ``working_point``, ``kinds_of_error``
        and ``detections`` at the network's own score threshold; ``calibration`` of the same.
    """
    own = trace.defaults
    every = trace.select(replace(own, score=0.0)).detections
    kept = trace.select(own).detections
    judged = judge(kept, truth, iou)
    kinds = kinds_of_error(kept, truth, iou, min(BACKGROUND, iou))
    point = working_point(kept.scores, judged.hit >= 0, len(truth.labels), -1.0)
    rows = zip(kept.labels, kept.scores, kept.boxes, kinds.kinds, kinds.iou, strict=True)
    return {
        "iou": iou,
        "score": own.score,
        "average_precision": {
            name: _areas(every, truth, name, iou)
            for name in sorted({comparable(label) for label in truth.labels})
        },
        "working_point": {
            **asdict(point),
            "precision": point.precision,
            "recall": point.recall,
            "f1": point.f1,
        },
        "kinds_of_error": kinds.counts(),
        "detections": [
            {"label": label, "score": float(score), "box": box.tolist(), "kind": kind, "iou": near}
            for label, score, box, kind, near in rows
        ],
        "missed": [
            {"label": truth.labels[i], "box": truth.boxes[i].tolist()} for i in kinds.missed
        ],
        "calibration": asdict(calibration(kept.scores.astype(np.float64), judged.hit >= 0))
        if len(kept)
        else None,
    }


def _areas(found: Detections, truth: Truth, name: str, iou: float) -> dict[str, Any]:
    """Average precision of one class by three rules, and its means over ten limits."""

    def rows(boxes: np.ndarray, labels: tuple[str, ...], scores: np.ndarray | None) -> list[Any]:
        which = [i for i, label in enumerate(labels) if comparable(label) == name]
        chosen = boxes[which].astype(np.float64)
        sides = np.concatenate([chosen[:, :2], chosen[:, 2:] - chosen[:, :2]], 1)
        lead = np.zeros((len(which), 0)) if scores is None else scores[which, None]
        return [row.tolist() for row in np.concatenate([lead, sides], 1)]

    walk = build(
        "average_precision",
        truth={"photo": rows(truth.boxes, truth.labels, None)},
        detections={"photo": rows(found.boxes, found.labels, found.scores.astype(np.float64))},
        iou_threshold=iou,
    )
    return {**walk.plain_result(), "mean_over_ious": walk.facts["mean_over_ious"]}


def pixels_record(trace: SegmentationTrace, truth: np.ndarray) -> dict[str, Any]:
    """A class map against the true classes.

    Args:
        trace: what the segmenter said.
        truth: int ``[H, W]``, see ``pixel_scores``.

    Returns:
        ``scores`` of all classes, ``classes`` with counts and scores of each that occurs, and
        ``confusion`` (rows: true) over ``labels``.

    Raises:
        UserError: no pixel counts.
    """
    found = pixel_scores(truth, trace.class_map, trace.info.labels)
    return {
        "scores": {f.name: f.value for f in found.formulas()},
        "classes": [
            {
                "label": found.labels[i],
                **asdict(found.of(i)),
                **{f.name: f.value for f in found.of(i).formulas()},
            }
            for i in found.present
        ],
        "labels": list(found.labels),
        "confusion": found.table.tolist(),
    }
