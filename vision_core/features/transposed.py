"""The transposed convolutions of a network at work: what goes in, the weights, what comes out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from vision_core import devices
from vision_core.errors import UserError
from vision_core.features.activations import view_of
from vision_core.images import Photo


@dataclass(frozen=True, eq=False)
class Captured:
    """One run of a transposed convolution.

    Attributes:
        layer: its name.
        input: float32 [C, h, w]. weight: [C, O/groups, k, k]. output: [O, H, W].
        bias: [O] or none.
        options: stride, padding, output_padding, dilation (one number each) and groups.
    """

    layer: str
    input: np.ndarray
    weight: np.ndarray
    bias: np.ndarray | None
    output: np.ndarray
    options: dict[str, int]

    def phases(self) -> np.ndarray:
        """Mean absolute output at each place within a stride, [s, s]: equal ones show no
        checkerboard."""
        s = self.options["stride"]
        strength = np.abs(self.output).mean(0)
        return np.array([[strength[i::s, j::s].mean() for j in range(s)] for i in range(s)])

    def strongest(self) -> tuple[int, int]:
        """The input channel that contributes most, and the second index of its weight: mean
        activation times mean weight."""
        reach = np.abs(self.input).mean((1, 2))[:, None] * np.abs(self.weight).mean((2, 3))
        row, column = np.unravel_index(int(reach.argmax()), reach.shape)
        return int(row), int(column)

    def output_channel(self, channel: int, index: int) -> int:
        """Where weight ``[channel, index]`` writes to: with groups, to those of its own group."""
        group = channel // (self.input.shape[0] // self.options["groups"])
        return group * self.weight.shape[1] + index

    def bilinear(self) -> np.ndarray | None:
        """The kernel of bilinear interpolation of this size, [k, k]; ``None`` where k is not twice
        the stride."""
        k, s = self.weight.shape[2], self.options["stride"]
        if k != 2 * s or self.weight.shape[3] != k:
            return None
        tent = 1 - np.abs((np.arange(k) + 0.5) / s - 1)
        return np.outer(tent, tent)


def layers(module: nn.Module) -> tuple[str, ...]:
    """Names of a network's 2-D transposed convolutions."""
    return tuple(n for n, m in module.named_modules() if isinstance(m, nn.ConvTranspose2d))


def capture(model: Any, photo: Photo, layer: str) -> Captured:
    """What a transposed convolution gets and gives when the network sees a photo.

    Raises:
        UserError: no such layer, or it does not run when the whole picture is seen, as those of
            mask and keypoint heads do not.
    """
    module, x, _, run = view_of(model, photo)
    part = dict(module.named_modules()).get(layer)
    if not isinstance(part, nn.ConvTranspose2d):
        raise UserError(f"The network has no transposed convolution called {layer!r}.")
    seen: list[Tensor] = []
    handle = part.register_forward_hook(lambda _, given, out: seen.extend((given[0], out)))
    try:
        with torch.inference_mode(False), torch.no_grad(), devices.forward_slot():
            run(module, x)
    finally:
        handle.remove()
    if not seen:
        raise UserError(
            f"The layer {layer} runs on regions only, and is not shown here; choose "
            "another network."
        )
    return captured(layer, part, seen[0][:1], seen[1][:1])


def captured(layer: str, part: nn.ConvTranspose2d, given: Tensor, out: Tensor) -> Captured:
    """The record of one run, from input and output [1, C, h, w]."""

    def array(value: Tensor) -> np.ndarray:
        return value.detach().float().cpu().numpy()

    options = {
        name: int(getattr(part, name)[0])
        for name in ("stride", "padding", "output_padding", "dilation")
    }
    return Captured(
        layer,
        array(given[0]),
        array(part.weight),
        None if part.bias is None else array(part.bias),
        array(out[0]),
        {**options, "groups": int(part.groups)},
    )
