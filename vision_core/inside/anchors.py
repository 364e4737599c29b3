"""All anchors of a place: what each was told to become, and what became of it.

A code is what a head says about a box. Codes of anchors are (dx, dy, dw, dh): the middle moves by
dx widths and dy heights, width and height grow by exp(dw) and exp(dh) (Girshick et al. 2014).
FCOS says the distances l, t, r, b from its point, in strides. YOLO says where in its cell the
middle lies and the roots of the box's share of the picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torchvision.models.detection import FCOS, FasterRCNN
from torchvision.models.detection.ssd import SSD

from vision_core.inside.opened import Opened, device_tensor, photo_boxes
from vision_core.models.zoo.yolo_s import GridDetector
from vision_core.records import ANCHOR_FATES


@dataclass(frozen=True)
class Anchor:
    """One anchor of a photo; for YOLO one box of a cell, whose anchor is the cell's square.

    Attributes:
        index: in the trace's field.
        level: index of its feature map.
        row, column: of its place.
        width, height: network pixels.
        ratio: height / width.
        anchor, box: x1, y1, x2, y2 in photo pixels; ``box`` is what the network made of it,
            clipped to the photo.
        box_net: the same box before it was clipped, network pixels.
        code: names and values of what the head said; see ``code_names``.
        score: objectness of two stages, else the best class's score, 0..1.
        label: the best class; ``None`` for two stages, whose proposals have none.
        confidence: centerness of FCOS, or YOLO's confidence, 0..1; ``None`` elsewhere.
        fate: one of ``vision_core.records.ANCHOR_FATES``.
    """

    index: int
    level: int
    row: int
    column: int
    width: float
    height: float
    ratio: float
    anchor: tuple[float, ...]
    box: tuple[float, ...]
    box_net: tuple[float, ...]
    code: dict[str, float]
    score: float
    label: str | None
    confidence: float | None
    fate: str


def code_names(opened: Opened) -> tuple[str, str, str, str]:
    """What the four numbers of a code are called."""
    if isinstance(opened.module, FCOS):
        return ("l", "t", "r", "b")
    if isinstance(opened.module, GridDetector):
        return ("x in the cell", "y in the cell", "root of w", "root of h")
    return ("dx", "dy", "dw", "dh")


def coder_of(opened: Opened) -> Any:
    """torchvision's coder of an opened detector: ``BoxCoder``, FCOS's ``BoxLinearCoder``."""
    module = opened.module
    return module.rpn.box_coder if isinstance(module, FasterRCNN) else module.box_coder


def code_weights(opened: Opened) -> tuple[float, float, float, float]:
    """By what the coder multiplies (dx, dy, dw, dh); SSD's are 10, 10, 5, 5."""
    weights = coder_of(opened).weights if not isinstance(opened.module, FCOS) else (1, 1, 1, 1)
    return tuple(float(w) for w in weights)  # type: ignore[return-value]


def codes(opened: Opened, indices: Sequence[int] | np.ndarray) -> np.ndarray:
    """The codes [K, 4] of anchors in plain units, float64.

    (dx, dy, dw, dh) without the coder's weights; l, t, r, b in network pixels; for YOLO the
    sigmoids.
    """
    rows = np.asarray(indices, np.int64)
    said = opened.codes[rows].astype(np.float64)
    if isinstance(opened.module, GridDetector):
        return 1 / (1 + np.exp(-said))
    if isinstance(opened.module, FCOS):
        return said * _sides(opened, rows)
    return said / code_weights(opened)


