"""Photo and model to a trace: everything the network said, before any threshold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from vision_core.errors import UserError
from vision_core.images import Photo
from vision_core.inference.classification import trace_classification
from vision_core.inference.detection import trace_detection
from vision_core.inference.families import Network, default_thresholds, heads_named, network
from vision_core.inference.parts import PartSource
from vision_core.inference.persons import trace_persons
from vision_core.inference.predictions import predict
from vision_core.inference.segmentation import trace_segmentation
from vision_core.records import (
    ClassificationTrace,
    Cut,
    DetectionTrace,
    Keypoints,
    SegmentationTrace,
    Trace,
    TraceInfo,
)

__all__ = [
    "ClassificationTrace",
    "Cut",
    "DetectionTrace",
    "Keypoints",
    "PartSource",
    "SegmentationTrace",
    "Trace",
    "TraceInfo",
    "default_thresholds",
    "predict",
    "trace",
]

_BY_FAMILY: dict[str, Callable[[Network, Photo], Trace]] = {
    "fcn": trace_segmentation,
    "deeplabv3": trace_segmentation,
    "lraspp": trace_segmentation,
    "classifier": trace_classification,
    "pose_heatmap": trace_persons,
    "pose_regression": trace_persons,
}


def trace(model: Any, photo: Photo) -> Trace:
    """Run the network once on a photo and keep what it said before any threshold.

    Args:
        model: a ``vision_core.models.Model``, or a torchvision detection module in eval mode.
        photo: the photo, exactly as it is shown.

    Returns:
        a ``DetectionTrace``, ``SegmentationTrace`` or ``ClassificationTrace``, by the family.
        ``trace.select(Thresholds.torchvision(model))`` of a detector equals ``model([image])``.

    Raises:
        UserError: the network is in training mode or of no known family.
    """
    net = network(model)
    if heads_named(net.family) is not None:
        return trace_detection(net, photo)
    if net.family not in _BY_FAMILY:
        raise UserError(f"Networks of the family {net.family!r} cannot be run on a photo yet.")
    return _BY_FAMILY[net.family](net, photo)
