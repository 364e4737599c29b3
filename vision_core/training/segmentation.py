"""Recipe ``fcn_voc_s``: a class for every pixel, seven classes with background.

Cross-entropy at every pixel of random windows; VOC's uncertain borders and everything outside the
photo do not count. Cats and dogs are on two photos of three, cows on one of twelve: photos of the
rarer classes come more often. ``person_masks`` and the polygons of ``coco_everyday`` add people.
Start it from the trunk of
``fcos_s`` (``--init`` its weights), which has learned to find the same animals and persons by
their boxes.
"""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vision_core.evaluation.annotations import AnnotatedPhoto, annotated_photos
from vision_core.evaluation.instances import instance_map
from vision_core.evaluation.segmentation import (
    IGNORED,
    people_table,
    relabel,
    score_segmenter,
)
from vision_core.models import zoo
from vision_core.models.zoo.fcn_voc_s import LABELS
from vision_core.training import cache, colour
from vision_core.training.loop import Options
from vision_core.training.windows import Windows, random_between, random_signs

CANVAS = 256
SIZES = ((0.55, 160), (1.0, 224))
"""Side of the training pictures up to which share of the run: small ones pass in less time."""
REPEATS = {"cow": 3, "sheep": 3, "horse": 2, "person": 2}
"""How often a photo comes in an epoch if it shows one of these; all others come once."""


class SegmentationRecipe:
    """Square windows of many scales and small angles, mirrored, with other colours."""

    batch_size = 16
    learning_rate = 1.5e-3
    weight_decay = 0.05
    score_minutes = 5.0

    def __init__(self, name: str = "fcn_voc_s") -> None:
        self.name = name

    def prepare(self, options: Options) -> int:
        photos = annotated_photos(options.data, "voc12_subset", "train", LABELS)
        tables = [relabel()] * len(photos)
        people = annotated_photos(options.data, "person_masks", "train", ("person",))
        tables += [people_table()] * len(people)
        pairs = [
            (photo.path, photo.mask, table)
            for photo, table in zip(photos + people, tables, strict=True)
            if photo.mask is not None
        ]
        masks = cache.load([cache.Source(m) for _, m, _ in pairs], CANVAS, options.cache, mode="P")
        rows = [table[m.long()] for m, (_, _, table) in zip(masks.pixels, pairs, strict=True)]
        everyday = [(p, m) for p in polygons(options.data) if (m := drawn(p)) is not None]
        sources = [cache.Source(path) for path, _, _ in pairs]
        sources += [cache.Source(photo.path) for photo, _ in everyday]
        self.photos = cache.load(sources, CANVAS, options.cache)
        self.masks = torch.stack([*rows, *(mask for _, mask in everyday)])
        self.val = annotated_photos(options.data, "voc12_subset", "val", LABELS)[::3]
        self.rows = repeated(self.masks)
        self.going_on = options.rate < 1
        return len(self.rows)

    def model(self) -> nn.Module:
        return zoo.build(self.name)

    def windows(self, indices: Tensor, rng: torch.Generator) -> Windows:
        """Return squares from about half the photo's shorter side to more than the longer one."""
        n, photo_wh = len(indices), self.photos.wh[indices]
        side = photo_wh.amin(1, keepdim=True) * random_between(-0.6, 0.3, [n, 1], rng).exp()
        centre = photo_wh / 2 + (photo_wh - side) / 2 * random_between(-1, 1, [n, 2], rng)
        angle = random_between(-1, 1, [n], rng) * math.radians(10)
        wh = side.expand(-1, 2)
        return Windows(photo_wh, centre, wh, angle, random_signs(n, rng))

    def batch(
        self, indices: Tensor, progress: float, rng: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        indices = self.rows[indices]
        windows = self.windows(indices, rng)
        size = next((s for end, s in SIZES if progress < end), SIZES[-1][1])
        size = SIZES[-1][1] if self.going_on else size
        pictures = colour.read_photos(windows, self.photos.pixels[indices], size, size)
        pictures = colour.normalise(colour.jitter(pictures, rng))
        masks = self.masks[indices]
        labels = windows.read(masks, size, size, mode="nearest", outside=[IGNORED])
        return pictures, labels[:, 0].long()

    def loss(
        self, network: nn.Module, batch: tuple[Tensor, Tensor], device: torch.device
    ) -> Tensor:
        pictures, labels = batch
        pictures = pictures.to(device, memory_format=torch.channels_last)
        logits = network(pictures)["out"].float()
        return F.cross_entropy(logits, labels.to(device), ignore_index=IGNORED)

    def score(self, network: nn.Module) -> float:
        """Mean IoU on a third of ``voc12_subset/val``."""
        preset = zoo.preprocessing(self.name)
        assert preset is not None
        return score_segmenter(network, preset, self.val, LABELS)["mIoU"]


def polygons(data: Path) -> list[AnnotatedPhoto]:
    """Return the photos of ``coco_everyday/train`` that have a polygon of one of our classes."""
    photos = annotated_photos(data, "coco_everyday", "train", LABELS[1:])
    return [photo for photo in photos if any(isinstance(o, list) for o in photo.outlines)]


def drawn(photo: AnnotatedPhoto) -> Tensor | None:
    """Return the labels of a photo with polygons, ``[1, CANVAS, CANVAS]`` uint8, or ``None``.

    Boxes without a polygon, and crowds, are ignored: nobody knows which of their pixels count.
    ``None`` where more than a third would be.
    """
    pixels, known = instance_map(photo)
    table = np.concatenate([[0], photo.labels.numpy() + 1]).astype(np.uint8)
    labels = table[pixels]
    unknown = torch.cat([photo.boxes[~torch.from_numpy(known)], photo.crowds])
    for x1, y1, x2, y2 in unknown.round().int().tolist():
        part = labels[y1:y2, x1:x2]
        part[part == 0] = IGNORED
    if not known.any() or (labels == IGNORED).mean() > 1 / 3:
        return None
    square = cv2.resize(labels, (CANVAS, CANVAS), interpolation=cv2.INTER_NEAREST_EXACT)
    return torch.from_numpy(square)[None]


def repeated(masks: Tensor) -> Tensor:
    """Return the rows of ``masks`` ``[N, 1, S, S]``, each as often as its photo shall come."""
    times = torch.ones(len(masks), dtype=torch.long)
    for name, repeats in REPEATS.items():
        shown = (masks == LABELS.index(name)).flatten(1).any(1)
        times[shown] = times[shown].clamp(min=repeats)
    return torch.arange(len(masks)).repeat_interleave(times)