def encode(anchors: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """(dx, dy, dw, dh) that turn anchors [K, 4] into boxes [K, 4], float64, without weights."""
    there, width, height = _middle(boxes)
    here, wide, high = _middle(anchors)
    shift = (there - here) / np.stack([wide, high], 1)
    return np.concatenate([shift, np.log(np.stack([width / wide, height / high], 1))], 1)


def decode(anchors: np.ndarray, deltas: np.ndarray, most: float = np.log(1000 / 16)) -> np.ndarray:
    """The boxes [K, 4] that (dx, dy, dw, dh) make of anchors [K, 4], float64, not clipped.

    Args:
        anchors: with a width and a height.
        deltas: without weights.
        most: greatest dw and dh, as in torchvision.
    """
    here, wide, high = _middle(anchors)
    size = np.stack([wide, high], 1)
    middle = here + deltas[:, :2] * size
    half = np.exp(np.minimum(deltas[:, 2:], most)) * size / 2
    return np.concatenate([middle - half, middle + half], 1)


def _middle(boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    boxes = np.asarray(boxes, np.float64)
    width, height = (boxes[:, 2:] - boxes[:, :2]).T
    return (boxes[:, :2] + boxes[:, 2:]) / 2, width, height


def _sides(opened: Opened, rows: np.ndarray) -> np.ndarray:
    """Width, height, width, height of anchors: the unit of FCOS's distances."""
    _, width, height = _middle(opened.trace.field.anchors_net[rows])  # type: ignore[union-attr]
    return np.stack([width, height, width, height], 1)


def unclipped(opened: Opened, indices: Sequence[int] | np.ndarray) -> np.ndarray:
    """The boxes [K, 4] that the network made of anchors, before clipping, network pixels."""
    rows = np.asarray(indices, np.int64)
    anchors = opened.trace.field.anchors_net[rows]  # type: ignore[union-attr]
    if isinstance(opened.module, GridDetector):
        x, y, root_w, root_h = codes(opened, rows).T
        stride, side = opened.levels[0].stride[0], opened.padded_size[0]
        middle = anchors[:, :2].astype(np.float64) + np.stack([x, y], 1) * stride
        half = np.stack([root_w, root_h], 1) ** 2 * side / 2
        return np.concatenate([middle - half, middle + half], 1)
    if isinstance(opened.module, FCOS):
        middle = _middle(anchors)[0]
        left_top, right_bottom = np.split(codes(opened, rows), 2, axis=1)
        return np.concatenate([middle - left_top, middle + right_bottom], 1)
    return decode(anchors, codes(opened, rows))


def class_scores(opened: Opened, indices: Sequence[int] | np.ndarray) -> np.ndarray:
    """Scores [K, C] of all classes of anchors, as the family ranks them; [K, 1] for two stages.

    FCOS: the root of class probability times centerness; SSD: softmax, column 0 the background;
    YOLO: confidence times class probability.
    """
    rows = np.asarray(indices, np.int64)
    logits = device_tensor(opened, opened.logits[rows])
    if isinstance(opened.module, SSD):
        return _numbers(logits.softmax(-1))
    if isinstance(opened.module, GridDetector):
        return _numbers(logits.sigmoid()) * cell_classes(opened, rows)
    if opened.centerness is not None:
        centerness = device_tensor(opened, opened.centerness[rows]).sigmoid()
        return _numbers(torch.sqrt(logits.sigmoid() * centerness[:, None]))
    return _numbers(logits.sigmoid())


def cell_classes(opened: Opened, indices: Sequence[int] | np.ndarray) -> np.ndarray:
    """YOLO's class probabilities [K, C] of the cells that boxes belong to.

    Raises:
        ValueError: the network has no cells.
    """
    if opened.classes is None:
        raise ValueError(f"{opened.net.name} has no cells")
    cells = np.asarray(indices, np.int64) // opened.levels[0].per_place
    return _numbers(device_tensor(opened, opened.classes[cells]).softmax(-1))


def _confidence(opened: Opened, rows: np.ndarray) -> np.ndarray | None:
    if opened.centerness is not None:
        return _numbers(device_tensor(opened, opened.centerness[rows]).sigmoid())
    if isinstance(opened.module, GridDetector):
        return _numbers(device_tensor(opened, opened.logits[rows, 0]).sigmoid())
    return None


def _numbers(tensor: Tensor) -> np.ndarray:
    return np.asarray(tensor.detach().cpu().numpy())


def describe(opened: Opened, indices: Sequence[int] | np.ndarray | range) -> tuple[Anchor, ...]:
    """Everything about some anchors, e.g. those of a place (``coordinates.LevelPlace.anchors``).

    Raises:
        IndexError: there is no such anchor.
    """
    rows = np.asarray(indices, np.int64)
    field = opened.trace.field
    assert field is not None
    anchors_net = field.anchors_net[rows].astype(np.float64)
    anchors, boxes = photo_boxes(opened, anchors_net), photo_boxes(opened, field.boxes_net[rows])
    net, plain, scores = unclipped(opened, rows), codes(opened, rows), class_scores(opened, rows)
    first = 1 if isinstance(opened.module, SSD) else 0
    best = scores[:, first:].argmax(1) + first
    confidence, names = _confidence(opened, rows), code_names(opened)
    found = []
    for i, row in enumerate(rows.tolist()):
        level = opened.levels[int(field.level[row])]
        place, _ = divmod(row - level.start, level.per_place)
        width, height = (anchors_net[i, 2:] - anchors_net[i, :2]).tolist()
        found.append(
            Anchor(
                index=row,
                level=level.index,
                row=place // level.columns,
                column=place % level.columns,
                width=width,
                height=height,
                ratio=height / width,
                anchor=tuple(anchors[i].tolist()),
                box=tuple(boxes[i].tolist()),
                box_net=tuple(net[i].tolist()),
                code=dict(zip(names, plain[i].tolist(), strict=True)),
                score=float(scores[i, best[i]]),
                label=None if opened.two_stage else opened.trace.info.labels[best[i]],
                confidence=None if confidence is None else float(confidence[i]),
                fate=ANCHOR_FATES[int(field.fate[row])],
            )
        )
    return tuple(found)
