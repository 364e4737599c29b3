"""The residual trunk that every bundled network starts with.

He, Zhang, Ren and Sun, "Deep Residual Learning for Image Recognition" (2016): basic blocks of
two 3x3 convolutions and a shortcut, each stage half as large and about twice as wide as the one
before. Only the widths are smaller than in the paper.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torchvision.models.resnet import BasicBlock, conv1x1

WIDTHS = (16, 64, 128, 192)
"""Channels of the stages at strides 4, 8, 16 and 32."""
DEPTHS = (1, 2, 2, 2)
"""Residual blocks per stage."""
WIDE = (32, 64, 160, 256)
"""Channels of the larger trunk, which was trained on every picture of the zoo's classifiers."""
WIDE_DEPTHS = (1, 2, 3, 2)
"""Residual blocks per stage of the larger trunk."""


def residual_stage(channels_in: int, channels: int, blocks: int, stride: int) -> nn.Sequential:
    """Return ``blocks`` of torchvision's ``BasicBlock``; the first one changes size and width."""
    shortcut = None
    if stride != 1 or channels_in != channels:
        shortcut = nn.Sequential(conv1x1(channels_in, channels, stride), nn.BatchNorm2d(channels))
    first = BasicBlock(channels_in, channels, stride, shortcut)
    return nn.Sequential(first, *[BasicBlock(channels, channels) for _ in range(blocks - 1)])


class Trunk(nn.Module):
    """Stem and residual stages; returns one feature map per stage.

    Args:
        depths: residual blocks per stage. Fewer than four entries leave the last stages out.
        widths: channels per stage.

    ``forward`` takes ``(N, 3, H, W)`` and returns a list of ``(N, C, ceil(H / s), ceil(W / s))``
    with the strides ``s`` 4, 8, 16, 32, as many as there are stages. Any H, W from 1 on works.
    """

    def __init__(self, depths: Sequence[int] = DEPTHS, widths: Sequence[int] = WIDTHS) -> None:
        super().__init__()
        self.out_widths = tuple(widths[: len(depths)])
        width = widths[0]
        self.stem = nn.Sequential(
            nn.Conv2d(3, width, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, stride=2, padding=1),
        )
        self.stages = nn.ModuleList()
        for index, depth in enumerate(depths):
            stride = 1 if index == 0 else 2
            self.stages.append(residual_stage(width, widths[index], depth, stride))
            width = widths[index]
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: Tensor) -> list[Tensor]:
        x = self.stem(x)
        maps = []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        return maps
