"""Made-up traces on which a selection has to prove itself, and thresholds to try on them."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np

from tests.builders import make_trace
from vision_core.records import DetectionTrace
from vision_core.selection import NMS_VARIANTS, Thresholds


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
