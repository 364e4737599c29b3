"""The layers of a catalogue model: shapes, parameters, multiply-adds, without its weights.

The network is built on PyTorch's meta device and run there: shapes are worked out, no number is
computed and no memory is taken, so that VGG-19 takes a moment and needs no download.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode
from torchvision.ops import FrozenBatchNorm2d

from vision_core.models import build
from vision_core.models.cards import Card
from vision_core.models.zoo.pose_heatmap_s import CROP

PHOTO = (640, 480)
"""Width and height of the photo for which shapes and multiply-adds are given."""
_ACTIVATIONS = (nn.ReLU, nn.ReLU6, nn.Hardswish, nn.SiLU, nn.Hardsigmoid, nn.GELU)
_QUIET = (*_ACTIVATIONS, nn.Dropout, nn.Identity, nn.Flatten)
_ALIKE = (*_ACTIVATIONS, nn.Sigmoid, nn.BatchNorm2d, FrozenBatchNorm2d, nn.LayerNorm)
"""Layers whose output has their input's shape, and in which PyTorch counts no operation."""


@dataclass(frozen=True)
class LayerCost:
    """One layer of a network, for one photo.

    Attributes:
        name: of the module within the network.
        kind: what it is: ``Conv2d``, ``MaxPool2d`` ...
        text: kernel, stride and the like: ``3x3, stride 2``.
        shapes: output shape without the batch, one for each time that the layer is used.
        parameters: numbers in it that are learned or kept.
        multiply_adds: of all uses together; 0 where none are counted (norms, pooling).
    """

    name: str
    kind: str
    text: str
    shapes: tuple[tuple[int, ...], ...]
    parameters: int
    multiply_adds: int


@dataclass(frozen=True)
class Anatomy:
    """A network laid out.

    Attributes:
        input_shape: (C, H, W) of what the network is given for a photo of ``PHOTO``'s size.
        layers: in the order in which they run; activations and dropout are left out. Attention
            is one layer, whose linear maps do not run as layers of their own.
        multiply_adds: of the whole network, as PyTorch's own counter gives them.
        note: what was assumed, one sentence; empty where nothing was.
    """

    input_shape: tuple[int, ...]
    layers: tuple[LayerCost, ...]
    multiply_adds: int
    note: str


