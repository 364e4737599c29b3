"""Recipe ``fcn_voc_s``: a class for every pixel, seven classes with background.

Cross-entropy at every pixel of random windows; VOC's uncertain borders and everything outside the
photo do not count. Cats and dogs are on two photos of three, cows on one of twelve: photos of the
rarer classes come more often. ``person_masks`` adds people. Start it from the trunk of
``fcos_s`` (``--init`` its weights), which has learned to find the same animals and persons by
their boxes.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vision_core.evaluation.annotations import annotated_photos
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
SIZE = 160
"""Side of the training pictures: small, so that many pass in little time."""
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
        self.photos = cache.load([cache.Source(p) for p, _, _ in pairs], CANVAS, options.cache)
        masks = cache.load([cache.Source(m) for _, m, _ in pairs], CANVAS, options.cache, mode="P")
        rows = [table[m.long()] for m, (_, _, table) in zip(masks.pixels, pairs, strict=True)]
        self.masks = torch.stack(rows)
        self.val = annotated_photos(options.data, "voc12_subset", "val", LABELS)[::3]
        self.rows = repeated(self.masks)
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
        pictures = colour.read_photos(windows, self.photos.pixels[indices], SIZE, SIZE)
        pictures = colour.normalise(colour.jitter(pictures, rng))
        masks = self.masks[indices]
        labels = windows.read(masks, SIZE, SIZE, mode="nearest", outside=[IGNORED])
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


def repeated(masks: Tensor) -> Tensor:
    """Return the rows of ``masks`` ``[N, 1, S, S]``, each as often as its photo shall come."""
    times = torch.ones(len(masks), dtype=torch.long)
    for name, repeats in REPEATS.items():
        shown = (masks == LABELS.index(name)).flatten(1).any(1)
        times[shown] = times[shown].clamp(min=repeats)
    return torch.arange(len(masks)).repeat_interleave(times)
