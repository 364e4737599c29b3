"""RetinaNet, FCOS and SSD in stages, keeping what torchvision's forward throws away.

Follows the ``postprocess_detections`` of torchvision.models.detection.{retinanet,fcos,ssd} at the
floor of the trace. Sources: Lin et al. 2017 (RetinaNet), Tian et al. 2019 (FCOS), Liu et al. 2016
(SSD).
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models.detection import FCOS, RetinaNet
from torchvision.models.detection._utils import _topk_min
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.ssd import SSD
from torchvision.ops import boxes as box_ops

from vision_core.inference.head_family import HeadFamily, Raw, RawField, SourceBox
from vision_core.inference.timing import Stopwatch
from vision_core.inference.two_stage import anchors_of
from vision_core.records import ANCHOR_FATES, Cut


def _decode_dense(
    family: AnchorHeads,
    module: Any,
    anchors: Tensor,
    heads: dict[str, Tensor],
    image_size: tuple[int, int],
    floor: float,
    per_level: list[int],
) -> Raw:
    """RetinaNet and FCOS: every level on its own, the best ``topk_candidates`` of each."""
    logits, deltas = heads["cls_logits"], heads["bbox_regression"]
    class_scores = torch.sigmoid(logits)
    centerness, scores_all = torch.ones_like(logits[:, 0]), class_scores
    if family.has_objectness:
        centerness = torch.sigmoid(heads["bbox_ctrness"])[:, 0]
        scores_all = torch.sqrt(class_scores * centerness[:, None])
    classes = logits.shape[-1]
    flat = scores_all.flatten()
    rows: list[Tensor] = []
    levels: list[Tensor] = []
    above, start, ties = 0, 0, set()
    for level, count in enumerate(per_level):
        best, passed, tied = _top(flat[start * classes : (start + count) * classes], floor, module)
        above += passed
        ties |= {level} if tied else set()
        rows.append(best + start * classes)
        levels.append(torch.full_like(best, level))
        start += count
    row = torch.cat(rows)
    anchor = torch.div(row, classes, rounding_mode="floor")
    boxes = box_ops.clip_boxes_to_image(family.boxes(module, deltas, anchors), image_size)
    field = _field(anchors, boxes, scores_all, per_level, anchor, floor, "level_topk")
    funnel = [
        Cut("anchors", len(anchors), None, f"{family.places} on all pyramid levels"),
        Cut("anchors_x_classes", logits.numel(), None, f"one score for each of {classes} labels"),
        Cut("score_floor", above, floor, "score above the floor of the trace"),
        Cut("level_topk", len(row), module.topk_candidates, "best scores on each level"),
    ]
    group = torch.cat(levels)
    raw = _finish(flat[row], row % classes, anchor, class_scores, centerness, field, funnel)
    raw.group, raw.position, raw.topk = group, row, module.topk_candidates
    raw.edge_ties = frozenset(ties)
    return raw


def _decode_ssd(
    family: AnchorHeads,
    module: Any,
    anchors: Tensor,
    heads: dict[str, Tensor],
    image_size: tuple[int, int],
    floor: float,
    per_level: list[int],
) -> Raw:
    """SSD and SSDlite: every class on its own, the best ``topk_candidates`` of each."""
    class_scores = F.softmax(heads["cls_logits"], dim=-1)
    boxes = family.boxes(module, heads["bbox_regression"], anchors)
    boxes = box_ops.clip_boxes_to_image(boxes, image_size)
    classes = class_scores.shape[-1]
    index: list[Tensor] = []
    labels: list[Tensor] = []
    above, ties = 0, set()
    for label in range(1, classes):
        best, passed, tied = _top(class_scores[:, label], floor, module)
        above += passed
        ties |= {label} if tied else set()
        index.append(best)
        labels.append(torch.full_like(best, label))
    anchor = torch.cat(index)
    funnel = [
        Cut("anchors", len(anchors), None, f"{family.places} on all feature maps"),
        Cut(
            "anchors_x_classes",
            len(anchors) * (classes - 1),
            None,
            f"one score for each of {classes - 1} classes",
        ),
        Cut("score_floor", above, floor, "score above the floor of the trace"),
        Cut("class_topk", len(anchor), module.topk_candidates, "best scores of each class"),
    ]
    group = torch.cat(labels)
    field = _field(anchors, boxes, class_scores[:, 1:], per_level, anchor, floor, "class_topk")
    raw = _finish(
        class_scores[anchor, group],
        group,
        anchor,
        class_scores,
        torch.ones_like(boxes[:, 0]),
        field,
        funnel,
    )
    raw.group, raw.position, raw.topk = group, anchor, module.topk_candidates
    raw.edge_ties = frozenset(ties)
    return raw


def _top(scores: Tensor, floor: float, module: Any) -> tuple[Tensor, int, bool]:
    """Indices of the best ``topk_candidates`` scores above the floor, how many are above it, and
    whether one that was cut equals the last one taken.

    Where as many lie above the network's own threshold, the top-k is taken from those alone: it
    finds the same scores, but which of several equal ones it finds, and in which order, is then
    torchvision's own choice.
    """
    index = torch.where(scores > floor)[0]
    passed = len(index)
    confident = index[scores[index] > module.score_thresh]
    if len(confident) >= module.topk_candidates:
        index = confident
    top = scores[index].topk(_topk_min(index, module.topk_candidates, 0))
    last = top.values[-1:]
    tied = bool((scores == last).sum() > (top.values == last).sum()) if len(last) else False
    return index[top.indices], passed, tied


def _field(
    anchors: Tensor,
    boxes: Tensor,
    scores: Tensor,
    per_level: list[int],
    used: Tensor,
    floor: float,
    cut: str,
) -> RawField:
    """What became of every anchor, by its best class: below the floor, cut by a top-k, or used."""
    best = scores.max(dim=1).values
    fate = torch.full_like(best, ANCHOR_FATES.index(cut), dtype=torch.uint8)
    fate[~(best > floor)] = ANCHOR_FATES.index("score_floor")
    fate[used] = ANCHOR_FATES.index("source")
    level = torch.repeat_interleave(
        torch.arange(len(per_level), device=best.device),
        torch.tensor(per_level, device=best.device),
    )
    return RawField(anchors, boxes, best, level, fate)


def _finish(
    scores: Tensor,
    labels: Tensor,
    anchor: Tensor,
    class_scores: Tensor,
    objectness: Tensor,
    field: RawField,
    funnel: list[Cut],
) -> Raw:
    """Keep the class scores of the anchors behind candidates only."""
    used, source = torch.unique(anchor, return_inverse=True)
    return Raw(
        boxes_net=field.boxes_net[anchor],
        scores=scores,
        label_ids=labels,
        source=source,
        level=field.level[anchor],
        class_scores=class_scores[used],
        source_boxes_net=field.anchors_net[used],
        source_objectness=objectness[used],
        source_index=used,
        funnel=funnel,
        field=field,
    )


class AnchorHeads(HeadFamily):
    """RetinaNet: class scores and box deltas at every anchor, the best of each level."""

    kind: type[nn.Module] = RetinaNet
    names: tuple[str, ...] = ("retinanet",)
    activation = "sigmoid"
    places = "anchor boxes"
    _decode = staticmethod(_decode_dense)

    def label_count(self, module: Any) -> int:
        return int(module.head.classification_head.num_classes)

    def boxes(self, module: Any, deltas: Tensor, anchors: Tensor) -> Tensor:
        """Boxes ``[M, 4]`` of M anchors from what the head put out, not clipped."""
        decoded: Tensor = module.box_coder.decode_single(deltas, anchors)
        return decoded

    def candidates(
        self,
        module: Any,
        images: ImageList,
        features: dict[str, Tensor],
        floor: float,
        watch: Stopwatch,
    ) -> Raw:
        heads = {name: value[0] for name, value in self.dense(module, features).items()}
        watch.lap("heads")
        maps = list(features.values())
        anchors = anchors_of(module.anchor_generator, images, maps)
        per_cell = module.anchor_generator.num_anchors_per_location()
        per_level = [m.shape[-2] * m.shape[-1] * n for m, n in zip(maps, per_cell, strict=True)]
        return self._decode(self, module, anchors, heads, images.image_sizes[0], floor, per_level)

    def logit_at(self, module: Any, features: dict[str, Tensor], source: SourceBox) -> Tensor:
        out = self.dense(module, features)
        logits: Tensor = out["cls_logits"][:, source.index, source.label]
        return logits

    def box_at(self, module: Any, features: dict[str, Tensor], source: SourceBox) -> Tensor:
        deltas = self.dense(module, features)["bbox_regression"][:, source.index]
        return self.boxes(module, deltas, source.boxes)


class FcosHeads(AnchorHeads):
    """FCOS: locations in place of anchors; the score is a product with the centerness."""

    kind = FCOS
    names = ("fcos",)
    has_objectness = True
    places = "locations"

    def score_words(self, score: float, own: float, objectness: float) -> str:
        return f"Score {score:.3f} = √(class {own:.3f} x centerness {objectness:.3f})."

    def boxes(self, module: Any, deltas: Tensor, anchors: Tensor) -> Tensor:
        decoded: Tensor = module.box_coder.decode(deltas, anchors)
        return decoded

    def objectness_at(self, module: Any, features: dict[str, Tensor], source: SourceBox) -> Tensor:
        logits: Tensor = self.dense(module, features)["bbox_ctrness"][:, source.index, 0]
        return logits


class SsdHeads(AnchorHeads):
    """SSD and SSDlite: softmax with a background, the best of each class."""

    kind = SSD
    names = ("ssd", "ssdlite")
    activation = HeadFamily.activation
    places = "default boxes"
    _decode = staticmethod(_decode_ssd)

    def label_count(self, module: Any) -> int:
        return int(module.head.classification_head.num_columns)
