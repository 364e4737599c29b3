"""``fcn_s``, ``fcn_deconv_s`` and ``segnet_s``: three ways back up from one trunk, street scenes.

All three have the trunk of ``PooledTrunk`` and the same decoder: at each of four steps a
convolution, an enlargement by two and, as in FCN, the trunk's finer map added through a 1x1
convolution. They differ in the enlargement only:

* ``fcn_s`` interpolates bilinearly,
* ``fcn_deconv_s`` has a transposed convolution with learned kernels, as in Long, Shelhamer and
  Darrell, "Fully Convolutional Networks for Semantic Segmentation" (2015),
* ``segnet_s`` puts each value back to where max pooling took it from, as in Badrinarayanan,
  Kendall and Cipolla, "SegNet" (2017). The paper's network passes nothing but these switches.

One stored file holds the trunk once, as it was trained: with the sum of the three losses.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vision_core.models.zoo.pooled_trunk import STACKS, PooledTrunk, conv_bn_relu

LABELS = (
    "sky",
    "building",
    "pole",
    "road",
    "pavement",
    "tree",
    "sign",
    "fence",
    "car",
    "pedestrian",
    "bicyclist",
)
_WIDTHS = tuple(stack[-1] for stack in STACKS)


class Bilinear(nn.Module):
    """Enlarge by interpolation; nothing is learned."""

    def forward(self, x: Tensor, like: Tensor, switches: Tensor) -> Tensor:
        return F.interpolate(x, size=like.shape[-2:], mode="bilinear", align_corners=False)


class Transposed(nn.Module):
    """Enlarge with one learned 4x4 kernel for each channel, bilinear interpolation at first."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.deconv = nn.ConvTranspose2d(
            channels, channels, 4, stride=2, padding=1, groups=channels, bias=False
        )
        tent = torch.tensor([0.25, 0.75, 0.75, 0.25])
        with torch.no_grad():
            self.deconv.weight.copy_((tent[:, None] * tent).expand_as(self.deconv.weight))

    def forward(self, x: Tensor, like: Tensor, switches: Tensor) -> Tensor:
        height, width = like.shape[-2:]
        return self.deconv(x)[:, :, :height, :width]


class Unpooling(nn.Module):
    """Put each value where max pooling found its own largest; zeros elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.unpool = nn.MaxUnpool2d(2)

    def forward(self, x: Tensor, like: Tensor, switches: Tensor) -> Tensor:
        return self.unpool(x, switches, output_size=list(like.shape[-2:]))


class Decoder(nn.Module):
    """From the trunk's maps and switches to class scores at full size.

    Args:
        kind: "bilinear", "transposed" or "unpooling".
        classes: number of classes.
    """

    def __init__(self, kind: str, classes: int = len(LABELS)) -> None:
        super().__init__()
        self.steps, self.ups, self.laterals = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        for level in range(len(_WIDTHS) - 1, 0, -1):
            kernel = 1 if level == len(_WIDTHS) - 1 else 3
            finer = _WIDTHS[level - 1]
            self.steps.append(conv_bn_relu(_WIDTHS[level], finer, kernel))
            self.ups.append(_enlargement(kind, finer))
            self.laterals.append(nn.Conv2d(finer, finer, 1))
        self.classify = nn.Conv2d(_WIDTHS[0], classes, 3, padding=1)

    def forward(self, maps: list[Tensor], switches: list[Tensor]) -> Tensor:
        x = maps[-1]
        below = list(zip(maps[:-1], switches, strict=True))[::-1]
        for (finer, where), step, up, lateral in zip(
            below, self.steps, self.ups, self.laterals, strict=True
        ):
            x = up(step(x), finer, where) + lateral(finer)
        return self.classify(x)


def _enlargement(kind: str, channels: int) -> nn.Module:
    if kind == "transposed":
        return Transposed(channels)
    return {"bilinear": Bilinear, "unpooling": Unpooling}[kind]()


DECODERS = {"fcn_s": "bilinear", "fcn_deconv_s": "transposed", "segnet_s": "unpooling"}


class StreetNet(nn.Module):
    """One of the three networks.

    ``forward`` takes normalised pictures ``(N, 3, H, W)`` of any size and returns
    ``{"out": logits (N, 11, H, W)}`` in the order of ``LABELS``.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self.trunk = PooledTrunk()
        self.decoder = Decoder(DECODERS[name])

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        return {"out": self.decoder(*self.trunk(x))}


class Streets(nn.Module):
    """All three on one trunk, as they are trained and stored; ``forward`` returns their logits."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = PooledTrunk()
        self.decoders = nn.ModuleDict({name: Decoder(kind) for name, kind in DECODERS.items()})

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        maps, switches = self.trunk(x)
        return {name: decoder(maps, switches) for name, decoder in self.decoders.items()}
