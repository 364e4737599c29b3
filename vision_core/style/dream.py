"""DeepDream: a photo is changed so that a layer of a network answers more strongly.

Mordvintsev, Olah and Tyka, "Inceptionism: Going Deeper into Neural Networks" (2015): gradient
ascent on the mean square of a layer, over octaves (small sizes first, then larger ones with the
details that were found), with jitter.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vision_core.attribution.heads import dense_parts, preset_network, statistics
from vision_core.attribution.question import differentiable
from vision_core.attribution.shadow import recording, shadow
from vision_core.errors import UserError
from vision_core.images import Photo
from vision_core.inference.families import network
from vision_core.models import Model
from vision_core.style.reader import MEAN, STD
from vision_core.style.settings import DreamSettings
from vision_core.style.transfer import as_pixels, fitted

SMALLEST = 32
"""Pixels of the shorter side of an octave, at least: smaller ones are left out."""


_TIMED = 128
"""Longer side of the picture on which a step is timed, pixels."""


@dataclass(frozen=True, eq=False)
class DreamFrame:
    """The picture after a step.

    Attributes:
        picture: uint8 ``[h, w, 3]``, at the size of its octave.
        score: the mean square of the layer, or the mean of the channel, on it.
        step, total: steps so far and in all.
        octave, octaves: which one, from 1, and of how many.
    """

    picture: np.ndarray
    score: float
    step: int
    total: int
    octave: int
    octaves: int


def sizes(width: int, height: int, settings: DreamSettings) -> list[tuple[int, int]]:
    """Height and width of each octave, the smallest first; the last is the whole picture.

    Args:
        width, height: of the photo.
        settings: side, octaves and scale count.
    """
    scale = settings.side / max(width, height)
    whole = (max(1, round(height * scale)), max(1, round(width * scale)))
    found = [whole]
    for octave in range(1, settings.octaves):
        small = tuple(max(1, round(n / settings.scale**octave)) for n in whole)
        if min(small) < SMALLEST:
            break
        found.append((small[0], small[1]))
    return found[::-1]


def dream(
    model: Model,
    photo: Photo,
    layer: str,
    channel: int | None = None,
    settings: DreamSettings | None = None,
) -> Iterator[DreamFrame]:
    """Dream step by step; the first frame is the photo at the smallest octave.

    Args:
        model: any network with feature maps; it is not changed.
        photo: where it begins.
        layer: name of a module that puts out ``[1, C, h, w]``.
        channel: one of it; the whole layer where left out.
        settings: the usual ones where left out.

    Raises:
        UserError: there is no such layer or channel, or the network takes one size only.
    """
    told = settings or DreamSettings()
    climb = _Climb(model, layer, channel)
    steps = sizes(photo.width, photo.height, told)
    whole = fitted(photo, told.side, model.device)
    rng = torch.Generator().manual_seed(told.seed)
    detail, total = torch.zeros_like(whole), told.steps * len(steps)
    for at, size in enumerate(steps):
        base = _resized(whole, size)
        x = (base + _resized(detail, size)).clamp(0, 1)
        if at == 0:
            yield DreamFrame(as_pixels(x), climb.value(x), 0, total, 1, len(steps))
        for step in range(told.steps):
            x = climb.step(x, told.rate, told.jitter, rng)
            done = at * told.steps + step + 1
            yield DreamFrame(as_pixels(x), climb.value(x), done, total, at + 1, len(steps))
        detail = x - base


def pixels_of(photo: Photo, settings: DreamSettings) -> int:
    """Pixels of all pictures that a dream goes through, each step's counted."""
    return settings.steps * sum(h * w for h, w in sizes(photo.width, photo.height, settings))


def seconds_of_pixel(model: Model, layer: str, channel: int | None, photo: Photo) -> float:
    """How long a step takes for each pixel of its picture, the quicker of two at a small size.

    Raises:
        UserError: as ``dream``.
    """
    climb, small = _Climb(model, layer, channel), fitted(photo, _TIMED, model.device)
    rng, times = torch.Generator().manual_seed(0), []
    for _ in range(2):
        began = time.perf_counter()
        climb.value(climb.step(small, 0.01, 0, rng))
        times.append(time.perf_counter() - began)
    return min(times) / (small.shape[-2] * small.shape[-1])


class _Climb:
    """Gradient ascent on a private shadow of the network."""

    def __init__(self, model: Model, layer: str, channel: int | None) -> None:
        net = network(model.detector if model.detector is not None else model)
        self._module, self._layer, self._channel = shadow(net.module), layer, channel
        self._run: Callable[[nn.Module, Tensor], Any]
        if net.preset is None and hasattr(net.module, "transform"):
            self._run, (mean, std) = dense_parts, statistics(net.module)
        else:
            self._run, mean, std = preset_network, MEAN, STD
        self._mean = torch.tensor(mean, device=model.device)[None, :, None, None]
        self._std = torch.tensor(std, device=model.device)[None, :, None, None]

    def score(self, x: Tensor) -> Tensor:
        """The objective on a picture ``[1, 3, h, w]`` in 0..1."""
        names = (self._layer,)
        with recording(self._module, names) as kept:
            try:
                self._run(self._module, (x - self._mean) / self._std)
            except (RuntimeError, AssertionError, ValueError) as error:
                if isinstance(error, UserError) or not _about_size(error):
                    raise
                raise UserError(
                    "This network takes pictures of one size only, and DeepDream changes the "
                    "size; choose a convolutional network."
                ) from None
            found = kept[self._layer]
        if not found or found[0].ndim != 4:
            raise UserError(
                f"The layer {self._layer} gives no feature maps here; choose a convolution or a "
                "block of convolutions."
            )
        maps = found[0][0]
        if self._channel is None:
            return maps.square().mean()
        if not 0 <= self._channel < len(maps):
            raise UserError(
                f"The layer {self._layer} has {len(maps)} channels, numbered from 0; there is no "
                f"channel {self._channel}."
            )
        return maps[self._channel].mean()

    def value(self, x: Tensor) -> float:
        """The objective as a number."""
        with torch.inference_mode(False), torch.no_grad():
            return float(self.score(x))

    def step(self, x: Tensor, rate: float, jitter: int, rng: torch.Generator) -> Tensor:
        """One step: along the gradient, scaled to a mean magnitude of ``rate``."""
        shift = torch.randint(-jitter, jitter + 1, (2,), generator=rng).tolist()
        with differentiable():
            rolled = torch.roll(x.detach(), shift, (2, 3)).requires_grad_(True)
            (grad,) = torch.autograd.grad(self.score(rolled), rolled)
        moved = rolled.detach() + rate * grad / grad.abs().mean().clamp(min=1e-12)
        return torch.roll(moved, [-n for n in shift], (2, 3)).clamp(0, 1)


def _about_size(error: Exception) -> bool:
    text = str(error).lower()
    return any(word in text for word in ("height", "width", "size", "shape", "dimension"))


def _resized(x: Tensor, size: tuple[int, int]) -> Tensor:
    if x.shape[-2:] == size:
        return x
    return F.interpolate(x, size, mode="bilinear", antialias=True, align_corners=False)
