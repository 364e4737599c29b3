"""What differs between two models on one photo, as JSON-ready values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from vision_core.comparison.boxes import Pair, compare_boxes
from vision_core.comparison.column import Column
from vision_core.comparison.maps import compare_joints, compare_maps
from vision_core.inference import ClassificationTrace, Keypoints, SegmentationTrace
from vision_core.labels import comparable
from vision_core.records import Prediction, Selection
from vision_core.selection.masks import whole_mask

TOP = 5


def between(a: Column, b: Column) -> dict[str, Any]:
    """What differs between two columns of one photo.

    Returns:
        - detectors: ``both``, ``other_class``, ``shifted``, ``only_a``, ``only_b`` (lists of rows
          with ``iou`` and, for each side, class, score and box) and ``f1``; where both have
          masks, each row of two also has ``mask_iou``; where both have joints, there is
          ``joints``, see there;
        - segmenters: ``agreement`` (share of the pixels), ``iou`` by class, ``labels`` and
          ``pixels`` (the confusion table), ``alone`` (names that only one of them knows);
        - classifiers: ``top_a``, ``top_b`` and ``same_top``;
        - ``reason``, one sentence, where they cannot be compared.
    """
    for one in (a, b):
        if one.error or one.prediction is None:
            return {"reason": f"{one.card.name} gave no result: {one.error}"}
    assert a.prediction is not None and b.prediction is not None
    if a.selection is not None and b.selection is not None:
        return _boxes(a.prediction, b.prediction, a.selection, b.selection)
    if isinstance(a.trace, SegmentationTrace) and isinstance(b.trace, SegmentationTrace):
        made = compare_maps(a.trace, b.trace)
        return {
            "agreement": float(1 - made.disagree.mean()),
            "iou": made.iou,
            "labels": list(made.labels),
            "pixels": made.table.tolist(),
            "alone": {side: list(names) for side, names in made.alone.items()},
        }
    if isinstance(a.trace, ClassificationTrace) and isinstance(b.trace, ClassificationTrace):
        tops = [c.top(TOP) for c in (a.trace, b.trace)]
        rows = [[{"label": n, "probability": p} for n, p in top] for top in tops]
        same = comparable(tops[0][0][0]) == comparable(tops[1][0][0])
        return {"top_a": rows[0], "top_b": rows[1], "same_top": same}
    return {"reason": "Models of different tasks cannot be compared."}


def _boxes(a: Prediction, b: Prediction, kept_a: Selection, kept_b: Selection) -> dict[str, Any]:
    made = compare_boxes(kept_a.detections, kept_b.detections)

    def side(found: Selection, row: int | None) -> dict[str, Any] | None:
        if row is None:
            return None
        kept = found.detections
        return {
            "label": kept.labels[row],
            "score": float(kept.scores[row]),
            "box": [float(v) for v in kept.boxes[row]],
        }

    kinds: dict[str, Any] = {
        kind: [
            {"a": side(kept_a, p.a), "b": side(kept_b, p.b), "iou": p.iou} for p in made.of(kind)
        ]
        for kind in made.counts()
    }
    if a.masks is not None and b.masks is not None:
        rows = [row for kind in kinds.values() for row in kind]
        for row, overlap in zip(rows, mask_overlaps(a, b, made.pairs), strict=True):
            if row["a"] and row["b"]:
                row["mask_iou"] = overlap
    found = {**kinds, "f1": made.f1}
    if a.keypoints is not None and b.keypoints is not None:
        boxes = (kept_a.detections.boxes, kept_b.detections.boxes)
        areas = [[_area(box) for box in side] for side in boxes]
        found["joints"] = joints(a.keypoints, b.keypoints, made.of("both"), areas)
    return found


def mask_overlaps(a: Prediction, b: Prediction, matched: Sequence[Pair]) -> list[float | None]:
    """IoU of the masks of every pair, on the photo's pixels.

    Args:
        a, b: of detectors with masks, on one photo.
        matched: rows of their detections.

    Returns:
        for each pair 0 to 1, or ``None`` where one is alone or both masks are empty.
    """

    def whole(of: Prediction, row: int) -> np.ndarray:
        assert of.selection is not None and of.masks is not None
        width, height = of.trace.info.photo_size
        return whole_mask(of.masks[row], of.selection.detections.boxes[row], height, width)

    found: list[float | None] = []
    for pair in matched:
        if pair.a is None or pair.b is None:
            found.append(None)
            continue
        one, other = whole(a, pair.a), whole(b, pair.b)
        union = int((one | other).sum())
        found.append(int((one & other).sum()) / union if union else None)
    return found


def joints(
    a: Keypoints, b: Keypoints, matched: Sequence[Pair], areas: Sequence[Sequence[float]]
) -> dict[str, Any]:
    """Joints of the persons that both networks found.

    Args:
        a, b: joints of the detections of each network.
        matched: detections of one person, rows of both.
        areas: of the boxes of a and of b, square pixels. A pair's size is their geometric mean, so
            that exchanging a and b changes nothing.

    Returns:
        ``shared`` (names of the joints that both have), ``oks`` and ``mean_distance`` over all
        persons (``None`` without any) and ``persons``: for each, in the order of ``matched``,
        ``oks``, ``mean_distance`` and ``distances`` (by joint) in units of the square root of the
        box's area.
    """
    shared = [name for name in a.names if name in b.names]
    persons = []
    for pair in matched if shared else ():
        assert pair.a is not None and pair.b is not None
        area = math.sqrt(areas[0][pair.a] * areas[1][pair.b])
        one = compare_joints(a, pair.a, b, pair.b, area)
        persons.append(
            {
                "oks": _number(one.oks),
                "mean_distance": _number(float(one.distances.mean())),
                "distances": {
                    n: _number(float(d)) for n, d in zip(one.names, one.distances, strict=True)
                },
            }
        )
    means = {
        key: _mean([p[key] for p in persons if p[key] is not None])
        for key in ("oks", "mean_distance")
    }
    return {"shared": shared, **means, "persons": persons}


def _area(box: Sequence[float]) -> float:
    x1, y1, x2, y2 = (float(v) for v in box)
    return (x2 - x1) * (y2 - y1)


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _mean(values: Sequence[Any]) -> float | None:
    return sum(values) / len(values) if values else None
