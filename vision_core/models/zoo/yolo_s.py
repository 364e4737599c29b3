"""``yolo_s``: the grid detector of Redmon et al., one network pass and one tensor.

Redmon, Divvala, Girshick and Farhadi, "You Only Look Once: Unified, Real-Time Object Detection"
(2016). The picture is squashed to a square and divided into S x S cells. Each cell predicts B boxes
with a confidence each, and once the probabilities of the C classes: S x S x (5B + C) numbers. The
cell that holds the middle of an object is responsible for it. Deviations from the paper: a
residual trunk, a convolution in place of the fully connected layers, and squashing functions
(sigmoid, softmax) in place of linear outputs.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.transform import GeneralizedRCNNTransform
from torchvision.ops import batched_nms, box_iou

from vision_core.models.zoo.fcos_s import LABELS
from vision_core.models.zoo.trunk import WIDE, WIDE_DEPTHS, Trunk

SIDE = 320
"""Side of the square that every picture is squashed to, in pixels."""
BOXES = 2
"""B, boxes of each cell."""
MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
COORDINATES, EMPTY = 5.0, 0.5
"""Weights of the loss: of the boxes, and of the confidence of boxes that hold nothing."""


class LastMap(nn.Module):
    """The residual trunk; ``forward`` returns its map at stride 32 alone, ``[N, C, h, w]``."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = Trunk(WIDE_DEPTHS, WIDE)
        self.out_channels = self.trunk.out_widths[-1]

    def forward(self, x: Tensor) -> Tensor:
        return self.trunk(x)[-1]


class GridHead(nn.Module):
    """Two convolutions to the tensor of the paper.

    ``forward`` takes ``[map]`` with ``[N, channels, S, S]`` and returns
    ``{"grid": [N, S * S, 5 * boxes + classes]}``, row by row: for each box x, y, w, h and
    confidence, then the classes; before sigmoid and softmax.
    """

    def __init__(self, channels: int, boxes: int, classes: int, hidden: int = 192) -> None:
        super().__init__()
        self.boxes, self.num_classes = boxes, classes
        self.hidden = nn.Sequential(
            nn.Conv2d(channels, hidden, 3, padding=1, bias=False),
            nn.BatchNorm2d(hidden),
            nn.ReLU(inplace=True),
        )
        self.output = nn.Conv2d(hidden, 5 * boxes + classes, 1)
        nn.init.normal_(self.output.weight, std=0.01)
        assert self.output.bias is not None
        nn.init.zeros_(self.output.bias)

    def forward(self, maps: list[Tensor]) -> dict[str, Tensor]:
        out = self.output(self.hidden(maps[-1]))
        return {"grid": out.flatten(2).transpose(1, 2)}


def decode(grid: Tensor, boxes: int, side: int) -> tuple[Tensor, Tensor, Tensor]:
    """Turn the head's numbers into boxes and probabilities.

    A box's middle lies within its cell; its width and height are shares of the picture, whose
    square roots the network gives, since a small error counts more on a small box.

    Args:
        grid: ``[N, S * S, 5 * boxes + C]``, as ``GridHead`` returns it.
        boxes: B.
        side: of the network's square input, pixels.

    Returns:
        boxes ``[N, S * S, B, 4]`` x1, y1, x2, y2 in network pixels, not clipped; confidences
        ``[N, S * S, B]`` and class probabilities ``[N, S * S, C]``, 0..1.
    """
    parts = grid[..., : 5 * boxes].unflatten(-1, (boxes, 5)).sigmoid()
    middle = cell_corners(grid.shape[1], grid.device)[:, None] + parts[..., :2]
    cells = round(grid.shape[1] ** 0.5)
    middle = middle * (side / cells)
    half = parts[..., 2:4].square() * (side / 2)
    corners = torch.cat([middle - half, middle + half], -1)
    return corners, parts[..., 4], grid[..., 5 * boxes :].softmax(-1)


def cell_corners(cells: int, device: torch.device) -> Tensor:
    """Return ``[S * S, 2]``: column and row of each cell."""
    side = round(cells**0.5)
    row, column = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    return torch.stack([column, row], -1).reshape(-1, 2).to(device)


