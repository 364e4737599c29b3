"""What passes between the parts: frozen records of NumPy arrays, without PyTorch.

Records know errors and each other; what makes and reads them stands above.
"""

from vision_core.records.keypoints import Keypoints
from vision_core.records.predictions import Prediction
from vision_core.records.selections import (
    BELOW_SCORE,
    CUT_BY_MAX,
    DECAYED,
    FATES,
    HIDDEN,
    KEPT,
    SUPPRESSED,
    Detections,
    Selection,
    Verdict,
)
from vision_core.records.thresholds import NMS_VARIANTS, Nms, Thresholds
from vision_core.records.traces import (
    ANCHOR_FATES,
    AnchorField,
    ClassificationTrace,
    Cut,
    DetectionTrace,
    SegmentationTrace,
    Trace,
    TraceInfo,
)

__all__ = [
    "ANCHOR_FATES",
    "BELOW_SCORE",
    "CUT_BY_MAX",
    "DECAYED",
    "FATES",
    "HIDDEN",
    "KEPT",
    "NMS_VARIANTS",
    "SUPPRESSED",
    "AnchorField",
    "ClassificationTrace",
    "Cut",
    "DetectionTrace",
    "Detections",
    "Keypoints",
    "Nms",
    "Prediction",
    "SegmentationTrace",
    "Selection",
    "Thresholds",
    "Trace",
    "TraceInfo",
    "Verdict",
]
