"""torchvision detectors with random weights that say something worth comparing.

Untouched random weights give no boxes or hundreds of equal scores. Here BatchNorm statistics are
calibrated on the test pictures and the class logits are scaled to a standard deviation of 2.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import torch
import torchvision.models.detection as tvd
from torch import Tensor, nn
from torchvision.models import get_model

from vision_core.images import Photo, from_array

SMALL = {"min_size": 160, "max_size": 266}
# Heads on 1,000 proposals and 100 boxes take most of the time and prove no more than these.
FEW = {**SMALL, "rpn_post_nms_top_n_test": 150, "box_detections_per_img": 30}
BUILDERS: dict[str, dict[str, Any]] = {
    "fasterrcnn_resnet50_fpn": FEW,
    "fasterrcnn_resnet50_fpn_v2": FEW,
    "fasterrcnn_mobilenet_v3_large_fpn": FEW,
    "fasterrcnn_mobilenet_v3_large_320_fpn": {},
    "maskrcnn_resnet50_fpn": FEW,
    "maskrcnn_resnet50_fpn_v2": FEW,
    "keypointrcnn_resnet50_fpn": {**FEW, "box_detections_per_img": 20},
    "retinanet_resnet50_fpn": SMALL,
    "retinanet_resnet50_fpn_v2": SMALL,
    "fcos_resnet50_fpn": SMALL,
    "ssd300_vgg16": {},
    "ssdlite320_mobilenet_v3_large": {},
}


def picture(width: int, height: int, seed: int = 0, smooth: bool = False) -> Photo:
    """Random patches of several sizes.

    Sharp patches repeat themselves, so that many candidates have exactly equal scores: the order
    among those counts in NMS. Smooth ones have no equal scores.
    """
    generator = torch.Generator().manual_seed(seed)
    total = torch.zeros(3, height, width)
    mode = "bicubic" if smooth else "nearest"
    for cells in (3, 9, 30):
        coarse = torch.rand((1, 3, cells, cells), generator=generator)
        total += nn.functional.interpolate(coarse, size=(height, width), mode=mode)[0].clamp(0, 1)
    if smooth:
        total += torch.rand(total.shape, generator=generator) * 0.2 - 0.2
        total.clamp_(0, 3)
    pixels = (total / 3 * 255).to(torch.uint8).permute(1, 2, 0).contiguous().numpy()
    return from_array(pixels, name=f"picture-{width}x{height}-{seed}")


def tensor_of(photo: Photo) -> Tensor:
    """The photo as torchvision's detectors take it."""
    return torch.from_numpy(photo.pixels.copy()).permute(2, 0, 1).float() / 255


def plain(name: str, **kwargs: Any) -> nn.Module:
    """torchvision's detector with random weights in eval mode, its RoI scales set."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = get_model(name, weights=None, weights_backbone=None, **kwargs)
    module.eval()
    set_scales(module)
    return module.requires_grad_(False)


def like(name: str, **kwargs: Any) -> nn.Module:
    """The calibrated weights of ``built(name)`` in a detector with other settings."""
    module = plain(name, **kwargs)
    module.load_state_dict(built(name).state_dict())
    return module


def set_to(name: str, **settings: float) -> nn.Module:
    """``built(name)``, one-stage, with other settings over the same weights."""
    module = copy.copy(built(name))
    for key, value in settings.items():
        assert isinstance(getattr(module, key), float), "as its builder keeps it"
        setattr(module, key, value)
    return module


def with_few_boxes(module: nn.Module) -> nn.Module:
    """The same weights, and masks or joints of six boxes at most: heads take most of the time."""
    module = copy.copy(module)
    if isinstance(module, tvd.FasterRCNN):
        module._modules = {**module._modules, "roi_heads": copy.copy(module.roi_heads)}
        heads: Any = module.roi_heads
        heads.detections_per_img = 6
    return module


def build(name: str, **kwargs: Any) -> nn.Module:
    """A calibrated detector in eval mode, its RoI scales set from its strides."""
    module = plain(name, **kwargs)
    photo = tensor_of(picture(333, 777))
    if isinstance(module, tvd.FCOS):  # its distances pass a ReLU: keep them off zero
        nn.init.constant_(module.head.regression_head.bbox_reg.bias, 2.0)
    _calibrate(module, photo)
    _scale_class_logits(module, photo)
    return module


@lru_cache
def built(name: str) -> nn.Module:
    """The calibrated detector of ``BUILDERS`` at its small size; treat as read-only."""
    return build(name, **BUILDERS[name])


def set_scales(module: nn.Module) -> None:
    """Let the RoI poolers infer their scales from a large square, before any test picture."""
    if not isinstance(module, tvd.FasterRCNN):  # nothing pools
        return
    heads: Any = module.roi_heads
    with torch.no_grad():
        images, _ = module.transform([torch.zeros(3, 512, 512)])
        features = module.backbone(images.tensors)
        for pool in (heads.box_roi_pool, heads.mask_roi_pool, heads.keypoint_roi_pool):
            if pool is not None:
                pool(features, [torch.zeros(1, 4)], images.image_sizes)


def _calibrate(module: nn.Module, photo: Tensor) -> None:
    norms = [m for m in module.modules() if isinstance(m, nn.BatchNorm2d)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
        norm.train()
    # two pictures: one value, as in SSDlite's last map, has no variance
    with torch.no_grad(), without_parts(module):
        module([photo, photo.flip(-1)])
    for norm in norms:
        norm.eval()


@contextmanager
def without_parts(module: Any) -> Iterator[None]:
    """The detector alone: masks and joints would be made for nothing.

    Not where the heads of the parts have a BatchNorm whose statistics are wanted.
    """
    parts = {}
    if isinstance(module, tvd.FasterRCNN):
        heads = module.roi_heads
        for kind in ("mask", "keypoint"):
            head, pool = getattr(heads, f"{kind}_head"), f"{kind}_roi_pool"
            if head is not None and not any(isinstance(m, nn.BatchNorm2d) for m in head.modules()):
                parts[pool] = getattr(heads, pool)
                setattr(heads, pool, None)
    yield
    for pool, was in parts.items():
        setattr(module.roi_heads, pool, was)


def _class_layers(module: Any) -> list[nn.Module]:
    """The layers whose output is class logits, the RPN's first."""
    if isinstance(module, tvd.FasterRCNN):
        return [module.rpn.head.cls_logits, module.roi_heads.box_predictor.cls_score]
    head = module.head.classification_head
    if hasattr(head, "cls_logits"):
        return [head.cls_logits]
    return [m if isinstance(m, nn.Conv2d) else m[-1] for m in head.module_list]


def _scale_class_logits(module: nn.Module, photo: Tensor) -> None:
    """Bring the logits of every class layer to a standard deviation of 2, in one forward."""
    layers: list[Any] = _class_layers(module)
    seen: dict[int, list[Tensor]] = {i: [] for i in range(len(layers))}
    hooks = [
        layer.register_forward_hook(lambda _m, _i, out, i=i: seen[i].append(out.flatten()))
        for i, layer in enumerate(layers)
    ]
    with torch.no_grad():
        with without_parts(module):
            module([photo])
        for hook in hooks:
            hook.remove()
        for i, layer in enumerate(layers):
            layer.weight.mul_(2 / torch.cat(seen[i]).std().clamp(min=1e-6))
