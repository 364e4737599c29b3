"""``fcos_s``: a one-stage, anchor-free detector, in torchvision's FCOS class.

Tian, Shen, Chen and He, "FCOS: A Simple and Strong Anchor-free Object Detector" (2020), and Lin
et al., "Feature Pyramid Networks for Object Detection" (2017). Points, matching, losses and
post-processing are torchvision's; only the backbone is ours, and all widths are small.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from torch import Tensor, nn
from torchvision.models.detection import FCOS
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.fcos import FCOSHead
from torchvision.ops import FeaturePyramidNetwork

from vision_core.models.zoo.trunk import DEPTHS, WIDE, WIDE_DEPTHS, WIDTHS, Trunk

ANIMALS_AND_PEOPLE = ("cat", "cow", "dog", "horse", "person", "sheep")
THIRTEEN = (
    *ANIMALS_AND_PEOPLE,
    "bicycle",
    "bottle",
    "bus",
    "car",
    "chair",
    "dining table",
    "motorcycle",
)
STRIDES = (8, 16, 32)


class PyramidBackbone(nn.Module):
    """The residual trunk under a feature pyramid of three levels.

    ``forward`` takes ``(N, 3, H, W)`` and returns an ordered dict of maps with ``out_channels``
    channels at strides 8, 16 and 32, finest first. ``depths`` and ``widths`` are the trunk's.
    """

    def __init__(
        self,
        out_channels: int = 64,
        depths: Sequence[int] = DEPTHS,
        widths: Sequence[int] = WIDTHS,
    ) -> None:
        super().__init__()
        self.trunk = Trunk(depths, widths)
        self.fpn = FeaturePyramidNetwork(list(self.trunk.out_widths[1:]), out_channels)
        self.out_channels = out_channels

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        maps = self.trunk(x)[1:]
        named = OrderedDict((str(stride), m) for stride, m in zip(STRIDES, maps, strict=True))
        return self.fpn(named)


LABELS = (*ANIMALS_AND_PEOPLE, "bus", "dining table", "motorcycle")
"""Of ``THIRTEEN``, which it was trained on, those with an AP50 of 0.15 or more on the everyday
validation photos; the rows of the others were taken off its last layer."""


def small_fcos() -> FCOS:
    """Return the detector with random weights; label ids are indices into ``LABELS``.

    As all of torchvision's detectors it takes a list of ``(3, H, W)`` pictures in 0..1 of any
    sizes and resizes them itself: shorter side 256 pixels, or less where the longer one would
    pass 384.
    """
    backbone = PyramidBackbone(96, WIDE_DEPTHS, WIDE)
    anchors = AnchorGenerator(tuple((s,) for s in STRIDES), ((1.0,),) * len(STRIDES))
    return FCOS(
        backbone,
        num_classes=len(LABELS),
        min_size=256,
        max_size=384,
        anchor_generator=anchors,
        head=FCOSHead(backbone.out_channels, 1, len(LABELS), num_convs=2),
        score_thresh=0.5,
        nms_thresh=0.5,
        detections_per_img=50,
    )
