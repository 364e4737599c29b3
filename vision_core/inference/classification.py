"""Classifiers: logits, probabilities, and which part of the photo the network saw."""

from __future__ import annotations

from typing import Any

import torch

from vision_core import devices
from vision_core.images import Photo
from vision_core.inference.detection import frozen, trace_info
from vision_core.inference.families import Network
from vision_core.inference.presets import prepared
from vision_core.inference.timing import Stopwatch
from vision_core.records import ClassificationTrace


def trace_classification(net: Network, photo: Photo) -> ClassificationTrace:
    """Logits and softmax of a classifier; see ``inference.trace``."""
    with torch.inference_mode(), devices.forward_slot():
        watch = Stopwatch(net.device)
        image = prepared(net, photo)
        watch.lap("resize and normalise")
        logits = net.module(image[None])[0].float()
        watch.lap("network")
    size = (image.shape[-1], image.shape[-2])
    return ClassificationTrace(
        info=trace_info(net, photo, size, watch),
        logits=frozen(logits),
        probabilities=frozen(torch.softmax(logits, 0)),
        seen_box=seen_box(net.preset, photo.width, photo.height),
        likely_from=net.likely_from,
    )


def seen_box(preset: Any, width: int, height: int) -> tuple[float, float, float, float]:
    """The part of a photo inside the centre crop of torchvision's ``ImageClassification`` preset.

    Args:
        preset: the preset, which resizes the short side and cuts a square from the centre.
        width, height: of the photo, pixels.

    Returns:
        (x1, y1, x2, y2) in photo pixels, clipped to the photo.
    """
    side = preset.crop_size[0] * min(width, height) / preset.resize_size[0]
    x1, y1 = (width - side) / 2, (height - side) / 2
    return (max(x1, 0.0), max(y1, 0.0), min(x1 + side, float(width)), min(y1 + side, float(height)))
