"""The trunk of ``vgg_s`` and of the street networks: 3x3 convolutions and 2x2 max pooling.

Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition"
(2015): stacks of 3x3 convolutions, and after each stack a max pooling that halves the map. The
paper knew no batch normalisation; here every convolution is followed by it.
"""

from __future__ import annotations

from torch import Tensor, nn

STACKS = ((16,), (32,), (64, 64), (128, 128), (192, 192))
"""Output channels of the convolutions of each stack; the stacks work at strides 1, 2, 4, 8, 16."""


def conv_bn_relu(channels_in: int, channels: int, kernel: int = 3) -> nn.Sequential:
    """Convolution that keeps the size, BatchNorm, ReLU."""
    conv = nn.Conv2d(channels_in, channels, kernel, padding=kernel // 2, bias=False)
    nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
    return nn.Sequential(conv, nn.BatchNorm2d(channels), nn.ReLU(inplace=True))


class PooledTrunk(nn.Module):
    """Five stacks of convolutions with a max pooling between each two.

    ``forward`` takes ``(N, 3, H, W)`` of any size from 1 on and returns two lists, finest first:
    the maps at the end of each stack, ``(N, C, ceil(H / s), ceil(W / s))`` with ``s`` 1, 2, 4, 8,
    16, and the switches of the four poolings: for each pooled value the index of where its
    largest input was, as ``MaxUnpool2d`` takes them.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stacks = nn.ModuleList()
        width = 3
        for widths in STACKS:
            layers = []
            for channels in widths:
                layers.append(conv_bn_relu(width, channels))
                width = channels
            self.stacks.append(nn.Sequential(*layers))
        self.pool = nn.MaxPool2d(2, ceil_mode=True, return_indices=True)

    def forward(self, x: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        maps: list[Tensor] = []
        switches: list[Tensor] = []
        for index, stack in enumerate(self.stacks):
            if index:
                x, where = self.pool(x)
                switches.append(where)
            x = stack(x)
            maps.append(x)
        return maps, switches
