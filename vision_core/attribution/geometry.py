"""Which part of a photo a network sees, and the way back from its pixels to the photo's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F


@dataclass(frozen=True)
class Window:
    """Where the network's input lies on the photo.

    A point at x of the input (0 at its left edge, ``width`` at its right) lies at
    ``left + x * scale_x`` of the photo, likewise for y.

    Attributes:
        left, top: photo pixels.
        scale_x, scale_y: photo pixels per pixel of the input.
        width, height: of the input, without any padding to the right and below.
        photo: (width, height) of the photo.
    """

    left: float
    top: float
    scale_x: float
    scale_y: float
    width: int
    height: int
    photo: tuple[int, int]

    @property
    def box(self) -> tuple[float, float, float, float]:
        """The part of the photo that is seen, (x1, y1, x2, y2), clipped to the photo."""
        right = self.left + self.width * self.scale_x
        bottom = self.top + self.height * self.scale_y
        w, h = self.photo
        return (
            max(self.left, 0.0),
            max(self.top, 0.0),
            min(right, float(w)),
            min(bottom, float(h)),
        )

    def to_photo(self, values: Tensor) -> np.ndarray:
        """Carry a map over the input to the photo, bilinearly.

        Args:
            values: ``[C, h, w]`` over the whole input (``width`` x ``height``), of any
                resolution: a cell covers its share of the input.

        Returns:
            float32 ``[H, W]`` for one channel, else ``[H, W, C]``; 0 where nothing was seen.
        """
        w, h = self.photo
        x = (torch.arange(w) + 0.5 - self.left) / (self.scale_x * self.width)
        y = (torch.arange(h) + 0.5 - self.top) / (self.scale_y * self.height)
        grid_y, grid_x = torch.meshgrid(2 * y - 1, 2 * x - 1, indexing="ij")
        grid = torch.stack([grid_x, grid_y], -1)[None].float()
        spread = F.grid_sample(
            values[None].detach().float().cpu(),
            grid,
            mode="bilinear",
            padding_mode="border",
            align_corners=False,
        )[0]
        seen = (grid.abs() <= 1).all(-1)[0]
        array = (spread * seen).numpy()
        return np.ascontiguousarray(array[0] if len(array) == 1 else array.transpose(1, 2, 0))


def of_preset(preset: Any, prepared: Tensor, photo_size: tuple[int, int]) -> Window:
    """The window of torchvision's classification and segmentation presets.

    Args:
        preset: resizes the shorter side; classification presets then cut the centre.
        prepared: ``[3, h, w]``, what it made of the photo.
        photo_size: (width, height) of the photo.
    """
    width, height = photo_size
    h, w = prepared.shape[-2:]
    if not hasattr(preset, "crop_size"):
        return Window(0.0, 0.0, width / w, height / h, w, h, photo_size)
    side = int(preset.resize_size[0])
    # torchvision's resize truncates the longer side to whole pixels
    new_w, new_h = side, side
    if width <= height:
        new_h = int(side * height / width)
    else:
        new_w = int(side * width / height)
    left, top = round((new_w - w) / 2.0), round((new_h - h) / 2.0)
    x, y = width / new_w, height / new_h
    return Window(left * x, top * y, x, y, w, h, photo_size)
