"""Predictions as JSON-ready objects: one record per photo, and COCO's annotation format."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from pycocotools import mask as coco_mask

from vision_core.errors import no_place_for
from vision_core.images import Photo
from vision_core.records import (
    ClassificationTrace,
    DetectionTrace,
    Keypoints,
    Prediction,
    SegmentationTrace,
)
from vision_core.selection.masks import whole_mask

COCO_JOINTS = (
    "nose",
    "left_eye",
    "right_eye",
    "left_ear",
    "right_ear",
    "left_shoulder",
    "right_shoulder",
    "left_elbow",
    "right_elbow",
    "left_wrist",
    "right_wrist",
    "left_hip",
    "right_hip",
    "left_knee",
    "right_knee",
    "left_ankle",
    "right_ankle",
)
# Limbs of COCO's person category, counted from 1 as in COCO's own files.
COCO_LIMBS = (
    (16, 14),
    (14, 12),
    (17, 15),
    (15, 13),
    (12, 13),
    (6, 12),
    (7, 13),
    (6, 7),
    (6, 8),
    (7, 9),
    (8, 10),
    (9, 11),
    (2, 3),
    (1, 2),
    (1, 3),
    (2, 4),
    (3, 5),
    (4, 6),
    (5, 7),
)
_BACKGROUND = ("__background__", "background", "no person")


def rle(mask: np.ndarray) -> dict[str, Any]:
    """COCO run-length encoding of a boolean [H, W] mask: ``size`` (H, W) and ``counts`` (text)."""
    code = coco_mask.encode(np.asfortranarray(mask, dtype=np.uint8))
    return {"size": [int(n) for n in code["size"]], "counts": code["counts"].decode("ascii")}


def detection_mask(prediction: Prediction, index: int) -> np.ndarray:
    """The mask of one detection at the photo's size, bool [H, W].

    Raises:
        ValueError: the prediction has no masks.
    """
    if prediction.masks is None or prediction.selection is None:
        raise ValueError("the prediction has no masks")
    width, height = prediction.trace.info.photo_size
    box = prediction.selection.detections.boxes[index]
    return whole_mask(prediction.masks[index], box, height, width, prediction.mask_threshold)


def prediction_record(photo: Photo, prediction: Prediction) -> dict[str, Any]:
    """One photo's prediction as strict JSON values.

    Args:
        photo: the photo, under the name that its reader gave it.
        prediction: of that photo.

    Returns:
        ``model, image, thresholds, funnel, timing_ms, device`` and, by task, ``detections`` (and
        ``fates``, how many candidates met each), ``classes`` or ``class_map``.
    """
    trace = prediction.trace
    record: dict[str, Any] = {
        "model": trace.info.model,
        "image": image_record(photo),
        "thresholds": None,
    }
    if prediction.selection is not None:
        record["thresholds"] = prediction.selection.thresholds.as_dict()
        record["detections"] = _detections(prediction)
        record["fates"] = prediction.selection.counts()
    elif isinstance(trace, ClassificationTrace):
        pairs = trace.top(len(trace.probabilities))
        record["classes"] = [{"label": n, "probability": p} for n, p in pairs]
    elif isinstance(trace, SegmentationTrace):
        record["class_map"] = _class_map(trace)
    funnel = trace.funnel if isinstance(trace, DetectionTrace) else ()
    record["funnel"] = [
        {"name": s.name, "count": s.count, "limit": s.limit, "text": s.text} for s in funnel
    ]
    record["timing_ms"] = {**trace.info.timing_ms, **prediction.timing_ms}
    record["device"] = trace.info.device
    if trace.info.notes:
        record["notes"] = list(trace.info.notes)
    return strict(record)


def image_record(photo: Photo) -> dict[str, Any]:
    """What identifies a photo in a record."""
    return {
        "name": photo.name,
        "width": photo.width,
        "height": photo.height,
        "sha256": photo.sha256,
    }


def strict(value: Any) -> Any:
    """JSON values only: NumPy numbers become Python's, what is not finite becomes ``None``."""
    if isinstance(value, dict):
        return {str(k): strict(v) for k, v in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [strict(v) for v in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value


def _detections(prediction: Prediction) -> list[dict[str, Any]]:
    assert prediction.selection is not None
    found = prediction.selection.detections
    rows = []
    for i, label in enumerate(found.labels):
        row: dict[str, Any] = {"label": label, "score": found.scores[i], "box": found.boxes[i]}
        if (joints := prediction.keypoints) is not None:
            row["keypoints"] = [
                {"name": name, "x": x, "y": y, "score": s, "score_kind": joints.score_kind}
                for name, (x, y), s in zip(
                    joints.names, joints.xy[i], joints.scores[i], strict=True
                )
            ]
        if prediction.masks is not None:
            row["mask"] = rle(detection_mask(prediction, i))
        rows.append(row)
    return rows


def _class_map(trace: SegmentationTrace) -> list[dict[str, Any]]:
    ids = {name: i for i, name in reversed(list(enumerate(trace.info.labels)))}
    return [
        {"label": name, "pixels": count, "mask": rle(trace.class_map == ids[name])}
        for name, count in trace.pixel_counts().items()
    ]


def coco_json(predictions: Iterable[tuple[Photo, Prediction]]) -> dict[str, Any]:
    """Predictions of one model in COCO's annotation format, as ``pycocotools.coco.COCO`` reads it.

    Boxes are ``[x, y, width, height]``; each annotation carries its ``score``. Joints are COCO's
    17: those of the Leeds Sports Pose data go to the 12 that COCO shares, nose, eyes and ears
    have ``v`` = 0. A class map gives one annotation per class, without the background.

    Raises:
        UserError: a classifier's predictions, which have no place in the photo.
    """
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    labels: tuple[str, ...] = ()
    with_joints, models = False, []
    for number, (photo, prediction) in enumerate(predictions, 1):
        info = prediction.trace.info
        if isinstance(prediction.trace, ClassificationTrace):
            raise no_place_for(info.model)
        labels, models = info.labels, [info.model]
        with_joints = with_joints or prediction.keypoints is not None
        images.append(
            {
                "id": number,
                "file_name": photo.name,
                "width": photo.width,
                "height": photo.height,
            }
        )
        for row in _annotations(prediction):
            annotations.append({"id": len(annotations) + 1, "image_id": number, **row})
    return strict(
        {
            "info": {
                "description": f"Predictions of {', '.join(models) or 'no model'} by ConvScope"
            },
            "images": images,
            "categories": _categories(labels, with_joints, {a["category_id"] for a in annotations}),
            "annotations": annotations,
        }
    )


def _category_id(labels: tuple[str, ...], label_id: int) -> int:
    """COCO counts from 1: where id 0 is the background ids stay, else they move up by one."""
    return int(label_id) + (0 if labels[0] in _BACKGROUND else 1)


def _categories(labels: tuple[str, ...], with_joints: bool, used: set[int]) -> list[dict[str, Any]]:
    """All classes; an id that COCO never used only where an untrained network gave it."""
    rows: list[dict[str, Any]] = []
    for i, name in enumerate(labels):
        if name in _BACKGROUND or (name == "N/A" and _category_id(labels, i) not in used):
            continue
        row: dict[str, Any] = {"id": _category_id(labels, i), "name": name, "supercategory": ""}
        if with_joints and name == "person":
            row |= {"keypoints": list(COCO_JOINTS), "skeleton": [list(p) for p in COCO_LIMBS]}
        rows.append(row)
    return rows


def _annotations(prediction: Prediction) -> list[dict[str, Any]]:
    trace, rows = prediction.trace, []
    if isinstance(trace, SegmentationTrace):
        for label_id, name in enumerate(trace.info.labels):
            mask = trace.class_map == label_id
            if name not in _BACKGROUND and mask.any():
                rows.append(_region(mask, _category_id(trace.info.labels, label_id)))
        return rows
    assert prediction.selection is not None
    found = prediction.selection.detections
    for i, label_id in enumerate(found.label_ids):
        x1, y1, x2, y2 = (float(v) for v in found.boxes[i])
        row: dict[str, Any] = {"category_id": _category_id(trace.info.labels, label_id)}
        if prediction.masks is not None:
            row = _region(detection_mask(prediction, i), row["category_id"])
        else:
            row |= {"area": (x2 - x1) * (y2 - y1), "iscrowd": 0}
        row |= {"bbox": [x1, y1, x2 - x1, y2 - y1], "score": found.scores[i]}
        if prediction.keypoints is not None:
            row |= _joints(prediction.keypoints, i, prediction.joint_threshold)
        rows.append(row)
    return rows


def _region(mask: np.ndarray, category: int) -> dict[str, Any]:
    code = coco_mask.encode(np.asfortranarray(mask, dtype=np.uint8))
    return {
        "category_id": category,
        "segmentation": rle(mask),
        "area": int(mask.sum()),
        "bbox": coco_mask.toBbox(code),
        "iscrowd": 0,
    }


def _joints(keypoints: Keypoints, index: int, threshold: float | None) -> dict[str, Any]:
    """``keypoints`` (x, y, v for each of COCO's 17; v = 2 where there is one) and their number."""
    where = {name: j for j, name in enumerate(keypoints.names)}
    flat: list[float] = []
    for name in COCO_JOINTS:
        j = where.get(name)
        shown = j is not None and (threshold is None or keypoints.scores[index, j] >= threshold)
        if j is None or not shown or not np.isfinite(keypoints.xy[index, j]).all():
            flat += [0.0, 0.0, 0]
        else:
            flat += [float(keypoints.xy[index, j, 0]), float(keypoints.xy[index, j, 1]), 2]
    return {"keypoints": flat, "num_keypoints": sum(v > 0 for v in flat[2::3])}
