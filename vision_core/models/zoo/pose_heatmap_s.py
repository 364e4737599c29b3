"""``pose_heatmap_s``: the joints of one person, one heatmap per joint.

Xiao, Wu and Wei, "Simple Baselines for Human Pose Estimation and Tracking" (2018), with bilinear
upsampling and shortcuts from finer maps in place of transposed convolutions. The network is
top-down: it sees the crop of one person, cut by ``vision_core.inference.pose.crop_boxes``.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from vision_core.models.zoo.trunk import WIDE, WIDE_DEPTHS, Trunk

JOINTS = 14
CROP = 128
"""Side of the crop of one person that the pose networks are given, in pixels."""


def conv_bn_relu(channels_in: int, channels: int, kernel: int = 3) -> nn.Sequential:
    """Convolution that keeps the size, BatchNorm, ReLU."""
    return nn.Sequential(
        nn.Conv2d(channels_in, channels, kernel, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU(inplace=True),
    )


class UpToStride8(nn.Module):
    """The trunk down to stride 16 and one step back up: what both pose networks begin with."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = Trunk(WIDE_DEPTHS[:3], WIDE)
        _, stride8, stride16 = self.trunk.out_widths
        self.coarse = nn.Sequential(
            conv_bn_relu(stride16, stride16), conv_bn_relu(stride16, 96, kernel=1)
        )
        self.lateral8 = conv_bn_relu(stride8, 96, kernel=1)
        self.middle = conv_bn_relu(96, 32)

    def stride8(self, map8: Tensor, map16: Tensor) -> Tensor:
        """Return ``(N, 32, h, w)`` of the size of ``map8`` from the trunk's two last maps."""
        lateral = self.lateral8(map8)
        x = self.coarse(map16)
        x = F.interpolate(x, size=lateral.shape[-2:], mode="bilinear", align_corners=False)
        return self.middle(x + lateral)


class PoseHeatmapS(UpToStride8):
    """Trunk down to stride 16, back up to stride 4, one map per joint.

    ``forward`` takes normalised crops ``(N, 3, H, W)`` and returns logits
    ``(N, 14, ceil(H / 4), ceil(W / 4))``. Softmax over all positions of one joint's map makes
    them the probability of where the joint is.
    """

    def __init__(self, joints: int = JOINTS) -> None:
        super().__init__()
        self.lateral4 = conv_bn_relu(self.trunk.out_widths[0], 32, kernel=1)
        self.fine = conv_bn_relu(32, 32)
        self.heatmaps = nn.Conv2d(32, joints, 1)

    def forward(self, x: Tensor) -> Tensor:
        map4, map8, map16 = self.trunk(x)
        lateral4 = self.lateral4(map4)
        x = self.stride8(map8, map16)
        x = F.interpolate(x, size=lateral4.shape[-2:], mode="bilinear", align_corners=False)
        return self.heatmaps(self.fine(x + lateral4))
