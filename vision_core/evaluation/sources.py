"""Where a picture is, and which part of it is meant."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

Box = tuple[float, float, float, float]
"""x1, y1, x2, y2 in pixels."""


@dataclass(frozen=True)
class Source:
    """A picture file, and the part of it that is wanted (``None``: all of it)."""

    path: Path
    box: Box | None = None


def read_photo(source: Source) -> Tensor:
    """Return the pixels as uint8 ``[3, H, W]``; a box is cut at whole pixels."""
    with Image.open(source.path) as file:
        picture = file.convert("RGB")
    if source.box is not None:
        x1, y1, x2, y2 = source.box
        picture = picture.crop((round(x1), round(y1), round(x2), round(y2)))
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1).contiguous()


def square_around(box: Box, scale: float, photo_wh: tuple[int, int]) -> Box:
    """Return a square of ``scale`` times the longer side of ``box``, cut at the photo's edges."""
    x1, y1, x2, y2 = box
    half = max(x2 - x1, y2 - y1) * scale / 2
    cx, cy = (x1 + x2) / 2, (y1 + y2) / 2
    return (
        max(0.0, cx - half),
        max(0.0, cy - half),
        min(float(photo_wh[0]), cx + half),
        min(float(photo_wh[1]), cy + half),
    )
