"""``faster_rcnn_s`` and ``mask_rcnn_s``: a two-stage detector, and the same one with masks.

Ren, He, Girshick and Sun, "Faster R-CNN" (2015), and He, Gkioxari, Dollar and Girshick, "Mask
R-CNN" (2017), in torchvision's own classes: anchors, region proposals, RoI Align, matching and
losses are torchvision's. Trunk and pyramid are those of ``fcos_s``. The mask branch was trained
alone on the frozen rest, so that both networks give the same boxes and share one stored file.
"""

from __future__ import annotations

from typing import Any

from torchvision.models.detection import FasterRCNN, MaskRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.models.detection.mask_rcnn import MaskRCNNHeads, MaskRCNNPredictor
from torchvision.models.detection.rpn import RPNHead
from torchvision.ops import MultiScaleRoIAlign

from vision_core.models.zoo import fcos_s
from vision_core.models.zoo.fcos_s import STRIDES, PyramidBackbone
from vision_core.models.zoo.trunk import WIDE, WIDE_DEPTHS

LABELS = ("__background__", *fcos_s.LABELS)
"""Trained on ``THIRTEEN`` classes as ``fcos_s`` was; those with an AP50 of 0.15 or more stayed."""
ANCHOR_SIZES = ((24, 42), (72, 112), (168, 256))
"""Sides of the square anchors at strides 8, 16 and 32, pixels of the network's input."""
ASPECTS = (0.5, 1.0, 2.0)
BOX_HEAD = 256
MASK_WIDTHS = (64, 64, 64)
MASK_BRANCH = ("roi_heads.mask_head.", "roi_heads.mask_predictor.")
"""Where the names of the mask branch's tensors begin."""


def _pooler(side: int) -> MultiScaleRoIAlign:
    """RoI Align; boxes below 112 pixels are read at stride 8, others at 16, huge ones at 32."""
    names = [str(stride) for stride in STRIDES]
    return MultiScaleRoIAlign(names, side, sampling_ratio=2, canonical_scale=112)


def _settings(backbone: PyramidBackbone) -> dict[str, Any]:
    """Return what both networks are built with.

    Sampling is small (64 anchors and 32 proposals a picture), since a CPU is to train it.
    """
    channels = backbone.out_channels
    anchors = AnchorGenerator(ANCHOR_SIZES, (ASPECTS,) * len(STRIDES))
    return {
        "min_size": 256,
        "max_size": 384,
        "rpn_anchor_generator": anchors,
        "rpn_head": RPNHead(channels, anchors.num_anchors_per_location()[0]),
        "rpn_pre_nms_top_n_train": 400,
        "rpn_pre_nms_top_n_test": 400,
        "rpn_post_nms_top_n_train": 200,
        "rpn_post_nms_top_n_test": 100,
        "rpn_batch_size_per_image": 64,
        "box_batch_size_per_image": 32,
        "box_roi_pool": _pooler(7),
        "box_head": TwoMLPHead(channels * 7 * 7, BOX_HEAD),
        "box_predictor": FastRCNNPredictor(BOX_HEAD, len(LABELS)),
        "box_score_thresh": 0.5,
        "box_nms_thresh": 0.5,
        "box_detections_per_img": 50,
    }


def small_faster_rcnn() -> FasterRCNN:
    """Return the detector with random weights; label ids are indices into ``LABELS``.

    It takes a list of ``(3, H, W)`` pictures in 0..1 of any sizes and resizes them itself, shorter
    side 256 pixels, or less where the longer one would pass 384.
    """
    backbone = PyramidBackbone(96, WIDE_DEPTHS, WIDE)
    return FasterRCNN(backbone, **_settings(backbone))


def small_mask_rcnn() -> MaskRCNN:
    """Return the same detector with a mask branch: 28x28 probabilities for each box and class."""
    backbone = PyramidBackbone(96, WIDE_DEPTHS, WIDE)
    return MaskRCNN(
        backbone,
        **_settings(backbone),
        mask_roi_pool=_pooler(14),
        mask_head=MaskRCNNHeads(backbone.out_channels, MASK_WIDTHS, 1),
        mask_predictor=MaskRCNNPredictor(MASK_WIDTHS[-1], 64, len(LABELS)),
    )
