"""A picture that grows step by step: the content of one photo in the style of another.

Gatys, Ecker and Bethge, "Image Style Transfer Using Convolutional Neural Networks" (CVPR 2016).
The weights of the network stay; the picture is what is learned.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from vision_core import devices
from vision_core.errors import UserError
from vision_core.images import Photo
from vision_core.models import Model
from vision_core.style.losses import content_loss, gram, style_loss, total_variation
from vision_core.style.reader import Reader
from vision_core.style.settings import MOST_STEPS, StyleSettings

HELD_EVERY = 10
"""Steps between two pictures to which a run can go back."""
MOST_HELD = 40
_HISTORY = 10  # pairs of L-BFGS; the paper's authors use as few as memory allows
_MOST_LOOKS = 20
"""Looks of a step at the losses: where the line search finds nothing better, it ends."""


@dataclass(frozen=True)
class Grown:
    """Where a run is after a step.

    Attributes:
        number: of the step; 0 before the first.
        content, style, variation: the losses without their weights.
        total: what is made smaller.
        by_layer: the style loss of each layer.
        seconds: that the step took.
    """

    number: int
    content: float
    style: float
    variation: float
    total: float
    by_layer: dict[str, float]
    seconds: float


class StyleRun:
    """A picture between content and style; it belongs to one user.

    Args:
        model: of the VGG family; shared, and not changed.
        content, style: photos; the style is shown to the network at the same longer side.
        settings: layers, weights, optimiser, start.

    Raises:
        UserError: another network, or a layer that it does not have.

    Attributes:
        settings: as given.
        history: the losses after each step, from step 0 on.
    """

    def __init__(self, model: Model, content: Photo, style: Photo, settings: StyleSettings) -> None:
        self.settings, self._reader = settings, Reader(model, settings.average)
        self._reader.check((*settings.content_layers, *settings.style_layers))
        with torch.inference_mode(False), torch.no_grad(), devices.forward_slot():
            photo = fitted(content, settings.side, model.device)
            pattern = fitted(style, settings.side, model.device)
            self._scales = self._mean_activations(photo, pattern)
            self._content = self._read(photo, settings.content_layers)
            self._style = self._grams(pattern, settings.style_layers)
        self._photo, self._pattern = photo, pattern
        self._x = self._first(photo)
        self._optimiser = self._made()
        # A page that is drawn anew does not wait for the one before, which may be in a step.
        self._stepping = threading.RLock()
        self.history = [self._measured(0, 0.0)]
        self._held: dict[int, Tensor] = {0: self._x.detach().clone()}

    def _first(self, photo: Tensor) -> Tensor:
        if self.settings.start == "content":
            return photo.clone()
        rng = torch.Generator().manual_seed(self.settings.seed)
        noise = torch.randn(photo.shape, generator=rng) * 0.1 + 0.5
        return noise.clamp(0, 1).to(photo)

    def _made(self) -> Any:
        self._x.requires_grad_(True)
        if self.settings.optimiser == "adam":
            return torch.optim.Adam([self._x], lr=self.settings.rate)
        return torch.optim.LBFGS(
            [self._x],
            max_iter=1,
            max_eval=_MOST_LOOKS,
            history_size=_HISTORY,
            tolerance_grad=0,
            tolerance_change=0,
            line_search_fn="strong_wolfe",
        )

    def _mean_activations(self, *pictures: Tensor) -> dict[str, float]:
        """Of each layer over the pictures: what its activations are divided by.

        The paper scales the weights of its network so that mean activations are 1 (section 2); the
        layers of any network can then be weighed against each other.
        """
        names = self._reader.layers
        found = [self._reader(picture, names) for picture in pictures]
        return {
            name: max(sum(float(f[name].mean()) for f in found) / len(found), 1e-6)
            for name in names
        }

    def _read(self, picture: Tensor, names: tuple[str, ...]) -> dict[str, Tensor]:
        return {n: x / self._scales[n] for n, x in self._reader(picture, names).items()}

    def _grams(self, picture: Tensor, names: tuple[str, ...]) -> dict[str, Tensor]:
        return {name: gram(found) for name, found in self._read(picture, names).items()}

    def _losses(self, x: Tensor) -> tuple[Tensor, dict[str, Tensor], Tensor, Tensor]:
        """Content, style by layer, total variation, and their weighted sum."""
        told = self.settings
        found = self._read(x, (*told.content_layers, *told.style_layers))
        zero = x.new_zeros(())
        content = sum((content_loss(found[n], self._content[n]) for n in self._content), zero)
        content = content / max(len(self._content), 1)
        style = {n: style_loss(found[n], target) for n, target in self._style.items()}
        weights = {n: told.layer_weights.get(n, 1.0) for n in style}
        summed = sum((weights[n] * loss for n, loss in style.items()), zero)
        summed = summed / max(sum(weights.values()), 1e-12)
        variation = total_variation(x)
        total = (
            told.content_weight * content + told.style_weight * summed + told.smoothness * variation
        )
        return content, {**style, "": summed}, variation, total

    def _measured(self, number: int, seconds: float) -> Grown:
        with torch.inference_mode(False), torch.no_grad(), devices.forward_slot():
            content, style, variation, total = self._losses(self._x)
        by_layer = {n: float(loss) for n, loss in style.items()}
        whole = by_layer.pop("")
        return Grown(
            number, float(content), whole, float(variation), float(total), by_layer, seconds
        )

    @property
    def step(self) -> int:
        """How many steps it has made."""
        return self.history[-1].number

    @property
    def back_to(self) -> tuple[int, ...]:
        """Steps to which it can go back, the newest first."""
        return tuple(n for n in sorted(self._held, reverse=True) if n < self.step)

    @property
    def nbytes(self) -> int:
        """Bytes that the run holds: pictures, targets, what the optimiser remembers."""
        one = self._x.nbytes
        remembered = 2 * (_HISTORY + 2) if self.settings.optimiser == "lbfgs" else 2
        targets = sum(t.nbytes for t in (*self._content.values(), *self._style.values()))
        return one * (len(self._held) + 4 + remembered) + targets

    def grow(self, steps: int = 1) -> Grown:
        """Make some steps.

        Raises:
            UserError: the run is at its last step, or its numbers are no longer finite.
        """
        for _ in range(steps):
            self._one()
        return self.history[-1]

    def advance(
        self,
        seconds: float,
        until: int = MOST_STEPS,
        wanted: Callable[[], bool] = lambda: True,
    ) -> None:
        """Make steps for a while, one at least, and none after step ``until``.

        Args:
            seconds: after which no further step is begun.
            until: the last step.
            wanted: asked before each step; none is made once it says no.

        Raises:
            UserError: see ``grow``.
        """
        end, made = time.monotonic() + seconds, False
        while time.monotonic() < end or not made:
            with self._stepping:
                if self.step >= until or not wanted():
                    return
                self._one()
                made = True

    def settle(self) -> None:
        """Wait for a step that another thread is making; the next one asks if it is wanted."""
        with self._stepping:
            pass

    def _one(self) -> None:
        if self.step >= MOST_STEPS:
            raise UserError(f"A picture grows for at most {MOST_STEPS} steps.")
        began = time.monotonic()

        def closure() -> Tensor:
            self._optimiser.zero_grad()
            # In units of one pixel: L-BFGS takes no notice of curvature below 1e-10.
            total = self._losses(self._x)[-1] * self._x.numel()
            total.backward()
            return total

        before = self._x.detach().clone()
        with torch.inference_mode(False), torch.enable_grad(), devices.forward_slot():
            self._optimiser.step(closure)
            with torch.no_grad():
                self._x.clamp_(0, 1)
        if not bool(torch.isfinite(self._x).all()):
            self._restart(before)
            raise UserError("The picture is no longer finite; take smaller weights or rates.")
        number = self.step + 1
        self.history.append(self._measured(number, time.monotonic() - began))
        if number % HELD_EVERY == 0:
            self._held[number] = self._x.detach().clone()
            while len(self._held) > MOST_HELD:
                del self._held[sorted(self._held)[1]]  # the first one stays

    def go_back(self, number: int) -> None:
        """Take steps back: the picture is as it was then, and the optimiser begins anew.

        Raises:
            UserError: the picture of that step is not held.
        """
        if number not in self._held:
            held = ", ".join(map(str, sorted(self._held)))
            raise UserError(f"Step {number} is not held; go back to one of {held}.")
        with self._stepping:
            self._restart(self._held[number].clone())
            self.history = [h for h in self.history if h.number <= number]
            self._held = {n: x for n, x in self._held.items() if n <= number}

    def _restart(self, x: Tensor) -> None:
        self._x = x.detach()
        self._optimiser = self._made()

    @property
    def picture(self) -> np.ndarray:
        """The picture as it is now, uint8 ``[H, W, 3]``."""
        return as_pixels(self._x.detach())

    @property
    def pattern(self) -> np.ndarray:
        """The style as the network sees it, uint8 ``[h, w, 3]``."""
        return as_pixels(self._pattern)

    def grams(self, layer: str) -> dict[str, np.ndarray]:
        """Gram matrices ``[C, C]`` of a layer: of the style, the content photo and the picture.

        Raises:
            UserError: there is no such layer.
        """
        self._reader.check((layer,))
        pictures = {"style": self._pattern, "content": self._photo, "result": self._x.detach()}
        with torch.inference_mode(False), torch.no_grad(), devices.forward_slot():
            return {
                name: self._grams(x, (layer,))[layer].cpu().numpy() for name, x in pictures.items()
            }

    def record(self) -> dict[str, Any]:
        """Settings and losses, for JSON."""
        return {
            "settings": self.settings.record(),
            "size": [self._x.shape[3], self._x.shape[2]],
            "steps": [vars(one) for one in self.history],
        }


def fitted(photo: Photo, side: int, device: torch.device) -> Tensor:
    """A photo in 0..1 at a longer side of ``side`` pixels, ``[1, 3, h, w]``."""
    x = devices.image_tensor(photo, device)[None]
    scale = side / max(photo.width, photo.height)
    size = (max(1, round(photo.height * scale)), max(1, round(photo.width * scale)))
    return F.interpolate(x, size, mode="bilinear", antialias=True, align_corners=False).clamp(0, 1)


def as_pixels(x: Tensor) -> np.ndarray:
    """A picture ``[1, 3, H, W]`` in 0..1 as uint8 ``[H, W, 3]``."""
    shown = (x[0].clamp(0, 1) * 255).round().byte()
    return shown.permute(1, 2, 0).contiguous().cpu().numpy()
