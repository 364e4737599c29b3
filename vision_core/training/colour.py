"""Changes of colour and hidden patches, for a whole batch at once; pictures are 0..1 floats."""

from __future__ import annotations

import torch
from torch import Tensor

from vision_core.training.windows import Windows, random_between

MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)


def normalise(pictures: Tensor) -> Tensor:
    """``[N, 3, h, w]`` in 0..1 -> zero mean, unit spread (ImageNet's statistics)."""
    mean = pictures.new_tensor(MEAN)[:, None, None]
    std = pictures.new_tensor(STD)[:, None, None]
    return (pictures - mean) / std


def read_photos(windows: Windows, canvases: Tensor, height: int, width: int) -> Tensor:
    """Read uint8 canvases through windows -> uint8 ``[N, 3, h, w]``, mean colour outside."""
    return windows.read(canvases, height, width, outside=[round(255 * m) for m in MEAN])


def jitter(pictures: Tensor, rng: torch.Generator, strength: float = 0.3) -> Tensor:
    """Change brightness, contrast, saturation and white balance by up to ``strength``.

    All four are linear in the colours, so that each picture needs one 3x3 matrix and one shift.

    Args:
        pictures: uint8 ``[N, 3, h, w]``.
        rng: random numbers.
        strength: largest relative change.

    Returns:
        float32 ``[N, 3, h, w]`` in 0..1.
    """
    n, _, height, width = pictures.shape
    floats = pictures.float().flatten(2)

    def factors(channels: int, amount: float) -> Tensor:
        return random_between(1 - amount, 1 + amount, [n, channels, 1], rng)

    saturation, contrast = factors(1, strength), factors(1, strength)
    gain = factors(1, strength) * factors(3, strength / 4)
    middle = floats.mean((1, 2))[:, None, None].cpu() / 255
    to_grey = torch.full((3, 3), 1 / 3)
    matrix = gain * contrast * (saturation * torch.eye(3) + (1 - saturation) * to_grey)
    shift = gain * (1 - contrast) * middle
    changed = torch.baddbmm(shift.to(floats), (matrix / 255).to(floats), floats)
    return changed.clamp_(0, 1).reshape(n, 3, height, width)


def cutout(pictures: Tensor, rng: torch.Generator, largest: float = 0.5) -> Tensor:
    """Hide one random rectangle of each picture, up to ``largest`` of its width and height.

    DeVries and Taylor, "Improved Regularization of Convolutional Neural Networks with Cutout"
    (2017). Hidden pixels are 0, the mean colour after ``normalise``.
    """
    n, _, height, width = pictures.shape
    size = torch.rand(n, 2, generator=rng) * largest
    low = torch.rand(n, 2, generator=rng) * (1 - size)
    x = (torch.arange(width) + 0.5) / width
    y = (torch.arange(height) + 0.5) / height
    across = (x > low[:, :1]) & (x < (low + size)[:, :1])
    down = (y > low[:, 1:]) & (y < (low + size)[:, 1:])
    hidden = down[:, None, :, None] & across[:, None, None, :]
    return pictures.masked_fill(hidden.to(pictures.device), 0.0)
