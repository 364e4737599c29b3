"""Random windows onto photos: one affine map for pictures, masks, boxes and joints alike.

Every augmentation that moves pixels is a window, centred somewhere on the photo, with a size, an
angle and perhaps mirrored. Pictures are read through it with OpenCV's ``warpAffine`` (on bytes,
which on a CPU takes a tenth of the time of ``F.grid_sample``); points are carried over by the same
numbers, so that labels cannot drift away from the pixels. On a GPU, where the canvases lie there,
``grid_sample`` does the reading.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F


@dataclass(frozen=True)
class Windows:
    """One window per photo, all lengths in pixels of the photo.

    Attributes:
        photo_wh: ``[N, 2]`` width and height of the photos.
        centre: ``[N, 2]`` centres of the windows.
        wh: ``[N, 2]`` width and height of the windows.
        angle: ``[N]`` rotation in radians.
        mirror: ``[N]`` -1 where the window is mirrored left to right, else 1.
    """

    photo_wh: Tensor
    centre: Tensor
    wh: Tensor
    angle: Tensor
    mirror: Tensor

    def _axes(self) -> Tensor:
        """``[N, 2, 2]``: columns are the window's half axes in photo pixels."""
        cos, sin = self.angle.cos(), self.angle.sin()
        half_w, half_h = (self.wh / 2).unbind(1)
        across = torch.stack([cos, sin], 1) * (self.mirror * half_w)[:, None]
        down = torch.stack([-sin, cos], 1) * half_h[:, None]
        return torch.stack([across, down], 2)

    def read(
        self,
        canvases: Tensor,
        height: int,
        width: int,
        mode: str = "bilinear",
        outside: Sequence[float] = (0,),
    ) -> Tensor:
        """Read ``[N, C, S, S]`` canvases through the windows -> ``[N, C, height, width]``.

        Each canvas holds its whole photo, squashed to a square.

        Args:
            canvases: uint8 or float32; the result is of the same type.
            height, width: of the result, pixels.
            mode: "bilinear" or "nearest".
            outside: what lies outside the photo, one value for each channel.
        """
        if canvases.device.type != "cpu":
            return self.sample(canvases, height, width, mode, outside)
        how = {"bilinear": cv2.INTER_LINEAR, "nearest": cv2.INTER_NEAREST}[mode]
        matrices = self._matrices(canvases.shape[-1], height, width).numpy()
        planes = canvases.numpy()
        result = np.empty((*planes.shape[:2], height, width), planes.dtype)
        for row, matrix in enumerate(matrices):
            for channel, value in enumerate(outside):
                cv2.warpAffine(
                    planes[row, channel],
                    matrix,
                    (width, height),
                    dst=result[row, channel],
                    flags=how | cv2.WARP_INVERSE_MAP,
                    borderMode=cv2.BORDER_CONSTANT,
                    borderValue=value,
                )
        return torch.from_numpy(result)

    def sample(
        self, canvases: Tensor, height: int, width: int, mode: str, outside: Sequence[float]
    ) -> Tensor:
        """``read`` by PyTorch's ``grid_sample``, on whatever device the canvases lie."""
        axes = torch.cat([self._axes(), self.centre[:, :, None]], 2)
        axes = axes * (2 / self.photo_wh)[..., None]
        axes[:, :, 2] -= 1
        shape = [len(canvases), 1, height, width]
        grid = F.affine_grid(axes.to(canvases.device), shape, align_corners=False)
        beyond = torch.tensor(outside, dtype=torch.float32, device=canvases.device)
        beyond = beyond.expand(canvases.shape[1])[:, None, None]
        result = F.grid_sample(canvases.float() - beyond, grid, mode=mode, align_corners=False)
        result = result + beyond
        return result.round().to(canvases.dtype) if canvases.dtype == torch.uint8 else result

    def _matrices(self, side: int, height: int, width: int) -> Tensor:
        """``[N, 2, 3]`` from indices of the window's pixels to indices of the canvas's."""
        to_canvas = side / self.photo_wh[:, :, None]
        axes = self._axes() * 2 / torch.tensor([width, height]) * to_canvas
        centre = self.centre[:, :, None] * to_canvas
        # index i of a pixel stands for its centre i + 0.5; the window's middle is its own centre
        middle = torch.tensor([[width / 2 - 0.5], [height / 2 - 0.5]])
        return torch.cat([axes, centre - 0.5 - axes @ middle], 2).double()

    def points(self, xy: Tensor, height: int, width: int) -> Tensor:
        """Carry ``[N, K, 2]`` photo pixels over to pixels of the window read at height x width."""
        unit = torch.linalg.solve(self._axes(), (xy - self.centre[:, None]).mT).mT
        return (unit + 1) / 2 * unit.new_tensor([width, height])


def random_between(low: float, high: float, shape: list[int], rng: torch.Generator) -> Tensor:
    """Uniform random numbers in ``[low, high)``."""
    return low + (high - low) * torch.rand(shape, generator=rng)


def random_signs(count: int, rng: torch.Generator) -> Tensor:
    """``[count]`` of -1 and 1 with equal chances."""
    return torch.randint(0, 2, (count,), generator=rng) * 2.0 - 1.0


def random_resized_crops(
    photo_wh: Tensor,
    rng: torch.Generator,
    area: tuple[float, float] = (0.35, 1.0),
    stretch: float = 1.33,
) -> Windows:
    """Return windows of a random share of the photo's area and a random shape, half mirrored.

    After torchvision's ``RandomResizedCrop``, for a whole batch at once. ``area`` is the range of
    the share, ``stretch`` the largest ratio of width to height (and of height to width).
    """
    n = len(photo_wh)
    share = random_between(*area, [n], rng)
    log_ratio = random_between(-1, 1, [n], rng) * torch.tensor(stretch).log()
    side = (photo_wh.prod(1) * share).sqrt()
    wh = torch.stack([side * (log_ratio / 2).exp(), side * (-log_ratio / 2).exp()], 1)
    wh = torch.minimum(wh, photo_wh)
    centre = wh / 2 + (photo_wh - wh) * torch.rand(n, 2, generator=rng)
    return Windows(photo_wh, centre, wh, torch.zeros(n), random_signs(n, rng))
