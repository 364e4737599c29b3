"""What a network has that can be operated on: residual blocks, layers with channels, ReLUs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import nn
from torchvision.models.densenet import DenseNet
from torchvision.models.detection.faster_rcnn import TwoMLPHead
from torchvision.models.googlenet import BasicConv2d as GoogLeNetConv
from torchvision.models.inception import BasicConv2d as InceptionConv
from torchvision.models.resnet import BasicBlock, Bottleneck
from torchvision.ops.feature_pyramid_network import LastLevelP6P7

from vision_core.models.layout import not_maps

FUNCTIONAL = (
    DenseNet,
    GoogLeNetConv,
    InceptionConv,
    TwoMLPHead,
    LastLevelP6P7,
)
"""Modules that call ``relu`` as a function. FCOS's box regression, which does so too, is no
activation between layers: it keeps distances from being negative."""
_KEEPS_WIDTH = (nn.ReLU, nn.MaxPool2d, nn.AvgPool2d, nn.Dropout)


@dataclass(frozen=True)
class Block:
    """A residual block.

    Attributes:
        name: of the module.
        identity: whether its shortcut hands on its input as it is; a projection otherwise.
    """

    name: str
    identity: bool


def is_block(part: nn.Module) -> bool:
    """Whether a module is one of torchvision's two residual blocks (He et al. 2016)."""
    return isinstance(part, BasicBlock | Bottleneck)


def blocks_of(network: nn.Module) -> tuple[Block, ...]:
    """The residual blocks of a network, in the order in which they run."""
    return tuple(
        Block(name, part.downsample is None)
        for name, part in network.named_modules()
        if isinstance(part, BasicBlock | Bottleneck)
    )


def layers_of(network: nn.Module) -> dict[str, int]:
    """How many channels each layer puts out, by name, in the order of the modules.

    Layers that put out patches or several tensors are left out.
    """
    patches = not_maps(network)
    found: dict[str, int] = {}
    for name, part in network.named_modules():
        if not name or name in patches:
            continue
        width = _width(part)
        if width is not None:
            found[name] = width
        if isinstance(part, nn.Sequential):
            found.update(_followers(name, part))
    order = {name: at for at, (name, _) in enumerate(network.named_modules())}
    return {n: found[n] for n in sorted(found, key=order.__getitem__) if n not in patches}


def kernels_of(network: nn.Module) -> dict[str, tuple[int, int, int, int]]:
    """The shape of the weights of each 2-D convolution, by name: filters, channels, rows, columns.

    A filter of a grouped convolution reads the channels of its group only. Transposed
    convolutions, whose weights are ordered the other way round, are left out.
    """
    found = {}
    for name, part in network.named_modules():
        if isinstance(part, nn.Conv2d):
            filters, channels, height, width = part.weight.shape
            found[name] = (filters, channels, height, width)
    return found


def has_relu(network: nn.Module) -> bool:
    """Whether a network calls ReLU, as a module or as a function."""
    return any(isinstance(part, (nn.ReLU, *FUNCTIONAL)) for part in network.modules())


def _width(part: Any) -> int | None:
    """Channels of what a module puts out, where it says so itself."""
    if isinstance(part, Bottleneck):
        return _width(part.conv3)
    if isinstance(part, BasicBlock):
        return _width(part.conv2)
    if isinstance(part, nn.Sequential):
        widths = [
            w for child in part if not isinstance(child, _KEEPS_WIDTH) for w in [_width(child)]
        ]
        return widths[-1] if widths else None
    if isinstance(part, nn.GroupNorm):
        return int(part.num_channels)
    for attribute in ("out_channels", "out_features", "num_features"):
        value = getattr(part, attribute, None)
        if isinstance(value, int) and not list(part.children()):
            return value
    return None


def _followers(name: str, part: nn.Sequential) -> dict[str, int]:
    """Layers of a chain that keep the number of channels, such as ReLU and pooling."""
    found: dict[str, int] = {}
    width: int | None = None
    for inner, child in part.named_children():
        if not isinstance(child, _KEEPS_WIDTH):
            width = _width(child)
        elif width is not None:
            found[f"{name}.{inner}"] = width
    return found
