"""Semantic segmentation: logits upsampled to the photo, then the argmax.

Upsampling labels instead of logits gives ragged borders and classes that were nowhere the best;
Long et al. 2015 (FCN) upsample scores, as done here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from vision_core import devices
from vision_core.images import Photo
from vision_core.inference.cache import ByteLRU
from vision_core.inference.detection import frozen, trace_info
from vision_core.inference.families import Network
from vision_core.inference.presets import prepared, too_long
from vision_core.inference.timing import Stopwatch
from vision_core.records import SegmentationTrace

ROWS_PER_CHUNK = 64
# A rerun asks for the same map several times: for the picture, the legend and the words.
_confident: ByteLRU[np.ndarray] = ByteLRU(
    64 * 2**20, lambda found: found.nbytes, "confident classes"
)


def trace_segmentation(net: Network, photo: Photo) -> SegmentationTrace:
    """Logits and class map of a network that returns ``{"out": logits}``; see ``trace``."""
    with torch.inference_mode(), devices.forward_slot():
        watch = Stopwatch(net.device)
        image = prepared(net, photo)
        watch.lap("resize and normalise")
        logits = net.module(image[None])["out"][0].float()
        watch.lap("network")
        class_map = _argmax_upsampled(logits, photo.height, photo.width)
        watch.lap("upsample and argmax")
    size = (image.shape[-1], image.shape[-2])
    notes: tuple[str, ...] = ()
    if too_long(net, photo):
        notes = (
            f"so long and thin that {net.name} saw it smaller than usual, at {size[0]} x "
            f"{size[1]} pixels",
        )
    return SegmentationTrace(
        info=trace_info(net, photo, size, watch, notes),
        logits=frozen(logits),
        class_map=frozen(class_map),
    )


def _argmax_upsampled(logits: Tensor, height: int, width: int) -> Tensor:
    """Argmax over bilinearly upsampled logits [C, h, w], uint8 [height, width]."""
    result = torch.empty((height, width), dtype=torch.uint8, device=logits.device)
    for rows, band in _bands(logits, height, width):
        result[rows] = band.argmax(0).to(torch.uint8)
    return result


def _bands(logits: Tensor, height: int, width: int) -> Iterator[tuple[slice, Tensor]]:
    """Bilinearly upsampled logits [C, rows, width] in bands of rows, with the rows of each.

    In bands, since 21 classes on a 4-megapixel photo would take 340 MB at once.
    """
    wide = _interpolate_axis(logits, width, dim=2)
    for start in range(0, height, ROWS_PER_CHUNK):
        stop = min(start + ROWS_PER_CHUNK, height)
        low, high, weight = _neighbours(logits.shape[1], height, logits.device, start, stop)
        band = wide[:, low] * (1 - weight)[:, None] + wide[:, high] * weight[:, None]
        yield slice(start, stop), band


def confidence(trace: SegmentationTrace) -> np.ndarray:
    """The probability of the class that each photo pixel was given, float32 [H, W], 0..1.

    It is the softmax over the classes of the upsampled logits at the pixel, as
    ``probabilities_at`` tells it.
    """
    key = trace.info.id, hashlib.sha256(trace.logits.tobytes()).digest()
    return _confident.get_or_make(key, lambda: _confidence(trace))


def _confidence(trace: SegmentationTrace) -> np.ndarray:
    width, height = trace.info.photo_size
    logits = torch.from_numpy(trace.logits.copy())
    result = torch.empty((height, width))
    for rows, band in _bands(logits, height, width):
        result[rows] = torch.softmax(band, 0).amax(0)
    return frozen(result)


def _neighbours(
    size: int, target: int, device: torch.device, start: int = 0, stop: int | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """Two source indices and the weight of the second, per target index.

    The sampling of ``F.interpolate(mode="bilinear", align_corners=False)``: pixel centres.
    """
    stop = target if stop is None else stop
    place = (torch.arange(start, stop, device=device, dtype=torch.float32) + 0.5) * (size / target)
    place = (place - 0.5).clamp_(min=0)
    low = place.floor().long().clamp_(max=size - 1)
    return low, (low + 1).clamp_(max=size - 1), place - low


def _interpolate_axis(values: Tensor, target: int, dim: int) -> Tensor:
    shape = [values.shape[1], values.shape[2]]
    shape[dim - 1] = target
    return F.interpolate(values[None], size=shape, mode="bilinear", align_corners=False)[0]
