"""The grid detector (YOLO) in stages, keeping what its forward throws away.

Redmon et al., "You Only Look Once" (2016). Follows ``models.zoo.yolo_s.GridDetector`` at the floor
of the trace. A box of a cell stands where other families have an anchor: row ``cell * B + box``.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torchvision.models.detection.image_list import ImageList

from vision_core.inference.head_family import HeadFamily, Raw, RawField, SourceBox
from vision_core.inference.timing import Stopwatch
from vision_core.models.zoo.yolo_s import GridDetector, cell_corners, decode
from vision_core.records import ANCHOR_FATES, Cut


def decode_grid(module: Any, images: ImageList, heads: dict[str, Tensor], floor: float) -> Raw:
    """Candidates of a grid detector from its head's output for one picture.

    Args:
        module: a ``GridDetector``.
        images: the transformed picture.
        heads: what ``module.head`` returned.
        floor: scores at or below are dropped.
    """
    side, per_cell = images.tensors.shape[-1], module.head.boxes
    boxes, confidence, classes = (part[0] for part in decode(heads["grid"], per_cell, side))
    cells = len(boxes)
    boxes = boxes.flatten(0, 1).clamp(0, side)
    every = confidence[:, :, None] * classes[:, None]
    flat = every.flatten()
    kept = torch.where(flat > floor)[0]
    row = torch.div(kept, module.head.num_classes, rounding_mode="floor")
    used, source = torch.unique(row, return_inverse=True)
    squares = _cell_squares(cells, per_cell, side, boxes.device)
    scores = every.flatten(0, 1)
    fate = torch.full_like(row.new_zeros(len(boxes)), ANCHOR_FATES.index("score_floor"))
    fate[used] = ANCHOR_FATES.index("source")
    level = row.new_zeros(len(boxes))
    field = RawField(squares, boxes, scores.amax(1), level, fate.to(torch.uint8))
    funnel = [
        Cut("anchors", len(boxes), None, f"{per_cell} boxes in each of {cells} cells"),
        Cut(
            "anchors_x_classes",
            len(flat),
            None,
            f"one score for each of {module.head.num_classes} labels",
        ),
        Cut("score_floor", len(kept), floor, "score above the floor of the trace"),
    ]
    return Raw(
        boxes_net=boxes[row],
        scores=flat[kept],
        label_ids=kept % module.head.num_classes,
        source=source,
        level=level[row],
        class_scores=classes.repeat_interleave(per_cell, 0)[used],
        source_boxes_net=squares[used],
        source_objectness=confidence.flatten()[used],
        source_index=used,
        funnel=funnel,
        field=field,
    )


def _cell_squares(cells: int, per_cell: int, side: int, device: torch.device) -> Tensor:
    """``[cells * per_cell, 4]``: the square of the cell behind each box, network pixels."""
    width = side / round(cells**0.5)
    low = cell_corners(cells, device) * width
    return torch.cat([low, low + width], 1).float().repeat_interleave(per_cell, 0)


class GridHeads(HeadFamily):
    """YOLO: boxes of cells, with a confidence that multiplies the classes of the cell."""

    kind = GridDetector
    names = ("yolo",)
    has_objectness = True

    def score_words(self, score: float, own: float, objectness: float) -> str:
        return f"Score {score:.3f} = class {own:.3f} x confidence {objectness:.3f}."

    def label_count(self, module: Any) -> int:
        return int(module.head.num_classes)

    def candidates(
        self,
        module: Any,
        images: ImageList,
        features: dict[str, Tensor],
        floor: float,
        watch: Stopwatch,
    ) -> Raw:
        heads = self.dense(module, features)
        watch.lap("heads")
        return decode_grid(module, images, heads, floor)

    def logit_at(self, module: Any, features: dict[str, Tensor], source: SourceBox) -> Tensor:
        cell = source.index // module.head.boxes
        return self._grid(module, features)[:, cell, 5 * module.head.boxes + source.label]

    def objectness_at(self, module: Any, features: dict[str, Tensor], source: SourceBox) -> Tensor:
        cell, box = divmod(source.index, module.head.boxes)
        return self._grid(module, features)[:, cell, 5 * box + 4]

    def box_at(self, module: Any, features: dict[str, Tensor], source: SourceBox) -> Tensor:
        cell, box = divmod(source.index, module.head.boxes)
        boxes = decode(self._grid(module, features), module.head.boxes, source.size[1])[0]
        return boxes[:, cell, box]

    def _grid(self, module: Any, features: dict[str, Tensor]) -> Tensor:
        grid: Tensor = self.dense(module, features)["grid"]
        return grid
