"""What the second stage sees of a proposal, and what it says: crop, classes, boxes, mask target.

The head runs on the feature maps that the trace's pass made; no other pass is needed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F
from torchvision.models.detection.roi_heads import project_masks_on_boxes
from torchvision.ops import boxes as box_ops
from torchvision.ops.poolers import MultiScaleRoIAlign, _setup_scales

from vision_core import devices
from vision_core.errors import UserError
from vision_core.inference.detection import frozen
from vision_core.inference.two_stage import pool_regions
from vision_core.inside.levels import pooler_levels
from vision_core.inside.opened import Opened, device_tensor, photo_boxes


@dataclass(frozen=True, eq=False)
class HeadView:
    """One proposal as the box head sees it.

    Attributes:
        box, box_net: the proposal, photo pixels and network pixels.
        level: the feature map that it is cut from, an index into the pooler's maps.
        level_name: its name.
        crop: float32 [C, 7, 7], the features.
        points: float64 [7, 7, g, g, 2], (x, y) of the sampling points of every bin, photo pixels;
            the mean of the features there is the bin's value.
        labels: K class names, the background first.
        scores: float32 [K], softmax over the classes.
        codes: float32 [K, 4], (dx, dy, dw, dh) of each class, without the coder's weights.
        boxes: float64 [K, 4], the proposal after each class's regression, clipped, photo pixels;
            row 0, of the background, is never used.
        unclipped_net: float32 [K, 4], before clipping, network pixels.
    """

    box: np.ndarray
    box_net: np.ndarray
    level: int
    level_name: str
    crop: np.ndarray
    points: np.ndarray
    labels: tuple[str, ...]
    scores: np.ndarray
    codes: np.ndarray
    boxes: np.ndarray
    unclipped_net: np.ndarray


def needs_head(opened: Opened) -> None:
    """Refuse a network without a second stage.

    Raises:
        UserError: it has none.
    """
    if not opened.two_stage:
        raise UserError(f"{opened.net.name} has no second stage; choose a two-stage detector.")


def look(opened: Opened, box_net: Any) -> HeadView:
    """Run the box head on one box.

    Args:
        opened: a two-stage detector.
        box_net: x1, y1, x2, y2 in pixels of the network's input, e.g. a row of the trace's
            ``source_boxes_net``.

    Raises:
        UserError: the network has no second stage.
    """
    needs_head(opened)
    heads, size = opened.module.roi_heads, opened.trace.info.network_size[::-1]
    boxes = device_tensor(opened, np.asarray(box_net, np.float32).reshape(1, 4))
    with torch.inference_mode(), devices.forward_slot():
        pooled = pool_regions(heads.box_roi_pool, opened.features, boxes, size)
        logits, deltas = heads.box_predictor(heads.box_head(pooled))
        after = heads.box_coder.decode(deltas, [boxes])[0]
        clipped = box_ops.clip_boxes_to_image(after, size)
    names, mapper = pooler_levels(opened)
    level = int(mapper([boxes.cpu()])[0])
    box = frozen(boxes)[0]
    weights = np.array(heads.box_coder.weights, np.float32)
    return HeadView(
        box=photo_boxes(opened, box[None])[0],
        box_net=box,
        level=level,
        level_name=names[level],
        crop=frozen(pooled[0]),
        points=sampling_points(opened, heads.box_roi_pool, box, level),
        labels=tuple(name.strip("_") for name in opened.net.labels),
        scores=frozen(logits[0].softmax(-1)),
        codes=frozen(deltas[0].reshape(-1, 4)) / weights,
        boxes=photo_boxes(opened, frozen(clipped)),
        unclipped_net=frozen(after),
    )


def scales_of(opened: Opened, pool: MultiScaleRoIAlign) -> list[float]:
    """The scale of every map that a pooler reads, e.g. 1/4, 1/8; nothing is stored in it."""
    if pool.scales is not None:
        return [float(s) for s in pool.scales]
    maps = [opened.features[n] for n in opened.features if n in pool.featmap_names]
    scales, _ = _setup_scales(
        maps,
        [opened.trace.info.network_size[::-1]],
        pool.canonical_scale,
        pool.canonical_level,
    )
    return [float(s) for s in scales]


def sampling_points(
    opened: Opened, pool: MultiScaleRoIAlign, box_net: np.ndarray, level: int
) -> np.ndarray:
    """Where RoI Align (He et al. 2017) reads the features, photo pixels [h, w, g, g, 2].

    As ``torchvision.ops.roi_align`` without ``aligned``: a box is at least one cell wide.
    """
    scale = scales_of(opened, pool)[level]
    x1, y1, x2, y2 = np.asarray(box_net, np.float64) * scale
    rows, columns = pool.output_size
    x = _along(x1, max(x2 - x1, 1.0), columns, pool.sampling_ratio) / scale
    y = _along(y1, max(y2 - y1, 1.0), rows, pool.sampling_ratio) / scale
    grid = np.zeros((rows, columns, y.shape[1], x.shape[1], 2))
    grid[..., 0] = x[None, :, None, :]
    grid[..., 1] = y[:, None, :, None]
    flat = grid.reshape(-1, 2)
    return photo_boxes(opened, np.concatenate([flat, flat], 1))[:, :2].reshape(grid.shape)


def _along(start: float, length: float, bins: int, ratio: int) -> np.ndarray:
    """The sampling points of every bin along one side, [bins, points]; cells."""
    count = ratio if ratio > 0 else math.ceil(length / bins)
    within = (np.arange(count) + 0.5) / count
    return start + (np.arange(bins)[:, None] + within) * (length / bins)


def mask_probabilities(opened: Opened, box_net: Any, label: int) -> np.ndarray:
    """What the mask head says of a box, float32 [28, 28], 0..1.

    Args:
        opened: a detector with a mask head.
        box_net: pixels of the network's input; in torchvision the box after the regression.
        label: label id of the class whose mask is asked for.

    Raises:
        UserError: the network has no mask head.
    """
    heads = _part_heads(opened, "mask")
    return _branch(opened, box_net, heads.mask_roi_pool, heads.mask_head, heads.mask_predictor)[
        label
    ]


def joint_maps(opened: Opened, box_net: Any) -> np.ndarray:
    """The keypoint head's map of every joint for a box, float32 [J, 56, 56], probabilities.

    torchvision puts a joint at the greatest logit; here each map is its softmax over positions
    (He et al., "Mask R-CNN", 2017: a one-hot mask of 56 x 56 is the target of each joint).

    Args:
        opened: a detector with a keypoint head.
        box_net: pixels of the network's input.

    Raises:
        UserError: the network has no keypoint head.
    """
    heads = _part_heads(opened, "keypoint")
    logits = _branch(
        opened,
        box_net,
        heads.keypoint_roi_pool,
        heads.keypoint_head,
        heads.keypoint_predictor,
        torch.Tensor.float,
    )
    flat = torch.from_numpy(logits.copy()).flatten(1).softmax(1)
    return flat.reshape(logits.shape).numpy()


def _part_heads(opened: Opened, part: str) -> Any:
    heads = getattr(opened.module, "roi_heads", None)
    if heads is None or not getattr(heads, f"has_{part}")():
        other = {"mask": "Mask R-CNN", "keypoint": "Keypoint R-CNN"}[part]
        raise UserError(f"{opened.net.name} has no {part} head; choose a {other}.")
    return heads


def _branch(
    opened: Opened,
    box_net: Any,
    pool: Any,
    head: Any,
    predictor: Any,
    last: Callable[[torch.Tensor], torch.Tensor] = torch.sigmoid,
) -> np.ndarray:
    """A branch of the second stage on one box, [K, side, side]."""
    boxes = device_tensor(opened, np.asarray(box_net, np.float32).reshape(1, 4))
    size = opened.trace.info.network_size[::-1]
    with torch.inference_mode(), devices.forward_slot():
        pooled = pool_regions(pool, opened.features, boxes, size)
        return frozen(last(predictor(head(pooled)))[0])


def mask_target(opened: Opened, box_net: Any, mask: np.ndarray) -> np.ndarray:
    """What the mask head would be taught for a proposal: the true mask, cut out by it.

    As torchvision does it in training: the mask is brought to the network's size by nearest
    neighbour and cut out by RoI Align.

    Args:
        opened: a detector with a mask head.
        box_net: the proposal, pixels of the network's input.
        mask: bool [H, W], the true mask at the photo's size.

    Returns:
        float32 [28, 28], 0..1.

    Raises:
        UserError: the network has no mask head.
        ValueError: the mask has another size than the photo.
    """
    heads = _part_heads(opened, "mask")
    width, height = opened.trace.info.photo_size
    if mask.shape != (height, width):
        raise ValueError("the mask has another size than the photo")
    whole = torch.from_numpy(mask.astype(np.float32))[None, None]
    small = F.interpolate(whole, size=opened.trace.info.network_size[::-1])[0].byte()
    box = torch.tensor(np.asarray(box_net, np.float32).reshape(1, 4))
    side = int(heads.mask_roi_pool.output_size[0]) * 2  # the predictor doubles it
    return frozen(project_masks_on_boxes(small, box, torch.zeros(1, dtype=torch.int64), side)[0])
