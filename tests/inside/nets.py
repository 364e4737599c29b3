"""Opened detectors of every family, made once."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import torch

from tests.inference.reference import built, picture, tensor_of
from vision_core import models, samples
from vision_core.images import Photo
from vision_core.inside.opened import Opened, opened
from vision_core.models.zoo.yolo_s import small_yolo

BUNDLED = ("fcos_s", "faster_rcnn_s", "mask_rcnn_s", "yolo_s")
FAMILIES = (
    "fasterrcnn_mobilenet_v3_large_320_fpn",
    "maskrcnn_resnet50_fpn",
    "retinanet_resnet50_fpn",
    "fcos_resnet50_fpn",
    "ssd300_vgg16",
    "ssdlite320_mobilenet_v3_large",
)
EVERY = (*BUNDLED, *FAMILIES)
TWO_STAGE = ("faster_rcnn_s", "mask_rcnn_s", *FAMILIES[:2])


@lru_cache
def model(name: str) -> Any:
    if name == "yolo_s":
        return _random_yolo()
    return models.load(name, device="cpu") if name in BUNDLED else built(name)


def photo_for(name: str) -> Photo:
    return samples.sample("cat") if name in BUNDLED else picture(333, 250)


def _random_yolo() -> torch.nn.Module:
    """Random weights whose boxes, confidences and classes differ from cell to cell."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = small_yolo().train()
        with torch.no_grad():
            pixels = torch.stack([tensor_of(picture(320, 320, seed)) for seed in range(4)])
            module.head([module.backbone(pixels * 4 - 2)])
            module.head.output.weight.normal_(std=0.15)
            module.head.output.bias.normal_(std=0.3)
    return module.eval().requires_grad_(False)


@lru_cache
def looked_into(name: str) -> Opened:
    return opened(model(name), photo_for(name))


def module_of(name: str) -> torch.nn.Module:
    return looked_into(name).net.module


def true_boxes(name: str, count: int = 3) -> Any:
    """Boxes in photo pixels, of several sizes, the last one small."""
    width, height = looked_into(name).trace.info.photo_size
    shares = [(0.1, 0.15, 0.75, 0.9), (0.4, 0.3, 0.65, 0.7), (0.5, 0.55, 0.62, 0.7)][:count]
    return torch.tensor(shares, dtype=torch.float64) * torch.tensor([width, height] * 2)
