"""Parts of a photo warped to squares, as R-CNN gives them to its network one by one."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor

from vision_core.images import Photo


def warped(photo: Photo, boxes: np.ndarray, side: int, context: float = 0.0) -> np.ndarray:
    """The boxes' pixels, each squeezed into a square whatever its shape (Girshick et al. 2014).

    Args:
        photo: the photo.
        boxes: [K, 4] x1, y1, x2, y2, photo pixels, each at least a part of a pixel wide and high.
        side: of the squares, pixels.
        context: share of the square at each of its edges that shows what lies around the box.
            What lies outside the photo has the photo's mean colour.

    Returns:
        uint8 [K, side, side, 3].
    """
    mean = tuple(float(v) for v in photo.pixels.mean((0, 1)))
    out = np.empty((len(boxes), side, side, 3), np.uint8)
    inner = side * (1 - 2 * context)
    for crop, (x1, y1, x2, y2) in zip(out, np.asarray(boxes, np.float64), strict=True):
        sx, sy = inner / max(x2 - x1, 1e-3), inner / max(y2 - y1, 1e-3)
        # Pixel centres lie at halves, for the photo and for the square.
        shift_x = side * context - sx * x1 + 0.5 * sx - 0.5
        shift_y = side * context - sy * y1 + 0.5 * sy - 0.5
        matrix = np.array([[sx, 0.0, shift_x], [0.0, sy, shift_y]])
        crop[:] = cv2.warpAffine(
            photo.pixels,
            matrix,
            (side, side),
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=mean,
        )
    return out


def normalised(
    crops: np.ndarray, mean: list[float], std: list[float], device: torch.device
) -> Tensor:
    """Squares as a network's input, float32 [K, 3, side, side].

    Args:
        crops: uint8 [K, side, side, 3].
        mean, std: of the three channels, for values in 0..1.
        device: where the result shall lie.
    """
    pixels = torch.from_numpy(crops).permute(0, 3, 1, 2).to(device).float() / 255
    shape = (1, 3, 1, 1)
    return (pixels - pixels.new_tensor(mean).view(shape)) / pixels.new_tensor(std).view(shape)
