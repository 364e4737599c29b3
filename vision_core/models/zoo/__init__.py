"""The bundled networks: small, trained from scratch by ``vision_core.training``, one file each."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from torch import nn
from torchvision.transforms._presets import ImageClassification, SemanticSegmentation

from vision_core.models.zoo.alexnet_s import AlexNetS
from vision_core.models.zoo.fcn_voc_s import FCNVocS
from vision_core.models.zoo.fcos_s import small_fcos
from vision_core.models.zoo.pose_heatmap_s import PoseHeatmapS
from vision_core.models.zoo.pose_regression_s import PoseRegressionS
from vision_core.models.zoo.rcnn_s import small_faster_rcnn, small_mask_rcnn
from vision_core.models.zoo.resnet_s import ResNetS
from vision_core.models.zoo.stored import own_part, stem, trained_together
from vision_core.models.zoo.streets import DECODERS, StreetNet
from vision_core.models.zoo.vgg_s import VGGS
from vision_core.models.zoo.yolo_s import small_yolo

__all__ = [
    "CLASSIFIERS",
    "HEADS",
    "NAMES",
    "build",
    "own_part",
    "preprocessing",
    "stem",
    "trained_together",
]

_BUILDERS: dict[str, Callable[..., nn.Module]] = {
    "alexnet_s": AlexNetS,
    "vgg_s": VGGS,
    "resnet_s": ResNetS,
    "fcos_s": small_fcos,
    "faster_rcnn_s": small_faster_rcnn,
    "mask_rcnn_s": small_mask_rcnn,
    "yolo_s": small_yolo,
    "fcn_voc_s": FCNVocS,
    **{name: partial(StreetNet, name) for name in DECODERS},
    "pose_heatmap_s": PoseHeatmapS,
    "pose_regression_s": PoseRegressionS,
}

NAMES = tuple(_BUILDERS)
CLASSIFIERS = ("alexnet_s", "vgg_s", "resnet_s")
HEADS = {
    "alexnet_s": "classifier.6.weight",
    "vgg_s": "classifier.6.weight",
    "resnet_s": "fc.weight",
    "fcn_voc_s": "heads.0.3.weight",
}
"""Last layers of the networks that can have another number of classes: names in a state dict."""


def build(name: str, classes: int | None = None) -> nn.Module:
    """Return the bundled network ``name`` with random weights, in training mode.

    Args:
        name: of the network.
        classes: how many, for those in ``HEADS``; its own number where left out.

    Raises:
        KeyError: if there is no such network; ``NAMES`` lists them.
    """
    return _BUILDERS[name]() if classes is None else _BUILDERS[name](classes=classes)


def preprocessing(name: str) -> Callable[[Any], Any] | None:
    """Return torchvision's preset that turns a uint8 ``(3, H, W)`` photo into the network's input.

    ``None`` for networks that prepare their input themselves (the detectors) or are given crops
    by ``vision_core.inference.pose``.

    Raises:
        KeyError: if there is no such network.
    """
    presets: dict[str, Callable[[Any], Any] | None] = {
        **dict.fromkeys(CLASSIFIERS, ImageClassification(crop_size=128, resize_size=144)),
        "alexnet_s": ImageClassification(crop_size=128, resize_size=128),
        # Random crops enlarge what they show; a photo as a whole is best shown larger than they
        # were (Touvron et al., "Fixing the train-test resolution discrepancy", 2019).
        "resnet_s": ImageClassification(crop_size=160, resize_size=160),
        **dict.fromkeys(DECODERS, SemanticSegmentation(resize_size=192)),
        "fcn_voc_s": SemanticSegmentation(resize_size=224),
        "fcos_s": None,
        "faster_rcnn_s": None,
        "mask_rcnn_s": None,
        "yolo_s": None,
        "pose_heatmap_s": None,
        "pose_regression_s": None,
    }
    return presets[name]