class GridDetector(nn.Module):
    """A detector that is called as torchvision's are.

    ``forward`` takes a list of ``(3, H, W)`` pictures in 0..1 of any sizes. In eval mode it returns
    for each a dict of ``boxes [K, 4]`` (pixels of the picture), ``labels [K]`` and ``scores [K]``,
    best first; in training mode, given ``targets`` with ``boxes`` and ``labels``, a dict of losses.

    Args:
        classes: C.
        score_thresh: lowest score of a detection; the score is confidence times class probability.
        nms_thresh: IoU above which the worse box of a class is dropped.
        detections_per_img: most detections.
    """

    def __init__(
        self,
        classes: int,
        score_thresh: float = 0.3,
        nms_thresh: float = 0.5,
        detections_per_img: int = 50,
    ) -> None:
        super().__init__()
        self.transform = GeneralizedRCNNTransform(SIDE, SIDE, MEAN, STD, fixed_size=(SIDE, SIDE))
        self.backbone = LastMap()
        self.head = GridHead(self.backbone.out_channels, BOXES, classes)
        self.score_thresh, self.nms_thresh = score_thresh, nms_thresh
        self.detections_per_img = detections_per_img

    def forward(self, images: list[Tensor], targets: list[dict[str, Tensor]] | None = None) -> Any:
        sizes = [(int(image.shape[-2]), int(image.shape[-1])) for image in images]
        batch, targets = self.transform(images, targets)
        grid = self.head([self.backbone(batch.tensors)])["grid"]
        if self.training:
            assert targets is not None
            return grid_loss(grid.float(), targets, self.head.boxes, batch.tensors.shape[-1])
        return self.transform.postprocess(self._detections(grid, batch), batch.image_sizes, sizes)

    def _detections(self, grid: Tensor, batch: ImageList) -> list[dict[str, Tensor]]:
        side = batch.tensors.shape[-1]
        results = []
        for boxes, confidence, classes in zip(*decode(grid, self.head.boxes, side), strict=True):
            scores = (confidence[:, :, None] * classes[:, None]).flatten()
            kept = torch.where(scores > self.score_thresh)[0]
            scores, labels = scores[kept], kept % self.head.num_classes
            rows = torch.div(kept, self.head.num_classes, rounding_mode="floor")
            corners = boxes.flatten(0, 1).clamp(0, side)[rows]
            best = batched_nms(corners, scores, labels, self.nms_thresh)[: self.detections_per_img]
            results.append({"boxes": corners[best], "scores": scores[best], "labels": labels[best]})
        return results


def grid_loss(
    grid: Tensor, targets: list[dict[str, Tensor]], boxes: int, side: int
) -> dict[str, Tensor]:
    """The paper's sum of squares, mean over the pictures.

    Of the boxes of a responsible cell the one with the best IoU learns the object's box, with its
    present IoU as the confidence to reach; all others learn confidence 0. Where the middles of
    several objects lie in one cell, the smallest has it.

    Args:
        grid: ``[N, S * S, 5 * boxes + C]``.
        targets: per picture ``boxes [K, 4]`` in network pixels and ``labels [K]``.
        boxes: B.
        side: of the network's square input, pixels.
    """
    corners, confidence, classes = decode(grid, boxes, side)
    parts = grid[..., : 5 * boxes].unflatten(-1, (boxes, 5)).sigmoid()
    wanted = torch.zeros_like(confidence)
    weight = torch.full_like(confidence, EMPTY)
    losses = {name: grid.new_zeros(()) for name in ("middle", "size", "classes")}
    for n, target in enumerate(targets):
        cells = responsible(target["boxes"], grid.shape[1], side)
        for k, cell in cells:
            box, label = target["boxes"][k], target["labels"][k]
            overlap = box_iou(corners[n, cell].detach(), box[None])[:, 0]
            best = int(overlap.argmax())
            wanted[n, cell, best], weight[n, cell, best] = overlap[best], 1.0
            xy, roots = in_cell(box, cell, grid.shape[1], side)
            said = parts[n, cell, best]
            losses["middle"] = losses["middle"] + COORDINATES * (said[:2] - xy).square().sum()
            losses["size"] = losses["size"] + COORDINATES * (said[2:4] - roots).square().sum()
            truth = F.one_hot(label, classes.shape[-1])
            losses["classes"] = losses["classes"] + (classes[n, cell] - truth).square().sum()
    losses["confidence"] = (weight * (confidence - wanted).square()).sum()
    return {name: value / len(targets) for name, value in losses.items()}


def responsible(boxes: Tensor, cells: int, side: int) -> list[tuple[int, int]]:
    """Return (object, cell) for the cells that hold a middle of ``boxes [K, 4]``, one each."""
    per_side = round(cells**0.5)
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2 * (per_side / side)
    column, row = middle.long().clamp(0, per_side - 1).unbind(1)
    area = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    owner: dict[int, int] = {}
    cell = (row * per_side + column).tolist()
    for k in area.argsort(descending=True).tolist():
        owner[cell[k]] = k  # a smaller one takes it over
    return [(k, c) for c, k in owner.items()]


def in_cell(box: Tensor, cell: int, cells: int, side: int) -> tuple[Tensor, Tensor]:
    """Return the middle of a box within its cell, and the roots of its shares of the picture."""
    per_side = round(cells**0.5)
    middle = (box[:2] + box[2:]) / 2 * (per_side / side)
    corner = middle.new_tensor([cell % per_side, cell // per_side])
    return middle - corner, ((box[2:] - box[:2]) / side).clamp(min=0).sqrt()


def small_yolo() -> GridDetector:
    """Return ``yolo_s`` with random weights; label ids are indices into ``fcos_s.LABELS``."""
    return GridDetector(len(LABELS))
