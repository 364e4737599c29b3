"""One pass of a detector with everything that it computed on the way.

The trace is the one that ``vision_core.inference.trace`` makes; the pass that makes it runs on a
shadow of the network, so that its inputs and outputs can be recorded without a hook on the shared
one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.anchor_utils import DefaultBoxGenerator
from torchvision.models.detection.rpn import concat_box_prediction_layers

from vision_core.attribution.shadow import shadow
from vision_core.errors import UserError
from vision_core.images import Photo
from vision_core.inference.detection import frozen, trace_detection
from vision_core.inference.families import Network, network
from vision_core.inside.kinds import DETECTORS
from vision_core.models.zoo.yolo_s import GridDetector
from vision_core.records import DetectionTrace


@dataclass(frozen=True)
class Level:
    """One feature map that a head looks at, and where its anchors stand in the trace's field.

    Attributes:
        index: from 0, finest first; the level of an anchor.
        name: of the feature map.
        rows, columns: of its grid.
        channels: of its features.
        stride: (x, y), network pixels from one cell to the next.
        offset: where an anchor is centred, in cells from a cell's corner: 0 for torchvision's
            ``AnchorGenerator``, 0.5 for SSD's boxes and for YOLO's cells.
        per_place: anchors in each place.
        start: the first anchor of the level; row, column and anchor of a place follow in order.
    """

    index: int
    name: str
    rows: int
    columns: int
    channels: int
    stride: tuple[float, float]
    offset: float
    per_place: int
    start: int

    @property
    def count(self) -> int:
        """Anchors of the level."""
        return self.rows * self.columns * self.per_place

    @property
    def slice(self) -> slice:
        """The anchors of the level in the trace's field."""
        return slice(self.start, self.start + self.count)


@dataclass(frozen=True, eq=False)
class Opened:
    """What one pass of a detector computed.

    Attributes:
        net: the network, never changed.
        trace: what ``vision_core.inference.trace`` returns for it; it always has a ``field``.
        pixels: float32 [3, H, W], the input as the backbone saw it, normalised and padded.
        features: backbone output by level, tensors [1, C, h, w] on the network's device.
        levels: the maps that the (first) head looks at, finest first.
        logits: float32 [A, K], of every anchor before sigmoid or softmax: objectness (K = 1) of a
            two-stage network, else classes. For YOLO [A, 1], the confidence of a cell's box.
        codes: float32 [A, 4], what the head said about every anchor's box: see ``anchors``.
        centerness: float32 [A], logits; FCOS alone.
        classes: float32 [S * S, C], YOLO's class logits of every cell; YOLO alone.
    """

    net: Network
    trace: DetectionTrace
    pixels: np.ndarray
    features: dict[str, Tensor]
    levels: tuple[Level, ...]
    logits: np.ndarray
    codes: np.ndarray
    centerness: np.ndarray | None = None
    classes: np.ndarray | None = None

    @property
    def module(self) -> Any:
        """The network's module; for reading."""
        return self.net.module

    @property
    def two_stage(self) -> bool:
        """Whether region proposals come first."""
        return isinstance(self.net.module, FasterRCNN)

    @property
    def padded_size(self) -> tuple[int, int]:
        """(width, height) of the padded input."""
        return self.pixels.shape[2], self.pixels.shape[1]

    @property
    def nbytes(self) -> int:
        """Memory, for caches that count bytes."""
        arrays = (self.pixels, self.logits, self.codes, self.centerness, self.classes)
        held = sum(a.nbytes for a in arrays if a is not None)
        return held + self.trace.nbytes + sum(t.nbytes for t in self.features.values())


