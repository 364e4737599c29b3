"""The layers of a VGG network one after the other: what style transfer reads.

Nothing is hooked and nothing is changed: the network's own convolutions are called, ReLU and
pooling are functions here, so that average pooling can stand in for max pooling (Gatys et al. 2016,
section 2).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models import VGG

from vision_core.errors import UserError
from vision_core.models import Card, Model
from vision_core.models.zoo.vgg_s import VGGS

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
Step = tuple[str, Callable[[Tensor], Tensor]]


def readable(card: Card) -> bool:
    """Whether a card is that of a VGG network."""
    return card.builder == "vgg_s" or card.builder.startswith("vgg1")


class Reader:
    """The convolutional part of a VGG network as steps with the paper's names.

    ``relu4_2`` is what comes out of the second convolution of the fourth stack, after its ReLU.

    Args:
        model: a network of the VGG family; it stays as it is.
        average: average pooling in place of max pooling.

    Raises:
        UserError: another network.
    """

    def __init__(self, model: Model, average: bool = True) -> None:
        module: Any = model.module
        if isinstance(module, VGGS):
            self._steps = _of_small(module, average)
        elif isinstance(module, VGG):
            self._steps = _of_torchvision(module, average)
        else:
            raise UserError(
                f"{model.card.title} is no VGG network; style transfer takes vgg_s or a VGG of "
                "torchvision."
            )
        self.device = model.device
        self.mean = torch.tensor(MEAN, device=model.device)[None, :, None, None]
        self.std = torch.tensor(STD, device=model.device)[None, :, None, None]

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of what can be read, from the picture on."""
        return tuple(name for name, _ in self._steps if name.startswith("relu"))

    def check(self, names: Sequence[str]) -> None:
        """Refuse layers that the network does not have.

        Raises:
            UserError: naming the first of them.
        """
        wrong = next((name for name in names if name not in self.layers), None)
        if wrong is not None:
            raise UserError(
                f"There is no layer {wrong!r} in this network; its layers are "
                f"{', '.join(self.layers)}."
            )

    def __call__(self, picture: Tensor, names: Sequence[str]) -> dict[str, Tensor]:
        """What layers put out; the network runs only as far as it must.

        Args:
            picture: ``[1, 3, H, W]`` in 0..1.
            names: of ``layers``.
        """
        left, found = set(names), {}
        x = (picture - self.mean) / self.std
        for name, step in self._steps:
            if not left:
                break
            x = step(x)
            if name in left:
                found[name] = x
                left.discard(name)
        return found


def _pool(average: bool, ceil: bool) -> Step:
    def pool(x: Tensor) -> Tensor:
        # A side of one pixel stays: a small picture must not vanish.
        size = [min(2, x.shape[2]), min(2, x.shape[3])]
        if average:
            return F.avg_pool2d(x, size, size, ceil_mode=ceil)
        return F.max_pool2d(x, size, size, ceil_mode=ceil)

    return "pool", pool


def _of_small(module: VGGS, average: bool) -> list[Step]:
    steps: list[Step] = []
    for at, stack in enumerate(module.trunk.stacks, 1):
        if at > 1:
            steps.append(_pool(average, True))
        steps += [(f"relu{at}_{k}", _block(part)) for k, part in enumerate(_parts(stack), 1)]
    return steps


def _parts(stack: nn.Module) -> list[nn.Sequential]:
    return [part for part in stack.children() if isinstance(part, nn.Sequential)]


def _block(part: nn.Sequential) -> Callable[[Tensor], Tensor]:
    """Convolution and BatchNorm of the network, and a ReLU that writes nowhere."""
    inner = [layer for layer in part if not isinstance(layer, nn.ReLU)]

    def run(x: Tensor) -> Tensor:
        for layer in inner:
            x = layer(x)
        return F.relu(x)

    return run


def _of_torchvision(module: VGG, average: bool) -> list[Step]:
    steps: list[Step] = []
    stack, at = 1, 0
    for layer in module.features:
        if isinstance(layer, nn.MaxPool2d):
            steps.append(_pool(average, False))
            stack, at = stack + 1, 0
        elif isinstance(layer, nn.ReLU):
            at += 1
            steps.append((f"relu{stack}_{at}", F.relu))
        else:
            steps.append(("inner", layer))
    return steps
