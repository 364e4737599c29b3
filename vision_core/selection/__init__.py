"""Trace and thresholds to detections, and a verdict for every candidate."""

from vision_core.records import (
    FATES,
    NMS_VARIANTS,
    Detections,
    Selection,
    Thresholds,
    Verdict,
)
from vision_core.selection.select import select

__all__ = ["FATES", "NMS_VARIANTS", "Detections", "Selection", "Thresholds", "Verdict", "select"]
