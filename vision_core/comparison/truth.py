"""Detections against a ground truth: hits, false alarms, misses, and the precision-recall curve.

Two rules of matching, both in the order of the scores and within a class:

- ``coco`` (Lin et al. 2014, as pycocotools does it), for hits and misses: a detection takes the
  free box with the greatest IoU, if that is at least the threshold.
- ``voc`` (Everingham et al. 2010, VOCevaldet.m of the development kit), for curve and average
  precision: only the box with the greatest IoU counts; where it is taken already, the detection is
  false, even if another box is free. VOC counts whole pixels (a box from 1 to 10 is 10 wide); boxes
  have real corners here, so that widths are differences.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from vision_core.comparison.boxes import SAME
from vision_core.errors import UserError
from vision_core.labels import comparable
from vision_core.records import Detections
from vision_core.selection.nms import iou_matrix

Rule = Literal["coco", "voc"]
_FARTHEST = 1e6  # pixels; no photo is as large, and the area of such a box is still exact enough


@dataclass(frozen=True, eq=False)
class Truth:
    """Boxes that are really there.

    Attributes:
        boxes: float32 ``[K, 4]``, xyxy, photo pixels.
        labels: K class names.
    """

    boxes: np.ndarray
    labels: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Judged:
    """Detections against a truth.

    Attributes:
        hit: int64 ``[N]``, the true box of each detection, -1 for a false positive.
        missed: int64 ``[M]``, true boxes that no detection found.
        precision, recall, f1: 0 to 1; precision is 1 where nothing is detected, recall where
            nothing is there.
    """

    hit: np.ndarray
    missed: np.ndarray
    precision: float
    recall: float
    f1: float


def judge(found: Detections, truth: Truth, iou: float = SAME, rule: Rule = "coco") -> Judged:
    """Match detections to true boxes of their class.

    Args:
        found: detections, any order.
        truth: what is there.
        iou: a hit needs at least this IoU.
        rule: ``coco`` or ``voc``; see the head of this module.
    """
    overlap = iou_matrix(found.boxes.astype(np.float32), truth.boxes.astype(np.float32))
    names = [comparable(n) for n in truth.labels]
    hit = np.full(len(found), -1)
    free = np.ones(len(names), bool)
    for i in _best_first(found):
        name = comparable(found.labels[i])
        fits = np.array([n == name for n in names], bool)
        if rule == "coco":
            fits &= free
        if not fits.any():
            continue
        best = int(np.where(fits, overlap[i], -1.0).argmax())
        if free[best] and overlap[i, best] >= iou:
            hit[i], free[best] = best, False
    hits = int((hit >= 0).sum())
    precision = hits / len(found) if len(found) else 1.0
    recall = hits / len(names) if names else 1.0
    f1 = 2 * hits / (len(found) + len(names)) if len(found) + len(names) else 1.0
    return Judged(hit, np.flatnonzero(free), precision, recall, f1)


def _best_first(found: Detections) -> np.ndarray:
    """Detections by falling score; equal ones by class and place, not by where they stand."""
    names = np.array([comparable(n) for n in found.labels], dtype=str)
    return np.lexsort((*found.boxes.reshape(-1, 4).T, names, -found.scores))


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
    order = _best_first(found)
    last = np.flatnonzero(np.diff(found.scores[order], append=-np.inf))  # of each equal score
    hits = np.cumsum(judge(found, truth, iou, "voc").hit[order] >= 0)[last]
    precision = hits / (last + 1)
    recall = hits / len(truth.labels)
    falling = np.maximum.accumulate(precision[::-1])[::-1]
    steps = np.diff(np.concatenate([[0.0], recall]))
    return Curve(found.scores[order][last], precision, recall, float((steps * falling).sum()))


def read_coco(data: bytes, width: int, height: int, name: str | None = None) -> Truth:
    """Boxes of one image from COCO's annotation format, without those of crowds.

    Args:
        data: the JSON file.
        width, height: of the photo; annotations of an image of another size are scaled.
        name: of the photo's file; the only image is taken where there is one.

    Raises:
        UserError: it is no such file, or the image is not in it.
    """
    try:
        content = json.loads(data)
        # JSON may hold half of a surrogate pair, which no file and no page can show
        names = {
            c["id"]: str(c["name"]).encode("utf-8", "replace").decode()
            for c in content["categories"]
        }
        images = {i["id"]: i for i in content["images"]}
        chosen = _image(images, name)
        scale = (
            width / _length(images[chosen]["width"]),
            height / _length(images[chosen]["height"]),
        )
        rows = [
            n for n in content["annotations"] if n["image_id"] == chosen and not n.get("iscrowd")
        ]
        boxes = [_xyxy(n["bbox"], scale) for n in rows]
        labels = tuple(names[n["category_id"]] for n in rows)
    except UserError:  # a sentence of its own
        raise
    except (
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        ArithmeticError,
        RecursionError,
    ) as error:
        raise UserError(
            f"The file is no COCO annotation file ({type(error).__name__}: "
            f"{str(error)[:80]}); it needs "
            "images, categories and annotations with bbox."
        ) from None
    return Truth(np.array(boxes, np.float32).reshape(-1, 4), labels)


def _image(images: dict[int, dict[str, object]], name: str | None) -> int:
    if len(images) == 1:
        return next(iter(images))
    found = [key for key, image in images.items() if image.get("file_name") == name]
    if len(found) != 1:
        raise UserError(f"The file holds {len(images)} images, and none of them is {name}.")
    return found[0]


def _xyxy(box: Sequence[float], scale: tuple[float, float]) -> list[float]:
    x, y, w, h = (float(v) for v in box)
    corners = [x * scale[0], y * scale[1], (x + w) * scale[0], (y + h) * scale[1]]
    if not all(abs(v) <= _FARTHEST for v in corners) or not (w >= 0 and h >= 0):
        raise ValueError(f"bbox {list(box)}")
    return corners


def _length(value: object) -> float:
    """A width or height of an image."""
    if not isinstance(value, int | float) or not 0 < value <= _FARTHEST:
        raise ValueError(f"an image size of {str(value)[:20]}")
    return float(value)
