"""Small made-up traces and selections, so that figures are tested without a network."""

from __future__ import annotations

import numpy as np

from vision_core import images
from vision_core.records import (
    Detections,
    DetectionTrace,
    Keypoints,
    SegmentationTrace,
    Selection,
    Thresholds,
    TraceInfo,
)


def photo(width: int = 120, height: int = 80, value: int = 128) -> images.Photo:
    return images.from_array(np.full((height, width, 3), value, np.uint8), "plain")


def info(labels: tuple[str, ...], size: tuple[int, int]) -> TraceInfo:
    return TraceInfo("made", "fcos", "f" * 64, labels, "a" * 64, "plain", size, size, "cpu", {})


def selection(
    boxes: list[list[float]], labels: list[str], size: tuple[int, int] = (120, 80)
) -> Selection:
    """A selection that keeps every box, with falling scores."""
    n = len(boxes)
    names = tuple(dict.fromkeys(labels)) or ("thing",)
    xyxy = np.array(boxes, np.float32).reshape(n, 4)
    scores = np.linspace(0.9, 0.5, n).astype(np.float32)
    ids = np.array([names.index(x) for x in labels], np.int64)
    index = np.arange(n)
    trace = DetectionTrace(
        info(names, size),
        xyxy,
        xyxy,
        scores,
        ids,
        index,
        np.zeros(n, np.int64),
        np.full((n, len(names)), 0.5, np.float32),
        xyxy,
        np.ones(n, np.float32),
        index,
        (),
        0.0,
        Thresholds(),
    )
    found = Detections(index, xyxy, scores, ids, tuple(labels))
    zeros = np.zeros(n)
    return Selection(
        trace,
        Thresholds(),
        found,
        zeros.astype(np.uint8),
        zeros.astype(np.int64) - 1,
        zeros.astype(np.float32),
        scores,
        index,
    )


def one_person(xy: list[list[float]], scores: list[float]) -> Keypoints:
    """One person whose joints are a chain."""
    n = len(xy)
    return Keypoints(
        np.array([xy], np.float32),
        np.array([scores], np.float32),
        "probability",
        tuple(f"j{i}" for i in range(n)),
        tuple((i, i + 1) for i in range(n - 1)),
    )


def segmentation(class_map: np.ndarray, labels: tuple[str, ...]) -> SegmentationTrace:
    height, width = class_map.shape
    logits = np.zeros((len(labels), 4, 4), np.float32)
    return SegmentationTrace(info(labels, (width, height)), logits, class_map.astype(np.uint8))
