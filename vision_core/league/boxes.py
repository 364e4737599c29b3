"""Where the explained thing is: the box that two of the league's scores ask for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from vision_core.labels import comparable
from vision_core.records import DetectionTrace, SegmentationTrace
from vision_core.records.corners import Corners, boxed
from vision_core.records.targets import BoxTarget, JointTarget, RegionTarget, Target

__all__ = ["Corners", "boxed", "detected_box", "target_box"]

if TYPE_CHECKING:
    from vision_core.inference import Trace


def target_box(trace: Trace, target: Target) -> Corners | None:
    """The box of what is explained: of a detection, of a joint's person, around a region.

    Args:
        trace: what the network said.
        target: of the trace.

    Returns:
        ``None`` where the network does not tell, as a classifier.
    """
    if isinstance(trace, DetectionTrace) and isinstance(target, BoxTarget | JointTarget):
        return _corners(trace.boxes[target.candidate])
    if isinstance(trace, SegmentationTrace) and isinstance(target, RegionTarget):
        own = trace.class_map == trace.info.labels.index(target.label)
        if target.box is not None:
            x1, y1, x2, y2 = (round(v) for v in target.box)
            part = np.zeros_like(own)
            part[y1 : y2 + 1, x1 : x2 + 1] = True
            own &= part
        rows, columns = np.nonzero(own)
        if len(rows):
            return _corners((columns.min(), rows.min(), columns.max() + 1, rows.max() + 1))
    return None


def detected_box(label: str, found: DetectionTrace) -> Corners | None:
    """The best box of a class that a detector kept at its own thresholds; ``None`` for none.

    Args:
        label: as another network calls the class.
        found: what the detector said of the same photo.
    """
    kept = found.select(found.defaults).detections
    for name, box in zip(kept.labels, kept.boxes, strict=True):
        if comparable(name) == comparable(label):
            return _corners(box)
    return None


def _corners(box: Sequence[float] | np.ndarray) -> Corners:
    x1, y1, x2, y2 = (float(v) for v in box)
    return (x1, y1, x2, y2)
