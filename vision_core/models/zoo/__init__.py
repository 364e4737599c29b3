"""The bundled networks: small, trained from scratch by ``vision_core.training``, one file each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import nn
from torchvision.transforms._presets import ImageClassification, SemanticSegmentation

from vision_core.models.zoo.fcn_voc_s import FCNVocS
from vision_core.models.zoo.fcos_s import small_fcos
from vision_core.models.zoo.pose_heatmap_s import PoseHeatmapS
from vision_core.models.zoo.resnet_s import ResNetS

_BUILDERS: dict[str, Callable[[], nn.Module]] = {
    "resnet_s": ResNetS,
    "fcos_s": small_fcos,
    "fcn_voc_s": FCNVocS,
    "pose_heatmap_s": PoseHeatmapS,
}

NAMES = tuple(_BUILDERS)


def build(name: str) -> nn.Module:
    """Return the bundled network ``name`` with random weights, in training mode.

    Raises:
        KeyError: if there is no such network; ``NAMES`` lists them.
    """
    return _BUILDERS[name]()


def preprocessing(name: str) -> Callable[[Any], Any] | None:
    """Return torchvision's preset that turns a uint8 ``(3, H, W)`` photo into the network's input.

    ``None`` for networks that prepare their input themselves (``fcos_s``) or are given crops by
    ``vision_core.inference.pose`` (``pose_heatmap_s``).

    Raises:
        KeyError: if there is no such network.
    """
    presets: dict[str, Callable[[Any], Any] | None] = {
        "resnet_s": ImageClassification(crop_size=128, resize_size=144),
        "fcn_voc_s": SemanticSegmentation(resize_size=192),
        "fcos_s": None,
        "pose_heatmap_s": None,
    }
    return presets[name]
