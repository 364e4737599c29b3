"""What a race came to, as numbers: stages, ratios, and how well the boxes cover the objects."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torchvision.ops import box_iou

from vision_core.race.laps import Lap
from vision_core.race.systems import SYSTEMS

COURSE = {"rcnn": (50.0, 250.0), "fast_rcnn": (2.0, 25.0), "faster_rcnn": (0.2, 1.0)}
"""Seconds a photo and ratio in the lectures (VGG-16 on a GPU of 2015, proposals included)."""
TRAINING_HOURS = {"rcnn": 84.0, "fast_rcnn": 9.5}
"""Hours of training in the lectures."""


def covered(boxes: np.ndarray, objects: np.ndarray, iou: float = 0.5) -> float:
    """Share of the objects that one of the boxes covers: the recall of a set of proposals.

    Args:
        boxes: [K, 4], x1, y1, x2, y2.
        objects: [M, 4].
        iou: from which on a box covers an object.

    Returns:
        0..1; NaN where there is no object.
    """
    if not len(objects):
        return float("nan")
    if not len(boxes):
        return 0.0
    sides = (torch.as_tensor(np.asarray(part, np.float64)) for part in (objects, boxes))
    return float((box_iou(*sides).max(1).values >= iou).double().mean())


def record(laps: dict[str, Lap], objects: np.ndarray | None = None) -> list[dict[str, Any]]:
    """One entry for each system that ran, in the order of ``SYSTEMS``.

    Args:
        laps: the last lap of each system; one that was stopped is extrapolated.
        objects: what is on the photo, [M, 4]; what Faster R-CNN found unless it is given.

    Returns:
        dicts with ``system, title, seconds, stopped_at, stages, ratio, boxes_examined, recall,
        detections``; ``ratio`` is to Faster R-CNN, ``None`` where that did not run;
        ``recall`` is ``None`` where no object is known.
    """
    first = laps.get("faster_rcnn")
    if objects is None and first is not None:
        objects = first.found.boxes
    if objects is not None and not len(objects):
        objects = None  # a share of nothing is no number
    told = []
    for system in SYSTEMS:
        lap = laps.get(system.name)
        if lap is None:
            continue
        told.append(
            {
                "system": system.name,
                "title": system.title,
                "seconds": lap.expected,
                "stopped_at": None if lap.whole else lap.done,
                "stages": dict(lap.seconds),
                "ratio": None if first is None else lap.expected / first.expected,
                "boxes_examined": lap.total,
                "recall": None if objects is None else covered(lap.examined, objects),
                "detections": [
                    {"label": label, "score": float(score), "box": [float(v) for v in box]}
                    for label, score, box in zip(
                        lap.found.labels, lap.found.scores, lap.found.boxes, strict=True
                    )
                ],
            }
        )
    return told
