"""``pose_regression_s``: the joints of one person straight from the last layer.

Toshev and Szegedy, "DeepPose: Human Pose Estimation via Deep Neural Networks" (2014): a
convolutional trunk and fully connected layers whose outputs are the coordinates themselves. The
paper refines them in a cascade of such networks; this one answers once. It is top-down as
``pose_heatmap_s`` is, sees the same crops and has the same trunk.
"""

from __future__ import annotations

from torch import Tensor, nn

from vision_core.models.zoo.pooled_trunk import conv_bn_relu
from vision_core.models.zoo.pose_heatmap_s import JOINTS
from vision_core.models.zoo.trunk import WIDE, WIDE_DEPTHS, Trunk

CELLS = 8
"""Side of the map that the fully connected layers read, at stride 16 of a 128-pixel crop."""


class PoseRegressionS(nn.Module):
    """Trunk down to stride 16, then two fully connected layers.

    ``forward`` takes normalised crops ``(N, 3, H, W)`` and returns ``(N, 14, 2)``: x and y of
    each joint along the sides of the crop, 0 left and top, 1 right and bottom. A joint may be
    put outside. There is no score: the network cannot say how sure it is.
    """

    def __init__(self, joints: int = JOINTS) -> None:
        super().__init__()
        self.trunk = Trunk(WIDE_DEPTHS[:3], WIDE)
        self.squeeze = conv_bn_relu(self.trunk.out_widths[-1], 32, kernel=1)
        self.pool = nn.AdaptiveAvgPool2d(CELLS)
        self.hidden = nn.Sequential(
            nn.Linear(32 * CELLS * CELLS, 128), nn.ReLU(inplace=True), nn.Dropout(0.1)
        )
        self.coordinates = nn.Linear(128, joints * 2)
        nn.init.constant_(self.coordinates.bias, 0.5)  # the middle of the crop

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(self.squeeze(self.trunk(x)[-1]))
        return self.coordinates(self.hidden(x.flatten(1))).unflatten(1, (-1, 2))
