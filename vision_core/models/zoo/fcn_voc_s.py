"""``fcn_voc_s``: a fully convolutional segmenter with bilinear upsampling, seven classes.

Long, Shelhamer and Darrell, "Fully Convolutional Networks for Semantic Segmentation" (2015):
class scores at strides 32, 16 and 8 are added from coarse to fine (FCN-8s) and enlarged to the
picture. The paper learns its upsampling; this network uses plain bilinear interpolation.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from vision_core.models.zoo.trunk import WIDE, WIDE_DEPTHS, Trunk

LABELS = ("background", "cat", "cow", "dog", "horse", "person", "sheep")


def scores(channels: int, classes: int, hidden: int = 64) -> nn.Sequential:
    """Return a head that turns one feature map into class scores."""
    return nn.Sequential(
        nn.Conv2d(channels, hidden, 3, padding=1, bias=False),
        nn.BatchNorm2d(hidden),
        nn.ReLU(inplace=True),
        nn.Conv2d(hidden, classes, 1),
    )


class FCNVocS(nn.Module):
    """Residual trunk, class scores at three strides, added and enlarged.

    ``forward`` takes normalised pictures ``(N, 3, H, W)`` of any size and returns
    ``{"out": logits (N, 7, H, W)}``, as torchvision's segmentation networks do.
    """

    def __init__(self, classes: int = len(LABELS)) -> None:
        super().__init__()
        self.trunk = Trunk(WIDE_DEPTHS, WIDE)
        self.heads = nn.ModuleList(scores(c, classes) for c in self.trunk.out_widths[1:])

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        maps = [head(m) for head, m in zip(self.heads, self.trunk(x)[1:], strict=True)]
        out = maps.pop()
        while maps:
            finer = maps.pop()
            out = finer + F.interpolate(
                out, size=finer.shape[-2:], mode="bilinear", align_corners=False
            )
        size = x.shape[-2:]
        return {"out": F.interpolate(out, size=size, mode="bilinear", align_corners=False)}
