"""Recipe ``mask_rcnn_s``: a mask branch for the finished two-stage detector.

Start it from the detector (``--init`` its weights). All of it is frozen, batch normalisation
too; only the mask branch learns, from the labelled boxes, moved about a little as the detector's
own would be. Masks come from these places: instance masks of ``pennfudan``, polygons of
``coco_everyday`` and ``coco_mini``, and ``voc12_subset``'s class masks cut by its boxes where
instances do not touch, and ``person_masks`` where one person owns the mask.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torchvision.models.detection.roi_heads import maskrcnn_loss

from vision_core.evaluation.annotations import AnnotatedPhoto, annotated_photos
from vision_core.evaluation.detection import outlined_people, score_masks
from vision_core.evaluation.instances import instance_map
from vision_core.models import zoo
from vision_core.models.zoo.rcnn_s import LABELS as WITH_BACKGROUND
from vision_core.models.zoo.rcnn_s import MASK_BRANCH
from vision_core.training import cache, colour
from vision_core.training.detection import boxes_in_window, random_squares
from vision_core.training.loop import Options
from vision_core.training.windows import random_between

LABELS = WITH_BACKGROUND[1:]
CANVAS, SIZE = 288, 224
REPEATS = {
    "voc12_subset": 1,
    "coco_everyday": 2,
    "coco_mini": 1,
    "pennfudan": 4,
    "person_masks": 1,
}
"""How often each data set's photos come in an epoch: the few clean masks more often."""

Batch = tuple[Tensor, list[dict[str, Tensor]]]


class MaskRecipe:
    """torchvision's mask loss (He et al., 2017) on windows as the detector was trained with."""

    batch_size = 16
    learning_rate = 2e-3
    weight_decay = 0.02
    score_minutes = 6.0
    name = "mask_rcnn_s"

    def prepare(self, options: Options) -> int:
        self.notes: list[AnnotatedPhoto] = []
        self.known: list[Tensor] = []
        maps = []
        for dataset, repeats in REPEATS.items():
            for photo in annotated_photos(options.data, dataset, "train", LABELS):
                if dataset == "person_masks":  # 1 is the one person
                    photo = replace(photo, outlines=(1,) * len(photo.boxes))
                pixels, known = instance_map(photo, LABELS)
                if not known.any():
                    continue
                square = Image.fromarray(pixels).resize((CANVAS, CANVAS), Image.Resampling.NEAREST)
                maps += [np.asarray(square)] * repeats
                self.notes += [photo] * repeats
                self.known += [torch.from_numpy(known)] * repeats
        self.maps = torch.from_numpy(np.stack(maps)[:, None])
        sources = [cache.Source(photo.path) for photo in self.notes]
        self.photos = cache.load(sources, CANVAS, options.cache)
        self.data = options.data
        return len(self.notes)

    def model(self) -> nn.Module:
        network = zoo.build(self.name)
        for name, parameter in network.named_parameters():
            parameter.requires_grad_(name.startswith(MASK_BRANCH))
        return network

    def batch(self, indices: Tensor, progress: float, rng: torch.Generator) -> Batch:
        windows = random_squares(self.photos.wh[indices], rng)
        pictures = colour.read_photos(windows, self.photos.pixels[indices], SIZE, SIZE)
        pictures = colour.normalise(colour.jitter(pictures, rng))
        maps = windows.read(self.maps[indices], SIZE, SIZE, mode="nearest")[:, 0]
        targets = []
        for row, index in enumerate(indices.tolist()):
            note = self.notes[index]
            boxes, kept = boxes_in_window(windows, row, note.boxes, SIZE)
            here = kept & self.known[index]
            boxes = boxes[here[kept]]
            sides = (boxes[:, 2:] - boxes[:, :2]).repeat(1, 2)
            moved = boxes + sides * random_between(-0.1, 0.1, [len(boxes), 4], rng)
            numbers = here.nonzero()[:, 0] + 1
            targets.append(
                {
                    "boxes": moved.clamp(0, SIZE),
                    "labels": note.labels[here] + 1,
                    "masks": (maps[row][None] == numbers[:, None, None]).float(),
                }
            )
        return pictures, targets

    def loss(self, network: Any, batch: Batch, device: torch.device) -> Tensor:
        pictures = batch[0].to(device, memory_format=torch.channels_last)
        targets = [{k: v.to(device) for k, v in target.items()} for target in batch[1]]
        with torch.no_grad():
            features = network.backbone.eval()(pictures)
        boxes = [target["boxes"] for target in targets]
        heads = network.roi_heads
        pooled = heads.mask_roi_pool(features, boxes, [(SIZE, SIZE)] * len(pictures))
        logits = heads.mask_predictor(heads.mask_head(pooled)).float()
        each = [torch.arange(len(b), device=device) for b in boxes]
        masks, labels = ([t[key] for t in targets] for key in ("masks", "labels"))
        return maskrcnn_loss(logits, boxes, masks, labels, each)

    def score(self, network: nn.Module) -> float:
        """Mask AP50 of persons on every photo of ``pennfudan/test``; nothing is chosen by it."""
        photos = outlined_people(self.data, "pennfudan", "test", LABELS)
        return score_masks(network, photos, LABELS)["mask AP50 person"]
