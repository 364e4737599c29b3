"""A classifier that slides within one pass: its dense layers as convolutions on the same weights.

Source: Sermanet et al., "OverFeat: Integrated Recognition, Localization and Detection using
Convolutional Networks" (2014), section 3.5; Long, Shelhamer, Darrell (2015) for segmentation.

A dense layer on a C x n x n map is a convolution with an n x n kernel; on a larger map it gives the
scores of every crop at once. Equal to the classifier on a crop it is only up to the padding: inside
the photo the convolutions see what lies around a crop, where the classifier sees zeros.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from vision_core import devices
from vision_core.errors import UserError
from vision_core.models import Model

NETWORKS = ("alexnet_s", "vgg_s")
"""Bundled classifiers with dense layers over places."""
BATCH = 32


@dataclass(frozen=True)
class Grid:
    """Where the places of a class map lie, in pixels of the network's input.

    Attributes:
        crop: side of the crops that the classifier is made for.
        stride: from one place to the next.
        start: of the receptive field of the first place, at most 0: padding lies before 0.
        field: side of the receptive field of a place; more than ``crop``, by the padding.
    """

    crop: int
    stride: int
    start: int
    field: int

    def inside(self, rows: int, columns: int, height: int, width: int) -> Tensor:
        """The places whose receptive field lies within the input: bool ``[rows, columns]``."""
        down, across = (
            (self.start + self.stride * torch.arange(n) >= 0)
            & (self.start + self.stride * torch.arange(n) + self.field <= size)
            for n, size in ((rows, height), (columns, width))
        )
        return down[:, None] & across[None]


class Slider:
    """A classifier and its convolutional twin, on the same weights.

    Args:
        model: one of ``NETWORKS``; it stays as it is.
    """

    def __init__(self, model: Model) -> None:
        """Turn the dense layers into convolutions.

        Raises:
            UserError: the network has no dense layers over places.
        """
        module: Any = model.module
        if not all(hasattr(module, part) for part in ("pool", "classifier")):
            raise UserError(f"{model.name} has no dense layers over places; choose alexnet_s.")
        self.model, self._module = model, module
        side = int(model.preset.crop_size[0])  # type: ignore[union-attr]
        with torch.inference_mode():
            coarse = self._trunk(module, torch.zeros(1, 3, side, side, device=model.device))
        kept = int(module.pool.output_size)
        self._block = int(coarse.shape[-1]) // kept  # averaged by the pooling, 1: it does nothing
        self._dense = _convolutions(module.classifier, int(coarse.shape[1]), kept, self._block)
        start, field, jump = 0, 1, 1
        for kernel, stride, padding in self._steps(side):
            start, field, jump = start - padding * jump, field + (kernel - 1) * jump, jump * stride
        self.grid = Grid(side, jump, start, field + (int(coarse.shape[-1]) - 1) * jump)

    @staticmethod
    def _trunk(module: Any, x: Tensor) -> Tensor:
        """All before the pooling: ``[N, C, h, w]``."""
        if hasattr(module, "features"):
            return module.features(x)
        maps, _ = module.trunk(x)
        return module.trunk.pool(maps[-1])[0]

    def _steps(self, side: int) -> list[tuple[int, int, int]]:
        """Kernel, stride and padding of each layer that runs, in order."""
        found: list[tuple[int, int, int]] = []
        twin = copy.deepcopy(self._module).to("meta")

        def note(part: Any, *_: Any) -> None:
            values = (part.kernel_size, part.stride, part.padding)
            found.append(tuple(v[0] if isinstance(v, tuple) else v for v in values))

        for part in twin.modules():
            if isinstance(part, nn.Conv2d | nn.MaxPool2d):
                part.register_forward_hook(note)
        self._trunk(twin, torch.zeros(1, 3, side, side, device="meta"))
        return found

    def scores(self, picture: Tensor, unpadded: bool = False) -> Tensor:
        """Logits of every place in one pass.

        Args:
            picture: the network's input ``[3, h, w]``, at least as large as a crop.
            unpadded: without any padding: every place sees the picture only.

        Returns:
            ``[classes, rows, columns]``.
        """
        module = self._module
        if unpadded:
            module = copy.deepcopy(module)
            for part in module.modules():
                if isinstance(part, nn.Conv2d | nn.MaxPool2d):
                    part.padding = (0, 0) if isinstance(part, nn.Conv2d) else 0
        with torch.inference_mode(), devices.forward_slot():
            coarse = self._trunk(module, picture[None])
            blocks = F.avg_pool2d(coarse, self._block, 1) if self._block > 1 else coarse
            result: Tensor = self._dense(blocks)[0]
        return result

    def cropped(self, picture: Tensor, rows: int, columns: int) -> Iterator[Tensor]:
        """Logits of the classifier itself on the crop at each place, row by row.

        Yields:
            ``[n, classes]`` for the next n places.
        """
        side, stride = self.grid.crop, self.grid.stride
        places = [(stride * y, stride * x) for y in range(rows) for x in range(columns)]
        for first in range(0, len(places), BATCH):
            crops = [picture[:, y : y + side, x : x + side] for y, x in places[first:][:BATCH]]
            with torch.inference_mode(), devices.forward_slot():
                yield self._module(torch.stack(crops))

    def multiply_adds(self, height: int, width: int) -> tuple[int, int]:
        """Of one pass over a picture, and of the classifier on one crop."""
        twin = copy.deepcopy(self._module).to("meta")
        dense = copy.deepcopy(self._dense).to("meta")

        def whole() -> None:
            coarse = self._trunk(twin, torch.zeros(1, 3, height, width, device="meta"))
            dense(F.avg_pool2d(coarse, self._block, 1) if self._block > 1 else coarse)

        side = self.grid.crop
        return _counted(whole), _counted(lambda: twin(torch.zeros(1, 3, side, side, device="meta")))


def _counted(run: Any) -> int:
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        run()
    return counter.get_total_flops() // 2


def _convolutions(classifier: Any, channels: int, kernel: int, spread: int) -> nn.Sequential:
    """Dense layers as convolutions: the first ``kernel`` x ``kernel``, the others 1x1."""
    made: list[nn.Module] = []
    for layer in classifier:
        if not isinstance(layer, nn.Linear):
            made.append(copy.deepcopy(layer))
            continue
        size, inside = (
            (1, layer.in_features)
            if any(isinstance(m, nn.Conv2d) for m in made)
            else (kernel, channels)
        )
        twin = nn.Conv2d(inside, layer.out_features, size, dilation=spread if size > 1 else 1)
        twin.weight = nn.Parameter(
            layer.weight.detach().reshape(layer.out_features, inside, size, size), False
        )
        twin.bias = nn.Parameter(layer.bias.detach(), False)
        made.append(twin)
    return nn.Sequential(*made).eval()
