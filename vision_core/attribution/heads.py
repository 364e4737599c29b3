"""Scores of targets from the raw outputs of each family of heads, for a batch of inputs."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from vision_core import devices
from vision_core.attribution.geometry import Window
from vision_core.errors import UserError
from vision_core.images import Photo
from vision_core.inference.detection import backbone_features, network_input
from vision_core.inference.families import Network, heads_of
from vision_core.inference.head_family import SourceBox
from vision_core.inference.two_stage import pool_each
from vision_core.records import DetectionTrace, SegmentationTrace
from vision_core.records.targets import BoxTarget, RegionTarget, UnitTarget

_EDGES = {"x1": 0, "y1": 1, "x2": 2, "y2": 3}


def statistics(module: Any) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and spread by which a detector normalises."""
    return tuple(module.transform.image_mean), tuple(module.transform.image_std)


def transformed(net: Network, photo: Photo) -> tuple[Tensor, Window, tuple[int, int]]:
    """A detector's input ``[1, 3, h, w]``, where it lies on the photo, and its (height, width).

    The input may be padded to the right and below; the window leaves the padding out, and maps
    over the whole input are cut by ``cropped``.
    """
    images = network_input(net, photo)
    h, w = images.image_sizes[0]
    window = Window(0.0, 0.0, photo.width / w, photo.height / h, w, h, (photo.width, photo.height))
    return images.tensors, window, (h, w)


def preset_network(module: nn.Module, batch: Tensor) -> Any:
    """Run a classifier or segmenter whole."""
    return module(batch)


def dense_parts(module: Any, batch: Tensor) -> Any:
    """Run what a detector does with the whole picture: backbone and dense head."""
    heads = heads_of(module)
    assert heads is not None, "only detectors have dense heads"
    return heads.dense(module, backbone_features(module, batch))


def unit_of(calls: list[Tensor], target: UnitTarget) -> Tensor:
    """The unit of the first call of its layer, ``[N]``.

    Raises:
        UserError: the layer did not run, or is smaller than that.
    """
    if not calls:
        raise UserError(
            f"The layer {target.layer} does not run when the whole picture is seen; "
            "choose one of the backbone or of the dense head."
        )
    out = calls[0]
    shape = tuple(out.shape[1:]) + (1,) * (3 - (out.ndim - 1))
    at = (target.channel, target.row, target.column)
    if len(shape) != 3 or any(i >= n for i, n in zip(at, shape, strict=True)):
        raise UserError(
            f"The layer {target.layer} puts out {'x'.join(map(str, out.shape[1:]))}; "
            f"there is no unit {','.join(map(str, at))}."
        )
    return out.reshape(len(out), *shape)[:, target.channel, target.row, target.column]


def class_logit(index: int) -> Any:
    """Score of a class of a classifier: its logit, which softmax does not saturate."""
    return lambda module, batch, _: module(batch)[:, index]


def region(trace: SegmentationTrace, window: Window, target: RegionTarget, index: int) -> Any:
    """Mean logit of a class over the pixels that are given to it now.

    Raises:
        UserError: there are none.
    """
    own = torch.from_numpy(trace.logits.argmax(0) == index)
    if target.box is not None:
        x1, y1, x2, y2 = target.box
        h, w = own.shape
        x = (torch.arange(w) + 0.5) / w * window.width * window.scale_x + window.left
        y = (torch.arange(h) + 0.5) / h * window.height * window.scale_y + window.top
        own &= ((x >= x1) & (x <= x2))[None] & ((y >= y1) & (y <= y2))[:, None]
    if not own.any():
        where = "there" if target.box is not None else "in this photo"
        raise UserError(f"No pixel {where} is given to the class {target.label!r}.")

    def score(module: nn.Module, batch: Tensor, _: Any) -> Tensor:
        logits = module(batch)["out"][:, index]
        return logits[:, own.to(logits.device)].mean(1)

    return score


def box(
    module: nn.Module,
    trace: DetectionTrace,
    target: BoxTarget,
    label: int,
    size: tuple[int, int],
    window: Window,
) -> Any:
    """Score of one detection, at the anchor or proposal that it came from.

    Raises:
        UserError: objectness is asked of a network that has none.
    """
    source = int(trace.source[target.candidate])
    anchor, start = int(trace.source_index[source]), trace.source_boxes_net[source].copy()
    heads = heads_of(module)
    assert heads is not None, "a trace of boxes is a detector's"
    if target.part == "objectness" and not heads.has_objectness:
        raise UserError(f"{trace.info.model} has no objectness; explain the score or an edge.")

    def score(module: Any, batch: Tensor, _: Any) -> Tensor:
        boxes = torch.from_numpy(start).to(batch.device).expand(len(batch), 4)
        at = SourceBox(anchor, boxes, label, size)
        features = backbone_features(module, batch)
        if target.part == "objectness":
            return heads.objectness_at(module, features, at)
        if target.part == "score":
            return heads.logit_at(module, features, at)
        return _edge(heads.box_at(module, features, at), target.part, size, window)

    return score


