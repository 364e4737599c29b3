"""Faster, Mask and Keypoint R-CNN in stages, keeping what torchvision's forward throws away.

Follows torchvision.models.detection.{generalized_rcnn,rpn,roi_heads} stage by stage and calls
their own submodules, so that the numbers are theirs; only indices are kept along the way.
Sources: Ren et al. 2015 (Faster R-CNN), He et al. 2017 (Mask R-CNN).
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.rpn import concat_box_prediction_layers
from torchvision.ops import boxes as box_ops
from torchvision.ops.poolers import (
    MultiScaleRoIAlign,
    _filter_input,
    _multiscale_roi_align,
    _setup_scales,
)

from vision_core.inference.head_family import HeadFamily, Raw, RawField, SourceBox
from vision_core.inference.timing import Stopwatch
from vision_core.records import ANCHOR_FATES, Cut


@dataclass
class Proposals:
    """The RPN's answer with the anchor, level and objectness behind each proposal."""

    boxes: Tensor
    objectness: Tensor
    anchor: Tensor
    level: Tensor
    funnel: list[Cut]
    field: RawField


def anchors_of(module: Any, images: ImageList, features: list[Tensor]) -> Tensor:
    """Anchors [A, 4] of one image; a copy of the generator runs, because it stores tensors."""
    return copy.copy(module)(images, features)[0]


def pool_regions(
    pool: MultiScaleRoIAlign,
    features: dict[str, Tensor],
    boxes: Tensor,
    image_size: tuple[int, int],
) -> Tensor:
    """RoI Align of the boxes [K, 4], as ``pool.forward`` does it but without its memory.

    torchvision's module keeps the scales of the first picture it ever saw; here they are used
    where they are set and worked out afresh where they are not, and nothing is stored.
    """
    kept = _filter_input(features, pool.featmap_names)
    scales, mapper = pool.scales, pool.map_levels
    if scales is None or mapper is None:
        scales, mapper = _setup_scales(
            kept, [image_size], pool.canonical_scale, pool.canonical_level
        )
    return _multiscale_roi_align(
        kept, [boxes], pool.output_size, pool.sampling_ratio, scales, mapper
    )


def pool_each(
    pool: MultiScaleRoIAlign,
    features: dict[str, Tensor],
    boxes: Tensor,
    image_size: tuple[int, int],
) -> Tensor:
    """RoI Align of box n in picture n of a batch."""
    return torch.cat(
        [
            pool_regions(
                pool, {k: v[n : n + 1] for k, v in features.items()}, boxes[n : n + 1], image_size
            )
            for n in range(len(boxes))
        ]
    )


def propose(rpn: Any, images: ImageList, features: dict[str, Tensor]) -> Proposals:
    """Run the RPN on one image (torchvision ``RegionProposalNetwork.forward``), with indices."""
    maps = list(features.values())
    objectness, deltas = rpn.head(maps)
    anchors = anchors_of(rpn.anchor_generator, images, maps)
    per_level = [o[0].numel() for o in objectness]
    logits, deltas = concat_box_prediction_layers(objectness, deltas)
    boxes = rpn.box_coder.decode(deltas, [anchors]).view(-1, 4)
    logits = logits.flatten()
    levels = torch.repeat_interleave(
        torch.arange(len(per_level), device=logits.device),
        torch.tensor(per_level, device=logits.device),
    )
    boxes = box_ops.clip_boxes_to_image(boxes, images.image_sizes[0])
    scores = torch.sigmoid(logits)
    fate = torch.full_like(levels, ANCHOR_FATES.index("rpn_pre_nms"), dtype=torch.uint8)
    field = RawField(anchors, boxes, scores, levels, fate, "objectness")
    index = rpn._get_top_n_idx(logits[None], per_level)[0]
    return _suppress_proposals(rpn, index, field)


def _suppress_proposals(rpn: Any, index: Tensor, field: RawField) -> Proposals:
    """The second half of ``RegionProposalNetwork.filter_proposals``, from the top-n on.

    Every anchor's fate is booked in ``field`` on the way.
    """
    top = rpn.post_nms_top_n()
    funnel = [
        Cut("anchors", len(field.scores), None, "anchor boxes laid over all pyramid levels"),
        Cut("rpn_pre_nms", len(index), rpn.pre_nms_top_n(), "best objectness on each level"),
    ]

    def cut(keep: Tensor, name: str, limit: float, text: str) -> None:
        nonlocal index
        field.fate[index] = ANCHOR_FATES.index(name)
        index = index[keep]
        funnel.append(Cut(name, len(index), limit, text))

    boxes, scores = field.boxes_net, field.scores
    cut(
        box_ops.remove_small_boxes(boxes[index], rpn.min_size),
        "tiny",
        rpn.min_size,
        "boxes with a size",
    )
    cut(
        torch.where(scores[index] >= rpn.score_thresh)[0],
        "rpn_score",
        rpn.score_thresh,
        "objectness at or above the RPN's own threshold",
    )
    keep = box_ops.batched_nms(boxes[index], scores[index], field.level[index], rpn.nms_thresh)
    cut(keep, "rpn_nms", rpn.nms_thresh, "left by the RPN's own NMS, level by level")
    cut(
        torch.arange(min(top, len(index)), device=index.device),
        "rpn_post_nms",
        top,
        "proposals handed to the box head",
    )
    field.fate[index] = ANCHOR_FATES.index("source")
    return Proposals(boxes[index], scores[index], index, field.level[index], funnel, field)