def opened(model: Any, photo: Photo) -> Opened:
    """Run a detector once on a photo and keep what it computed.

    Args:
        model: a ``vision_core.models.Model`` or a torchvision detection module in eval mode.
        photo: the photo.

    Raises:
        UserError: the network is no detector, or the photo is too long and thin for it.
    """
    net = network(model)
    if net.detector is not None or net.family not in DETECTORS:
        raise UserError(f"{net.name} has no anchors to look at; choose a detector.")
    private: Any = shadow(net.module)
    head = private.rpn.head if isinstance(private, FasterRCNN) else private.head
    said: dict[str, Any] = {}
    private.backbone.register_forward_hook(lambda _m, seen, out: said.update(seen=seen[0], out=out))
    head.register_forward_hook(lambda _m, _seen, out: said.update(head=out))
    trace = trace_detection(replace(net, module=private), photo)
    out = said["out"]
    features = {"0": out} if isinstance(out, Tensor) else dict(out)
    levels = _levels(net.module, said["seen"], features)
    return Opened(
        net, trace, frozen(said["seen"][0]), features, levels, **_answers(net.module, said["head"])
    )


def _answers(module: Any, head: Any) -> dict[str, np.ndarray]:
    """What the head said, row by row in the order of the anchors."""
    if isinstance(module, FasterRCNN):
        logits, codes = concat_box_prediction_layers(*head)
        return {"logits": frozen(logits.reshape(-1, 1)), "codes": frozen(codes)}
    if isinstance(module, GridDetector):
        boxes = module.head.boxes
        parts = head["grid"][0, :, : 5 * boxes].unflatten(-1, (boxes, 5)).flatten(0, 1)
        return {
            "logits": frozen(parts[:, 4:]),
            "codes": frozen(parts[:, :4]),
            "classes": frozen(head["grid"][0, :, 5 * boxes :]),
        }
    answers = {"logits": frozen(head["cls_logits"][0]), "codes": frozen(head["bbox_regression"][0])}
    if "bbox_ctrness" in head:
        answers["centerness"] = frozen(head["bbox_ctrness"][0, :, 0])
    return answers


def _levels(module: Any, seen: Tensor, features: dict[str, Tensor]) -> tuple[Level, ...]:
    """The grids of the head's maps, as torchvision's anchor generators lay them out."""
    height, width = seen.shape[-2:]
    if isinstance(module, GridDetector):
        per_place, offset, steps = [module.head.boxes], 0.5, None
    else:
        rpn = isinstance(module, FasterRCNN)
        generator = module.rpn.anchor_generator if rpn else module.anchor_generator
        per_place = generator.num_anchors_per_location()
        default = isinstance(generator, DefaultBoxGenerator)
        offset, steps = (0.5, generator.steps) if default else (0.0, None)
    levels, start = [], 0
    for index, (name, features_of_level) in enumerate(features.items()):
        channels, rows, columns = features_of_level.shape[1:]
        stride = (width / columns, height / rows)
        if isinstance(module, GridDetector) or offset:
            if steps is not None:
                stride = (float(steps[index]), float(steps[index]))
        else:
            stride = (float(width // columns), float(height // rows))
        level = Level(index, name, rows, columns, channels, stride, offset, per_place[index], start)
        levels.append(level)
        start += level.count
    return tuple(levels)


def photo_boxes(opened: Opened, boxes_net: np.ndarray) -> np.ndarray:
    """Boxes [K, 4] of the network's input in photo pixels, float64."""
    return np.asarray(boxes_net, np.float64) / _ratio(opened)


def network_boxes(opened: Opened, boxes: np.ndarray) -> np.ndarray:
    """Boxes [K, 4] of the photo in pixels of the network's input, float64."""
    return np.asarray(boxes, np.float64) * _ratio(opened)


def _ratio(opened: Opened) -> np.ndarray:
    info = opened.trace.info
    x, y = (n / p for n, p in zip(info.network_size, info.photo_size, strict=True))
    return np.array([x, y, x, y])


def device_tensor(opened: Opened, array: np.ndarray) -> Tensor:
    """A copy of an array on the network's device."""
    return torch.tensor(np.asarray(array), device=opened.net.device)
