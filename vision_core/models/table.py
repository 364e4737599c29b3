"""The rows of the catalogue that torchvision's own metadata does not tell: data only."""

from __future__ import annotations

from typing import NamedTuple

from vision_core.models import papers
from vision_core.models.classifiers import CLASSIFIERS
from vision_core.models.papers import Paper


class Row(NamedTuple):
    """One torchvision builder.

    Attributes:
        builder: name of the builder, and of the model in the catalogue.
        title: what people call it.
        task, family: as on the card.
        paper: where it was published.
        head: state dict entry of the last layer, whose first dimension counts the classes.
        per_class: that dimension divided by the number of classes (anchors per location).
    """

    builder: str
    title: str
    task: str
    family: str
    paper: Paper
    head: str
    per_class: int = 1


_ROI = "roi_heads.box_predictor.cls_score.weight"
_DENSE = "head.classification_head.cls_logits.weight"

_PLACES = (
    Row(
        "fasterrcnn_resnet50_fpn",
        "Faster R-CNN, ResNet-50 FPN",
        "detection",
        "faster_rcnn",
        papers.FASTER_RCNN,
        _ROI,
    ),
    Row(
        "fasterrcnn_resnet50_fpn_v2",
        "Faster R-CNN v2, ResNet-50 FPN",
        "detection",
        "faster_rcnn",
        papers.RCNN_V2,
        _ROI,
    ),
    Row(
        "fasterrcnn_mobilenet_v3_large_fpn",
        "Faster R-CNN, MobileNetV3-Large FPN",
        "detection",
        "faster_rcnn",
        papers.FASTER_RCNN,
        _ROI,
    ),
    Row(
        "fasterrcnn_mobilenet_v3_large_320_fpn",
        "Faster R-CNN 320, MobileNetV3-Large FPN",
        "detection",
        "faster_rcnn",
        papers.FASTER_RCNN,
        _ROI,
    ),
    Row(
        "retinanet_resnet50_fpn",
        "RetinaNet, ResNet-50 FPN",
        "detection",
        "retinanet",
        papers.RETINANET,
        _DENSE,
        9,
    ),
    Row(
        "retinanet_resnet50_fpn_v2",
        "RetinaNet v2, ResNet-50 FPN",
        "detection",
        "retinanet",
        papers.RETINANET_V2,
        _DENSE,
        9,
    ),
    Row("fcos_resnet50_fpn", "FCOS, ResNet-50 FPN", "detection", "fcos", papers.FCOS, _DENSE),
    Row(
        "ssd300_vgg16",
        "SSD300, VGG-16",
        "detection",
        "ssd",
        papers.SSD,
        "head.classification_head.module_list.0.weight",
        4,
    ),
    Row(
        "ssdlite320_mobilenet_v3_large",
        "SSDlite320, MobileNetV3-Large",
        "detection",
        "ssdlite",
        papers.MOBILENET_V2,
        "head.classification_head.module_list.0.1.weight",
        6,
    ),
    Row(
        "maskrcnn_resnet50_fpn",
        "Mask R-CNN, ResNet-50 FPN",
        "instance",
        "mask_rcnn",
        papers.MASK_RCNN,
        _ROI,
    ),
    Row(
        "maskrcnn_resnet50_fpn_v2",
        "Mask R-CNN v2, ResNet-50 FPN",
        "instance",
        "mask_rcnn",
        papers.RCNN_V2,
        _ROI,
    ),
    Row(
        "keypointrcnn_resnet50_fpn",
        "Keypoint R-CNN, ResNet-50 FPN",
        "keypoint",
        "keypoint_rcnn",
        papers.MASK_RCNN,
        _ROI,
    ),
    Row("fcn_resnet50", "FCN, ResNet-50", "segmentation", "fcn", papers.FCN, "classifier.4.weight"),
    Row(
        "fcn_resnet101", "FCN, ResNet-101", "segmentation", "fcn", papers.FCN, "classifier.4.weight"
    ),
    Row(
        "deeplabv3_resnet50",
        "DeepLabV3, ResNet-50",
        "segmentation",
        "deeplabv3",
        papers.DEEPLAB_V3,
        "classifier.4.weight",
    ),
    Row(
        "deeplabv3_resnet101",
        "DeepLabV3, ResNet-101",
        "segmentation",
        "deeplabv3",
        papers.DEEPLAB_V3,
        "classifier.4.weight",
    ),
    Row(
        "deeplabv3_mobilenet_v3_large",
        "DeepLabV3, MobileNetV3-Large",
        "segmentation",
        "deeplabv3",
        papers.DEEPLAB_V3,
        "classifier.4.weight",
    ),
    Row(
        "lraspp_mobilenet_v3_large",
        "LR-ASPP, MobileNetV3-Large",
        "segmentation",
        "lraspp",
        papers.MOBILENET_V3,
        "classifier.low_classifier.weight",
    ),
)

ROWS: tuple[Row, ...] = (
    *_PLACES,
    *(
        Row(builder, title, "classification", "classifier", paper, head)
        for paper, head, group in CLASSIFIERS
        for builder, title in group
    ),
)
BY_BUILDER = {row.builder: row for row in ROWS}

# Torchvision's code is under the BSD licence; the weights inherit the terms of their data.
LICENCES = {
    "ImageNet-1K": "BSD-3-Clause (torchvision); trained on ImageNet-1K, whose images are "
    "for non-commercial research and education",
    "SWAG": "CC BY-NC 4.0 (SWAG, Singh et al. 2022); trained on public Instagram photos and their "
    "hashtags, then on ImageNet-1K; not for commercial use",
    "COCO": "BSD-3-Clause (torchvision); trained on COCO 2017, annotations CC BY 4.0, "
    "images under Flickr's terms",
}

METRICS = {
    "acc@1": "top-1 accuracy",
    "acc@5": "top-5 accuracy",
    "box_map": "box AP",
    "mask_map": "mask AP",
    "kp_map": "keypoint AP",
    "miou": "mean IoU",
    "pixel_acc": "pixel accuracy",
}

INPUTS = {
    "detection": "RGB photo of any size, resized by the network itself",
    "instance": "RGB photo of any size, resized by the network itself",
    "keypoint": "RGB photo of any size, resized by the network itself",
    "segmentation": "RGB photo, shorter side resized to 520 pixels",
    "classification": "RGB photo, shorter side resized to {resize} pixels, then {crop} x {crop} "
    "cut from its centre",
}

LIMITS = {
    "detection": "80 COCO categories; small objects are missed more often than large ones.",
    "instance": "80 COCO categories; masks are predicted at 28 x 28 and enlarged.",
    "keypoint": "Persons only, 17 joints each, hidden ones too.",
    "segmentation": "20 Pascal VOC categories; objects of one class are not told apart.",
    "classification": "1,000 ImageNet categories; one answer for the centre of the photo.",
}

# The limbs of COCO's person skeleton, pairs of indices into its 17 keypoints.
COCO_SKELETON = (
    (15, 13),
    (13, 11),
    (16, 14),
    (14, 12),
    (11, 12),
    (5, 11),
    (6, 12),
    (5, 6),
    (5, 7),
    (6, 8),
    (7, 9),
    (8, 10),
    (1, 2),
    (0, 1),
    (0, 2),
    (1, 3),
    (2, 4),
    (3, 5),
    (4, 6),
)