def decode(
    heads: Any,
    features: dict[str, Tensor],
    proposals: Proposals,
    image_size: tuple[int, int],
    floor: float,
    watch: Stopwatch,
) -> Raw:
    """Box head and ``RoIHeads.postprocess_detections`` up to the score filter, at the floor."""
    pooled = pool_regions(heads.box_roi_pool, features, proposals.boxes, image_size)
    watch.lap("RoI Align")
    logits, deltas = heads.box_predictor(heads.box_head(pooled))
    watch.lap("box head")
    probabilities = F.softmax(logits, -1)
    boxes = heads.box_coder.decode(deltas, [proposals.boxes])
    boxes = box_ops.clip_boxes_to_image(boxes, image_size)
    classes = logits.shape[-1]
    boxes = boxes[:, 1:].reshape(-1, 4)
    scores = probabilities[:, 1:].reshape(-1)
    funnel = proposals.funnel
    funnel.append(
        Cut(
            "proposals_x_classes",
            len(scores),
            None,
            f"one box per proposal for each of {classes - 1} classes",
        )
    )
    kept = torch.where(scores > floor)[0]
    funnel.append(Cut("score_floor", len(kept), floor, "score above the floor of the trace"))
    kept = kept[box_ops.remove_small_boxes(boxes[kept], min_size=1e-2)]
    funnel.append(Cut("tiny", len(kept), 1e-2, "candidates with a size"))
    source = torch.div(kept, classes - 1, rounding_mode="floor")
    return Raw(
        boxes_net=boxes[kept],
        scores=scores[kept],
        label_ids=kept % (classes - 1) + 1,
        source=source,
        level=proposals.level[source],
        class_scores=probabilities,
        source_boxes_net=proposals.boxes,
        source_objectness=proposals.objectness,
        source_index=proposals.anchor,
        funnel=funnel,
        field=proposals.field,
    )


class TwoStage(HeadFamily):
    """Faster, Mask and Keypoint R-CNN; boxes stem from proposals, objectness from the RPN."""

    kind = FasterRCNN
    names = ("faster_rcnn", "mask_rcnn", "keypoint_rcnn")
    has_objectness = True

    def name(self, module: Any) -> str:
        return {"keypoints": "keypoint_rcnn", "masks": "mask_rcnn"}.get(
            self.part_kind(module) or "", "faster_rcnn"
        )

    def label_count(self, module: Any) -> int:
        return int(module.roi_heads.box_predictor.cls_score.out_features)

    def threshold_holder(self, module: Any) -> Any:
        return module.roi_heads

    def part_kind(self, module: Any) -> str | None:
        if module.roi_heads.has_keypoint():
            return "keypoints"
        return "masks" if module.roi_heads.has_mask() else None

    def part_levels(self, module: Any) -> tuple[str, ...]:
        pool = module.roi_heads.mask_roi_pool or module.roi_heads.keypoint_roi_pool
        return () if pool is None else tuple(pool.featmap_names)

    def candidates(
        self,
        module: Any,
        images: ImageList,
        features: dict[str, Tensor],
        floor: float,
        watch: Stopwatch,
    ) -> Raw:
        proposals = propose(module.rpn, images, features)
        watch.lap("RPN")
        return decode(module.roi_heads, features, proposals, images.image_sizes[0], floor, watch)

    def dense(self, module: Any, features: dict[str, Tensor]) -> Any:
        return module.rpn.head(list(features.values()))

    def logit_at(self, module: Any, features: dict[str, Tensor], source: SourceBox) -> Tensor:
        return self._second_stage(module, features, source)[0][:, source.label]

    def objectness_at(self, module: Any, features: dict[str, Tensor], source: SourceBox) -> Tensor:
        logits, _ = concat_box_prediction_layers(*self.dense(module, features))
        return logits.reshape(len(source.boxes), -1)[:, source.index]

    def box_at(self, module: Any, features: dict[str, Tensor], source: SourceBox) -> Tensor:
        deltas = self._second_stage(module, features, source)[1]
        boxes = module.roi_heads.box_coder.decode(deltas, [source.boxes])
        return boxes.reshape(len(source.boxes), -1, 4)[:, source.label]

    def _second_stage(
        self, module: Any, features: dict[str, Tensor], source: SourceBox
    ) -> tuple[Tensor, Tensor]:
        """Class logits ``[N, C]`` and box deltas ``[N, 4 C]`` of one proposal in every picture."""
        roi = module.roi_heads
        pooled = pool_each(roi.box_roi_pool, features, source.boxes, source.size)
        logits, deltas = roi.box_predictor(roi.box_head(pooled))
        return logits, deltas