@functools.lru_cache(maxsize=64)
def anatomy(card: Card) -> Anatomy:
    """Lay out the network of a card.

    Returns:
        shapes and counts; the same object for the same card.
    """
    module, picture = skeleton(card)
    shapes: dict[str, list[tuple[int, ...]]] = {}
    parts = {m: n for n, m in module.named_modules() if n}

    def record(part: nn.Module, _: Any, out: Any) -> None:
        out = out[0] if isinstance(out, tuple) else out
        if isinstance(out, Tensor):
            shapes.setdefault(parts[part], []).append(tuple(out.shape[1:]))

    for part in parts:
        part.register_forward_hook(record)
        if isinstance(part, _ALIKE):  # half of the time goes into working their shapes out
            part.forward = _as_it_is  # type: ignore[method-assign]
    whole = _Once(module)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        note = whole(picture)
    flops = {
        name.removeprefix("_Once.network."): sum(kinds.values())
        for name, kinds in counter.get_flop_counts().items()
    }
    layers = tuple(
        _layer(name, part, shapes[name], own)
        for name in shapes
        if (own := _own(name, part := module.get_submodule(name), flops))
        or not (isinstance(part, _QUIET) or list(part.children()))
    )
    return Anatomy(tuple(picture.shape[1:]), layers, counter.get_total_flops() // 2, note)


def _as_it_is(x: Tensor) -> Tensor:
    return x


def _own(name: str, part: nn.Module, flops: Mapping[str, int]) -> int:
    """Operations of a module itself, such as attention's products, without those of its parts."""
    return flops.get(name, 0) - sum(
        _all(f"{name}.{child}", inside, flops) for child, inside in part.named_children()
    )


def _all(name: str, part: nn.Module, flops: Mapping[str, int]) -> int:
    """Operations of a module with its parts; a mere list of modules has no count of its own."""
    if name in flops:
        return flops[name]
    return sum(_all(f"{name}.{child}", inside, flops) for child, inside in part.named_children())


def skeleton(card: Card) -> tuple[nn.Module, Tensor]:
    """A model's network and its input for a photo of ``PHOTO``'s size, on the meta device.

    Returns:
        the network in eval mode, without numbers, and ``[1, 3, h, w]``.
    """
    with torch.device("meta"), build.Unfilled():
        module = _built(card).eval()
    return module, _input(card, module)


class _Once(nn.Module):
    """Runs every part of a network once; the counter names layers from this module down."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, picture: Tensor) -> str:
        return _run(self.network, picture)


def _built(card: Card) -> nn.Module:
    return build.build_any(card.builder, **card.extra.get("settings", {}))


def _input(card: Card, module: nn.Module) -> Tensor:
    """What the network is given for a photo of the standard size, on the meta device."""
    from vision_core.models.loading import preset_of

    photo = torch.zeros(3, PHOTO[1], PHOTO[0], dtype=torch.uint8)
    resize: Any = getattr(module, "transform", None)
    if (preset := preset_of(card)) is not None:
        picture = preset(photo)[None]
    elif resize is not None:
        picture = resize([photo / 255])[0].tensors
    else:
        picture = torch.zeros(1, 3, CROP, CROP)
    return picture.to("meta")


def _run(network: nn.Module, picture: Tensor) -> str:
    """Run every part once; a detector's parts one by one, since its NMS needs real numbers."""
    module: Any = network
    if not hasattr(module, "backbone") or not hasattr(module, "transform"):
        module(picture)
        return ""
    maps = module.backbone(picture)
    features = list(maps.values()) if isinstance(maps, dict) else [maps]
    if not hasattr(module, "rpn"):
        module.head(features)
        return ""
    module.rpn.head(features)
    heads, count = module.roi_heads, module.rpn.post_nms_top_n()
    _branch(features, count, heads.box_roi_pool, heads.box_head, heads.box_predictor)
    for part in ("mask", "keypoint"):
        if getattr(heads, f"{part}_roi_pool", None) is not None:
            chain = [getattr(heads, f"{part}_{name}") for name in ("roi_pool", "head", "predictor")]
            _branch(features, 1, *chain)
    return (
        f"The box head is counted for {count:,} proposals, mask and keypoint heads for one "
        "detection; a photo with fewer proposals costs less."
    )


def _branch(features: Sequence[Tensor], count: int, pool: Any, *chain: nn.Module) -> None:
    x = torch.zeros(count, features[0].shape[1], *pool.output_size, device="meta")
    for part in chain:
        x = part(x)


def _layer(name: str, leaf: Any, used: list[tuple[int, ...]], flops: int) -> LayerCost:
    numbers = sum(p.numel() for p in leaf.parameters())
    return LayerCost(name, type(leaf).__name__, _text(leaf), tuple(used), numbers, flops // 2)


def _text(leaf: Any) -> str:
    """Kernel, stride, dilation and groups in words; sizes of other layers."""
    if isinstance(leaf, nn.Linear):
        return f"{leaf.in_features} to {leaf.out_features}"
    if not hasattr(leaf, "kernel_size"):
        return ""
    parts = ["x".join(str(k) for k in _pair(leaf.kernel_size))]
    for name in ("stride", "dilation"):
        value = _pair(getattr(leaf, name, 1))
        if value != (1, 1):
            parts.append(f"{name} {value[0] if value[0] == value[1] else value}")
    if getattr(leaf, "groups", 1) > 1:
        parts.append(f"{leaf.groups} groups")
    return ", ".join(parts)


def _pair(value: Any) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else (int(value[0]), int(value[1]))
