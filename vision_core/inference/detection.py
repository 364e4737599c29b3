"""Detectors: run the network once and keep every candidate above the floor."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.transform import resize_boxes

from vision_core import devices
from vision_core.errors import UserError
from vision_core.images import Photo
from vision_core.inference.cache import ByteLRU
from vision_core.inference.families import FLOOR, Network, default_thresholds, heads_of
from vision_core.inference.head_family import HeadFamily, Raw
from vision_core.inference.timing import Stopwatch
from vision_core.records import AnchorField, Cut, DetectionTrace, TraceInfo

FEATURE_CACHE_BYTES = 512 * 1024 * 1024

# Backbone features that mask and keypoint heads need, for all users together.
features_cache: ByteLRU[tuple[dict[str, Tensor], tuple[int, int]]] = ByteLRU(
    FEATURE_CACHE_BYTES, lambda value: sum(t.nbytes for t in value[0].values()), "features"
)


def trace_detection(net: Network, photo: Photo) -> DetectionTrace:
    """Every candidate of a detector; see ``inference.trace``."""
    module: Any = net.module
    heads = _heads(net)
    defaults = default_thresholds(net)
    floor = min(FLOOR, defaults.score)
    with torch.inference_mode(), devices.forward_slot():
        watch = Stopwatch(net.device)
        images = network_input(net, photo)
        watch.lap("resize and normalise")
        features = backbone_features(module, images.tensors)
        watch.lap("backbone")
        size = images.image_sizes[0]
        raw = heads.candidates(module, images, features, floor, watch)
        remember_features(net, photo, features, size)
        watch.lap("decode boxes")
        boxes = resize_boxes(raw.boxes_net, list(size), [photo.height, photo.width])
        info = trace_info(net, photo, (size[1], size[0]), watch)
        return _freeze(raw, boxes, info, floor, net, defaults)


def trace_info(
    net: Network,
    photo: Photo,
    network_size: tuple[int, int],
    watch: Stopwatch,
    notes: tuple[str, ...] = (),
) -> TraceInfo:
    """Where a trace came from, with the stopwatch's laps so far."""
    return TraceInfo(
        model=net.name,
        family=net.family,
        fingerprint=net.fingerprint,
        labels=net.labels,
        photo_sha256=photo.sha256,
        photo_name=photo.name,
        photo_size=(photo.width, photo.height),
        network_size=network_size,
        device=str(net.device),
        timing_ms=dict(watch.ms),
        notes=notes,
    )


def features_of(net: Network, photo: Photo) -> tuple[dict[str, Tensor], tuple[int, int], bool]:
    """Backbone features of a photo for the mask and keypoint heads.

    Returns:
        features by level, the (height, width) of the network's input, and whether the backbone
        had to run once more because the cache had let them go.
    """
    found = features_cache.get(_feature_key(net, photo))
    if found is not None:
        return found[0], found[1], False
    module: Any = net.module
    with torch.inference_mode(), devices.forward_slot():
        images = network_input(net, photo)
        features = backbone_features(module, images.tensors)
    size = images.image_sizes[0]
    return remember_features(net, photo, features, size), size, True


def remember_features(
    net: Network, photo: Photo, features: dict[str, Tensor], size: tuple[int, int]
) -> dict[str, Tensor]:
    """Keep the levels that a mask or keypoint head pools from; nothing for other networks."""
    levels = _heads(net).part_levels(net.module)
    if not levels:
        return {}
    kept = {name: features[name] for name in levels if name in features}
    features_cache.put(_feature_key(net, photo), (kept, size))
    return kept


def forget_features(net: Network, photo: Photo) -> None:
    """Let the features of a photo go, of a network that nobody will ask again."""
    features_cache.drop(_feature_key(net, photo))


def _feature_key(net: Network, photo: Photo) -> tuple[Any, ...]:
    return (net.fingerprint, net.name, photo.sha256, photo.pixels.shape, str(net.device))


def network_input(net: Network, photo: Photo) -> ImageList:
    """The detector's own resize and normalisation of a photo, padded to whole strides.

    Raises:
        UserError: the photo is so long and thin that nothing would be left of its shorter side.
    """
    transform: Any = net.module.transform
    short, long = sorted((photo.width, photo.height))
    if transform.fixed_size is None:
        scale = min(transform.min_size[-1] / short, transform.max_size / long)
        if int(short * scale) < 1:
            raise UserError(
                f"{photo.name} is too long and thin for {net.name}: at {photo.width} x "
                f"{photo.height} pixels its shorter side would shrink to nothing; crop it."
            )
    images, _ = transform([devices.image_tensor(photo, net.device)])
    return images


def _heads(net: Network) -> HeadFamily:
    heads = heads_of(net.module)
    if heads is None:
        raise UserError(f"{net.name} is not a detector, so it has no boxes.")
    return heads


def backbone_features(module: Any, batch: Tensor) -> dict[str, Tensor]:
    """What a detector's backbone makes of a batch ``[N, 3, h, w]``, by level."""
    features = module.backbone(batch)
    if isinstance(features, Tensor):
        return OrderedDict([("0", features)])
    return features


def _freeze(
    raw: Raw, boxes: Tensor, info: TraceInfo, floor: float, net: Network, defaults: Any
) -> DetectionTrace:
    """To read-only NumPy arrays on the CPU; boxes that are no numbers are dropped and counted."""
    funnel = list(raw.funnel)
    finite = torch.isfinite(boxes).all(dim=1)
    if not bool(finite.all()):
        funnel.append(Cut("finite", int(finite.sum()), None, "boxes that are numbers"))

    def rows(tensor: Tensor) -> np.ndarray:
        return frozen(tensor[finite])

    funnel.append(Cut("candidates", int(finite.sum()), None, "held in the trace"))
    return DetectionTrace(
        info=info,
        boxes=rows(boxes),
        boxes_net=rows(raw.boxes_net),
        scores=rows(raw.scores),
        label_ids=rows(raw.label_ids),
        source=rows(raw.source),
        level=rows(raw.level),
        class_scores=frozen(raw.class_scores),
        source_boxes_net=frozen(raw.source_boxes_net),
        source_objectness=frozen(raw.source_objectness),
        source_index=frozen(raw.source_index),
        funnel=tuple(funnel),
        floor=floor,
        defaults=defaults,
        joints=net.joints,
        skeleton=net.skeleton,
        group=None if raw.group is None else rows(raw.group),
        position=None if raw.position is None else rows(raw.position),
        topk=raw.topk,
        edge_ties=raw.edge_ties,
        field=AnchorField(
            frozen(raw.field.anchors_net),
            frozen(raw.field.boxes_net),
            frozen(raw.field.scores),
            frozen(raw.field.level.to(torch.uint8)),
            frozen(raw.field.fate),
            raw.field.score_name,
        ),
    )


def frozen(tensor: Tensor) -> np.ndarray:
    """A read-only NumPy copy on the CPU; half precision becomes float32."""
    if tensor.is_floating_point():
        tensor = tensor.float()
    array = np.array(tensor.detach().cpu().numpy(), copy=True, order="C")
    array.setflags(write=False)
    return array
