"""Boxes to look at that come from outside a network: sliding windows and selective search."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import cv2
import numpy as np

from vision_core import devices
from vision_core.errors import UserError
from vision_core.images import Photo

SEARCHED = 320
"""Shorter side of the picture that selective search works on, pixels."""
MOST = 2000
"""Regions that R-CNN and Fast R-CNN are given at most, as in their papers."""
LONGEST = 8
"""A photo's longer side over its shorter one, at most: else there are too many windows."""
SCALES = (0.25, 0.5, 0.9)
"""Sides of the sliding windows, as shares of the photo's shorter side."""
RATIOS = (0.5, 1.0, 2.0)
"""Heights of the windows over their widths."""
STEP = 0.25
"""From one window to the next, as a share of its own side."""


@dataclass(frozen=True, eq=False)
class Regions:
    """Boxes that may hold an object.

    Attributes:
        boxes: float32 [K, 4], x1, y1, x2, y2 in photo pixels, within the photo, largest first.
        found: how many there were before the limit.
        seconds: that finding them took.
    """

    boxes: np.ndarray
    found: int
    seconds: float


def check_shape(photo: Photo) -> None:
    """Refuse a photo that is so long and thin that windows and regions would be too many.

    Raises:
        UserError: it is.
    """
    if max(photo.width, photo.height) > LONGEST * min(photo.width, photo.height):
        raise UserError(
            f"{photo.name} is too long and thin for the race: at {photo.width} x {photo.height} "
            "pixels there would be too many windows; crop it."
        )


def selective_search(photo: Photo, most: int = MOST) -> Regions:
    """The region proposals of R-CNN and Fast R-CNN, by OpenCV's own implementation.

    Uijlings, van de Sande, Gevers and Smeulders, "Selective Search for Object Recognition" (2013):
    superpixels that are alike in colour, texture, size and fill are merged again and again, and
    every merged region gives a box. The "quality" strategy, on a picture whose shorter side is
    ``SEARCHED`` pixels. Which boxes go where there are more than ``most`` is drawn anew each time,
    as in the paper (regions that were merged late have better chances); those kept come largest
    first, so that the same photo gives the same list where all are kept.

    Args:
        photo: the photo.
        most: boxes that are kept, from 1.

    Raises:
        UserError: OpenCV is here without its contributed modules, or ``check_shape`` refuses.
    """
    check_shape(photo)
    module = getattr(cv2, "ximgproc", None)
    if module is None:
        raise UserError(
            "Selective search needs OpenCV's contributed modules; install "
            "opencv-contrib-python-headless in place of opencv-python-headless."
        )
    scale = SEARCHED / min(photo.width, photo.height)
    size = tuple(max(1, round(side * scale)) for side in (photo.width, photo.height))
    small = cv2.resize(photo.pixels[:, :, ::-1], size, interpolation=cv2.INTER_AREA)
    with devices.forward_slot():  # seconds of work on all cores: in turn, as a network's pass
        begun = time.perf_counter()
        search = module.segmentation.createSelectiveSearchSegmentation()
        search.setBaseImage(np.ascontiguousarray(small))
        search.switchToSelectiveSearchQuality()
        xywh = np.asarray(search.process(), np.float32).reshape(-1, 4)
        seconds = time.perf_counter() - begun
    if not len(xywh):  # nothing differs anywhere: the photo is its only region
        xywh = np.array([[0, 0, *size]], np.float32)
    boxes = np.concatenate([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], 1)
    boxes *= np.tile([photo.width / size[0], photo.height / size[1]], 2).astype(np.float32)
    boxes = np.clip(boxes, 0, np.tile([photo.width, photo.height], 2)).astype(np.float32)
    kept = boxes[:most]
    area = (kept[:, 2:] - kept[:, :2]).prod(1)
    return Regions(kept[np.lexsort((*kept.T, -area))], len(boxes), seconds)


def windows(width: int, height: int) -> np.ndarray:
    """Sliding windows over every place, size and ratio: float32 [K, 4], photo pixels.

    A window of scale ``s`` and ratio ``r`` has the area ``(s * shorter side) ** 2`` and is ``r``
    times as high as it is wide; the last one in a row or column ends at the photo's edge. Windows
    that would not fit are left out.
    """
    boxes = []
    for scale in SCALES:
        for ratio in RATIOS:
            side = scale * min(width, height)
            w, h = side / math.sqrt(ratio), side * math.sqrt(ratio)
            if w > width or h > height:
                continue
            for y in _starts(height, h, STEP * side):
                for x in _starts(width, w, STEP * side):
                    boxes.append((x, y, x + w, y + h))
    return np.array(boxes, np.float32).reshape(-1, 4)


def _starts(length: float, window: float, step: float) -> np.ndarray:
    """Where the windows of one row begin, evenly, about ``step`` apart."""
    room = length - window
    return np.linspace(0, room, math.ceil(room / step) + 1) if room > 0 else np.zeros(1)
