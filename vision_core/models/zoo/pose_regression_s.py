"""``pose_regression_s``: the joints of one person straight from the last layer.

Toshev and Szegedy, "DeepPose: Human Pose Estimation via Deep Neural Networks" (2014): a
convolutional trunk and fully connected layers whose outputs are the coordinates themselves. The
paper refines them in a cascade of such networks; this one answers once. What the connected layers
read is not the flattened map but where each map has its weight: the spatial softmax of Levine et
al., "End-to-End Training of Deep Visuomotor Policies" (2016). The network is top-down as
``pose_heatmap_s`` is, sees the same crops and has the same layers down to stride 16 and back to
stride 8.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vision_core.models.zoo.pooled_trunk import conv_bn_relu
from vision_core.models.zoo.pose_heatmap_s import JOINTS, UpToStride8

POINTS = 64
"""Maps whose points the connected layers read. They are learned, none is a joint's own."""
HIDDEN = 256


class SpatialSoftmax(nn.Module):
    """Where each map has its weight, and how strongly.

    ``forward`` takes ``(N, C, h, w)`` and returns ``(N, 3C)``: x, y (0 left and top, 1 right and
    bottom) and the value of each map, all three as means over its cells under their softmax.
    """

    def forward(self, x: Tensor) -> Tensor:
        weight = x.flatten(2).softmax(2).view_as(x)
        ones = torch.ones_like(x)  # counted, not numbered: so the network can be traced
        across, down = (ones.cumsum(3) - 0.5) / x.shape[3], (ones.cumsum(2) - 0.5) / x.shape[2]
        return torch.cat([(weight * read).sum((2, 3)) for read in (across, down, x)], 1)


class PoseRegressionS(UpToStride8):
    """Trunk down to stride 16, back to stride 8, spatial softmax, two fully connected layers.

    ``forward`` takes normalised crops ``(N, 3, H, W)`` and returns ``(N, 14, 2)``: x and y of
    each joint along the sides of the crop, 0 left and top, 1 right and bottom. A joint may be
    put outside. There is no score: the network cannot say how sure it is.
    """

    def __init__(self, joints: int = JOINTS) -> None:
        super().__init__()
        self.maps = nn.Sequential(conv_bn_relu(32, POINTS), nn.Conv2d(POINTS, POINTS, 1))
        self.points = SpatialSoftmax()
        self.hidden = nn.Sequential(
            nn.Linear(3 * POINTS, HIDDEN, bias=False),
            nn.BatchNorm1d(HIDDEN),
            nn.ReLU(inplace=True),
            nn.Dropout(0.1),
        )
        self.coordinates = nn.Linear(HIDDEN, joints * 2)
        nn.init.constant_(self.coordinates.bias, 0.5)  # the middle of the crop

    def forward(self, x: Tensor) -> Tensor:
        _, map8, map16 = self.trunk(x)
        x = self.points(self.maps(self.stride8(map8, map16)))
        return self.coordinates(self.hidden(x)).unflatten(1, (-1, 2))
