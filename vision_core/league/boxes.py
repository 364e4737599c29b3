"""Where the explained thing is: the box that two of the league's scores ask for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from vision_core.errors import UserError
from vision_core.labels import comparable
from vision_core.records import DetectionTrace, SegmentationTrace
from vision_core.records.targets import BoxTarget, JointTarget, RegionTarget, Target

if TYPE_CHECKING:
    from vision_core.images import Photo
    from vision_core.inference import Trace

Corners = tuple[float, float, float, float]
"""x1, y1, x2, y2, pixels of the photo."""


def boxed(values: Sequence[float], photo: Photo) -> Corners:
    """A box that somebody gives, cut off at the border of the photo.

    Raises:
        UserError: it is no box, or lies outside the photo.
    """
    if len(values) != 4 or not np.isfinite(values).all():
        raise UserError("A box is four numbers x1,y1,x2,y2, pixels of the photo.")
    x1, y1, x2, y2 = values
    inside = (max(x1, 0.0), max(y1, 0.0), min(x2, photo.width), min(y2, photo.height))
    if not (inside[0] < inside[2] and inside[1] < inside[3]):
        raise UserError(
            f"The box {x1:g},{y1:g},{x2:g},{y2:g} has no part in the photo of "
            f"{photo.width} x {photo.height} pixels; write x1,y1,x2,y2 with x1 < x2 and y1 < y2."
        )
    return (float(inside[0]), float(inside[1]), float(inside[2]), float(inside[3]))


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
