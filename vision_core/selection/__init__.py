"""Trace and thresholds to detections, and a verdict for every candidate."""

from vision_core.selection.select import select
from vision_core.selection.types import (
    FATES,
    NMS_VARIANTS,
    Detections,
    Selection,
    Thresholds,
    Verdict,
)

__all__ = ["FATES", "NMS_VARIANTS", "Detections", "Selection", "Thresholds", "Verdict", "select"]
