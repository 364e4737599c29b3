"""Pascal VOC's average precision against a slow second version, and a published example."""

from __future__ import annotations

import numpy as np
import pytest

from tests.comparison.test_boxes import detections, drawn
from vision_core.comparison.truth import Truth, judge
from vision_core.metrics.curve import curve

# Seven pictures, one class: rafaelpadilla/Object-Detection-Metrics (MIT licence), README. Boxes
# are x, y, width, height; detections have the score in per cent in front.
TRUE = (
    ((25, 16, 38, 56), (129, 123, 41, 62)),
    ((123, 11, 43, 55), (38, 132, 59, 45)),
    ((16, 14, 35, 48), (123, 30, 49, 44), (99, 139, 47, 47)),
    ((53, 42, 40, 52), (154, 43, 31, 34)),
    ((59, 31, 44, 51), (48, 128, 34, 52)),
    ((36, 89, 52, 76), (62, 58, 44, 67)),
    ((28, 31, 55, 63), (58, 67, 50, 58)),
)
FOUND = (
    ((88, 5, 67, 31, 48), (70, 119, 111, 40, 67), (80, 124, 9, 49, 67)),
    ((71, 64, 111, 64, 58), (54, 26, 140, 60, 47), (74, 19, 18, 43, 35)),
    (
        (18, 109, 15, 77, 39),
        (67, 86, 63, 46, 45),
        (38, 160, 62, 36, 53),
        (91, 105, 131, 47, 47),
        (44, 18, 148, 40, 44),
    ),
    ((35, 83, 28, 28, 26), (78, 28, 68, 42, 67), (45, 87, 89, 25, 39), (14, 10, 155, 60, 26)),
    ((62, 50, 38, 28, 46), (44, 95, 11, 53, 28), (95, 29, 131, 72, 29), (23, 29, 163, 72, 29)),
    ((45, 43, 48, 74, 38), (84, 17, 155, 29, 35), (43, 95, 110, 25, 42)),
    ((48, 16, 20, 101, 88), (95, 33, 116, 37, 49)),
)


def voc(found, truth: Truth, iou: float = 0.5) -> tuple[list[int], float]:
    """VOCevaldet.m of the development kit, line by line: hits by detection, and AP (VOCap.m)."""
    n, order = len(found), np.argsort(-found.scores, kind="stable")
    taken, hit = [False] * len(truth.labels), [-1] * n
    for d in order:
        best, at = -np.inf, -1
        for j, box in enumerate(truth.boxes.tolist()):
            if truth.labels[j] != found.labels[d]:
                continue
            x1, y1, x2, y2 = found.boxes[d].tolist()
            width = min(x2, box[2]) - max(x1, box[0])
            height = min(y2, box[3]) - max(y1, box[1])
            if width > 0 and height > 0:
                union = (x2 - x1) * (y2 - y1) + (box[2] - box[0]) * (box[3] - box[1])
                overlap = width * height / (union - width * height)
                if overlap > best:
                    best, at = overlap, j
        if best >= iou and not taken[at]:
            taken[at], hit[d] = True, at
    tp = np.cumsum([hit[d] >= 0 for d in order])
    recall = [0.0, *(tp / len(truth.labels)), 1.0]
    precision = [0.0, *(tp / np.arange(1, n + 1)), 0.0]
    for i in range(len(precision) - 2, -1, -1):
        precision[i] = max(precision[i], precision[i + 1])
    area = sum(
        (recall[i] - recall[i - 1]) * precision[i]
        for i in range(1, len(recall))
        if recall[i] != recall[i - 1]
    )
    return hit, area


def test_a_slow_second_version_agrees() -> None:
    differ = 0
    for seed in range(200):
        found, there = drawn(seed, 14), drawn(seed + 1000, 8)
        truth = Truth(there.boxes, there.labels)
        for iou in (0.3, 0.5):
            hit, area = voc(found, truth, iou)
            judged = judge(found, truth, iou, "voc")
            assert judged.hit.tolist() == hit
            assert curve(found, truth, iou).average_precision == pytest.approx(area)
            differ += hit != judge(found, truth, iou, "coco").hit.tolist()
    assert differ > 5, "the pictures tell the rules apart"


def test_a_detection_whose_best_box_is_taken_has_no_second_choice() -> None:
    truth = Truth(np.array([[0, 0, 10, 10], [3, 0, 13, 10]], np.float32), ("cat", "cat"))
    found = detections([[0, 0, 10, 10], [1, 0, 11, 10]], ["cat", "cat"], [0.9, 0.8])
    assert judge(found, truth).hit.tolist() == [0, 1]
    by_voc = judge(found, truth, rule="voc")
    assert by_voc.hit.tolist() == [0, -1] and by_voc.missed.tolist() == [1]
    assert curve(found, truth).average_precision == 0.5


def test_a_published_example() -> None:
    """24.57 % by all points where widths count whole pixels; a side by side of seven pictures."""
    for extra, hits, area in ((1, 7, 0.2457), (0, 6, 0.2254)):
        truth = [
            (x + 1000 * i, y, x + w + extra + 1000 * i, y + h + extra)
            for i, rows in enumerate(TRUE)
            for x, y, w, h in rows
        ]
        boxes = [
            (x + 1000 * i, y, x + w + extra + 1000 * i, y + h + extra)
            for i, rows in enumerate(FOUND)
            for _, x, y, w, h in rows
        ]
        scores = np.array([row[0] / 100 for rows in FOUND for row in rows])
        scores -= 1e-5 * np.arange(len(scores))  # equal ones in the order of the list, as published
        found = detections(boxes, ["a"] * len(boxes), scores)
        there = Truth(np.array(truth, np.float32), ("a",) * len(truth))
        assert (judge(found, there, 0.3, "voc").hit >= 0).sum() == hits
        assert curve(found, there, 0.3).average_precision == pytest.approx(area, abs=1e-4)