def _edge(boxes: Tensor, part: str, size: tuple[int, int], window: Window) -> Tensor:
    """One edge of boxes ``[..., 4]`` in photo pixels, cut off at the border as the shown box is."""
    edge = _EDGES[part]
    inside = boxes[..., edge].clamp(0, size[1 - edge % 2])
    return inside * (window.scale_x if edge % 2 == 0 else window.scale_y)


def border_note(trace: DetectionTrace, target: BoxTarget, size: tuple[int, int]) -> str:
    """What to know of an edge where the photo cuts the box off; empty for any other target.

    Args:
        trace, target: what is explained.
        size: (height, width) of the network's input, padding left out.
    """
    if target.part not in _EDGES:
        return ""
    box = trace.boxes_net[target.candidate]
    cut = {n for n, e in _EDGES.items() if not 0 < box[e] < size[1 - e % 2]}
    if target.part not in cut:
        return ""
    others = [name for name in _EDGES if name not in cut]
    instead = f"; explain {' or '.join(others)} instead" if others else ""
    return (
        f"The edge {target.part} lies on the border of the photo, which cuts the box off there, so "
        f"that no small change of a pixel moves it and its gradient is zero{instead}."
    )


def person_crop(
    net: Network, photo: Photo, trace: DetectionTrace, candidate: int
) -> tuple[Tensor, Window]:
    """What a top-down pose network is given for a person, and where it lies on the photo."""
    from vision_core.inference.pose import crop_boxes

    boxes = torch.from_numpy(trace.boxes[[candidate]].copy()).to(net.device)
    crops, geometry = crop_boxes(devices.image_tensor(photo, net.device), boxes)
    (left, top), side = geometry.origin[0].tolist(), float(geometry.side[0])
    scale = side / crops.shape[-1]
    photo_size = (photo.width, photo.height)
    return crops, Window(left, top, scale, scale, crops.shape[-1], crops.shape[-2], photo_size)


def best_person(net: Network, photo: Photo, found: DetectionTrace) -> tuple[Tensor, Window]:
    """``person_crop`` of the best person, or of the whole photo where nobody is found."""
    from vision_core.inference.pose import crop_boxes

    if len(found):
        return person_crop(net, photo, found, int(found.scores.argmax()))
    whole = torch.tensor([[0.0, 0.0, photo.width, photo.height]], device=net.device)
    crops, geometry = crop_boxes(devices.image_tensor(photo, net.device), whole)
    (left, top), side = geometry.origin[0].tolist(), float(geometry.side[0])
    scale, size = side / crops.shape[-1], crops.shape[-1]
    return crops, Window(left, top, scale, scale, size, size, (photo.width, photo.height))


def crop_joint(module: nn.Module, x: Tensor, joint: int) -> Any:
    """Logit of a joint's heatmap at its present peak.

    Raises:
        UserError: the network has no heatmaps.
    """
    heatmaps = module(x)
    if heatmaps.ndim != 4:
        raise UserError(
            "This network gives the place of a joint as two numbers; it has no "
            "heatmap whose logit could be explained."
        )
    peak = int(heatmaps[0, joint].argmax())
    return lambda module, batch, _: module(batch)[:, joint].flatten(1)[:, peak]


def roi_joint(
    module: Any,
    x: Tensor,
    trace: DetectionTrace,
    candidate: int,
    joint: int,
    size: tuple[int, int],
) -> Any:
    """The same for Keypoint R-CNN: a heatmap within the candidate's box."""
    start = torch.from_numpy(trace.boxes_net[[candidate]].copy())

    def heatmap(module: Any, batch: Tensor) -> Tensor:
        roi = module.roi_heads
        place = start.to(batch.device).expand(len(batch), 4)
        pooled = pool_each(roi.keypoint_roi_pool, backbone_features(module, batch), place, size)
        return roi.keypoint_predictor(roi.keypoint_head(pooled))[:, joint].flatten(1)

    peak = int(heatmap(module, x)[0].argmax())
    return lambda module, batch, _: heatmap(module, batch)[:, peak]
