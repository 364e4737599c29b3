"""Masks and keypoints of the boxes that are shown: their heads run after selection.

A head runs at most once for a candidate, whatever the sliders do; what it said is kept.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torchvision.models.detection.roi_heads import keypointrcnn_inference
from torchvision.models.detection.transform import resize_keypoints

from vision_core import devices
from vision_core.images import Photo
from vision_core.inference.detection import features_of, frozen
from vision_core.inference.families import Network, heads_of, network
from vision_core.inference.two_stage import pool_regions
from vision_core.records import DetectionTrace, Keypoints

HEATMAP_LOGIT = "heatmap logit"  # torchvision's keypoints_scores are these, not probabilities
# Per trace. A mask of 28x28 floats takes 3 kB, the heatmaps of 17 joints at 56x56 take 213 kB:
# 10,000 masks or 150 persons.
MAX_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True, eq=False)
class Regions:
    """What the mask and joint heads read of some candidates.

    Attributes:
        boxes: float32 [K, 4], photo pixels.
        boxes_net: float32 [K, 4], network pixels.
        label_ids: int64 [K].
    """

    boxes: np.ndarray
    boxes_net: np.ndarray
    label_ids: np.ndarray


Rows = list[tuple[np.ndarray, ...]]
"""Of each candidate its mask [28, 28], or its joints [J, 2], their scores [J] and the heatmaps."""


class PartSource:
    """Masks or keypoints for the candidates of one trace, made on demand.

    Args:
        model: the model or torchvision module that made the trace.
        photo: the photo that it was made from.
        trace: the trace.

    Attributes:
        kind: ``masks``, ``keypoints``, or ``None`` for a network without such a head.
        reran: the backbone had to run once more since its features were no longer cached.
    """

    def __init__(self, model: Any, photo: Photo, trace: DetectionTrace) -> None:
        self._net = network(model)
        self._photo = photo
        self._trace = trace
        self._lock = threading.Lock()
        self._held: OrderedDict[int, tuple[np.ndarray, ...]] = OrderedDict()
        self.reran = False
        self.kind = part_kind(self._net)

    def masks(self, candidates: Sequence[int] | np.ndarray) -> np.ndarray:
        """Mask probabilities of the given candidates, float32 [K, 28, 28].

        Raises:
            ValueError: the network has no mask head.
        """
        rows = self._get(candidates, "masks")
        side = int(self._mask_side()) if not rows else rows[0][0].shape[-1]
        return np.stack([r[0] for r in rows]) if rows else np.zeros((0, side, side), np.float32)

    def keypoints(self, candidates: Sequence[int] | np.ndarray) -> Keypoints:
        """Joints of the given candidates in photo pixels, with scores named for what they are.

        Raises:
            ValueError: the network has no keypoint head.
        """
        rows = self._get(candidates, "keypoints")
        joints = self._trace.joints
        kind = HEATMAP_LOGIT
        if self._net.detector is not None:
            from vision_core.inference.pose import NO_SCORE, SCORE_KIND

            kind = NO_SCORE if self._net.family == "pose_regression" else SCORE_KIND
        return Keypoints(
            xy=np.stack([r[0] for r in rows])
            if rows
            else np.zeros((0, len(joints), 2), np.float32),
            scores=np.stack([r[1] for r in rows])
            if rows
            else np.zeros((0, len(joints)), np.float32),
            score_kind=kind,
            names=joints,
            skeleton=self._trace.skeleton,
        )

    def heatmaps(self, candidates: Sequence[int] | np.ndarray) -> np.ndarray:
        """Heatmap logits of the given candidates as the head gave them, float32 [K, J, h, w].

        Raises:
            ValueError: the network has no keypoint head, or one without heatmaps.
        """
        if self._net.family == "pose_regression":
            raise ValueError(f"{self._net.name} has no heatmaps")
        rows = self._get(candidates, "keypoints")
        joints = len(self._trace.joints)
        return np.stack([r[2] for r in rows]) if rows else np.zeros((0, joints, 0, 0), np.float32)

    def _get(self, candidates: Sequence[int] | np.ndarray, kind: str) -> Rows:
        if kind != self.kind:
            raise ValueError(f"{self._net.name} has no {kind}")
        wanted = [int(c) for c in candidates]
        with self._lock:
            missing = [c for c in dict.fromkeys(wanted) if c not in self._held]
            if missing:
                made = self._run(missing)
                self._held.update(zip(missing, made, strict=True))
            rows = [self._held[c] for c in wanted]
            for candidate in wanted:
                self._held.move_to_end(candidate)
            self._forget(len(set(wanted)))
        return rows

    def _forget(self, at_least: int) -> None:
        """Let the longest unseen candidates go until the rest fits; never those just asked for."""
        each = sum(array.nbytes for array in next(iter(self._held.values()), ()))
        fits = max(at_least, MAX_BYTES // max(each, 1))
        while len(self._held) > fits:
            self._held.popitem(last=False)

    def _run(self, candidates: list[int]) -> Rows:
        made = self._trace
        regions = Regions(
            made.boxes[candidates], made.boxes_net[candidates], made.label_ids[candidates]
        )
        rows, again = self._heads(regions)
        self.reran = self.reran or again
        return rows

    def _heads(self, regions: Regions) -> tuple[Rows, bool]:
        """Where the heads run: here, or wherever a kind of source sends them."""
        return run_heads(self._net, self._photo, regions)

    def _mask_side(self) -> int:
        heads: Any = self._net.module.roi_heads
        return int(heads.mask_roi_pool.output_size[0]) * 2  # the predictor doubles it


def part_kind(net: Network) -> str | None:
    """``masks``, ``keypoints``, or ``None`` for a network without such a head."""
    if net.detector is not None:
        return "keypoints"
    heads = heads_of(net.module)
    return None if heads is None else heads.part_kind(net.module)


def run_heads(net: Network, photo: Photo, regions: Regions) -> tuple[Rows, bool]:
    """What the mask or joint head says of some candidates, and whether the backbone ran for it.

    Args:
        net: a network with such a head, or of top-down pose.
        photo: the photo.
        regions: of the candidates.
    """
    with torch.inference_mode():
        if net.detector is not None:
            return _run_pose(net, photo, regions), False
        return _run_branch(net, photo, regions)


def _run_branch(net: Network, photo: Photo, regions: Regions) -> tuple[Rows, bool]:
    """The mask or keypoint branch of torchvision's ``RoIHeads.forward``."""
    features, size, again = features_of(net, photo)
    heads: Any = net.module.roi_heads
    boxes = torch.tensor(regions.boxes_net, device=net.device)
    with devices.forward_slot():
        if part_kind(net) == "masks":
            pooled = pool_regions(heads.mask_roi_pool, features, boxes, size)
            logits = heads.mask_predictor(heads.mask_head(pooled))
            labels = torch.tensor(regions.label_ids, device=logits.device)
            chosen = logits.sigmoid()[torch.arange(len(labels), device=labels.device), labels]
            return [(mask,) for mask in frozen(chosen)], again
        pooled = pool_regions(heads.keypoint_roi_pool, features, boxes, size)
        logits = heads.keypoint_predictor(heads.keypoint_head(pooled))
        return _joints(photo, logits, boxes, size), again


def _joints(photo: Photo, logits: Tensor, boxes: Tensor, size: tuple[int, int]) -> Rows:
    """Heatmaps [K, J, 56, 56] to joints, by torchvision's own code."""
    places, scores = keypointrcnn_inference(logits, [boxes])
    xy = resize_keypoints(places[0], list(size), [photo.height, photo.width])[..., :2]
    return list(zip(frozen(xy), frozen(scores[0]), frozen(logits), strict=True))


def _run_pose(net: Network, photo: Photo, regions: Regions) -> Rows:
    """Top-down pose: cut each person out of the photo and find the joints in the crop."""
    from vision_core.inference.pose import crop_boxes, decode

    boxes = torch.tensor(regions.boxes, device=net.device)
    with devices.forward_slot():
        image = devices.image_tensor(photo, net.device)
        crops, geometry = crop_boxes(image, boxes)
        logits = net.module(crops)
        xy, scores = decode(logits, geometry)
    return list(zip(frozen(xy), frozen(scores), frozen(logits), strict=True))
