"""Trace and thresholds to a prediction: the one way there, for command line, reports and pages."""

from __future__ import annotations

import time

from vision_core.inference.parts import PartSource
from vision_core.records import DetectionTrace, Prediction, Thresholds, Trace


def predict(
    trace: Trace,
    thresholds: Thresholds | None = None,
    parts: PartSource | None = None,
    *,
    mask_threshold: float = 0.5,
    joint_threshold: float | None = None,
) -> Prediction:
    """Select, then make the masks or joints of what is kept; no backbone runs.

    Args:
        trace: what a network said of a photo.
        thresholds: for the boxes of a detector; the network's own if left out.
        parts: where the masks or joints of the trace come from; none are made without it.
        mask_threshold: a pixel belongs to a detection from this probability on, 0 to 1.
        joint_threshold: joints with a lower score are hidden; ``None`` hides none.
    """
    if not isinstance(trace, DetectionTrace):
        return Prediction(trace)
    start = time.perf_counter()
    selection = trace.select(thresholds or trace.defaults)
    spent = {"select": 1000 * (time.perf_counter() - start)}
    masks = keypoints = None
    if parts is not None and parts.kind is not None:
        start = time.perf_counter()
        kept = selection.detections.candidate
        masks = parts.masks(kept) if parts.kind == "masks" else None
        keypoints = parts.keypoints(kept) if parts.kind == "keypoints" else None
        spent[parts.kind] = 1000 * (time.perf_counter() - start)
    return Prediction(trace, selection, masks, keypoints, mask_threshold, joint_threshold, spent)
