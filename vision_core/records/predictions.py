"""What a network said about a photo at some thresholds, with the parts of what is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from vision_core.records.keypoints import Keypoints
from vision_core.records.selections import Selection
from vision_core.records.traces import Trace


@dataclass(frozen=True, eq=False)
class Prediction:
    """What ``vision_core.inference.predict`` makes of a trace.

    Attributes:
        trace: what the network said before any threshold.
        selection: of a detection trace, else ``None``.
        masks: float32 [K, M, M], probabilities of the K detections.
        keypoints: joints of the K detections.
        mask_threshold: a pixel belongs to a detection from this probability on.
        joint_threshold: joints below it are not exported to COCO; ``None`` exports all.
        timing_ms: milliseconds of what came after the trace: ``select``, ``masks``, ``keypoints``.
    """

    trace: Trace
    selection: Selection | None = None
    masks: np.ndarray | None = None
    keypoints: Keypoints | None = None
    mask_threshold: float = 0.5
    joint_threshold: float | None = None
    timing_ms: Mapping[str, float] = field(default_factory=dict)
