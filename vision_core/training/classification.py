"""Recipe ``resnet_s``: say which of 15 classes a picture shows.

Nine classes come from Imagenette; its tenth, the English springer, counts as dog. The animals and
persons are cut out of ``voc12_subset`` by their boxes.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vision_core.evaluation.classification import Example, examples, top1
from vision_core.models import zoo
from vision_core.training import cache, colour
from vision_core.training.loop import Options
from vision_core.training.windows import random_resized_crops

CANVAS = 144


class ClassificationRecipe:
    """Cross-entropy with label smoothing on random crops, growing from 96 to 128 pixels."""

    batch_size = 32
    learning_rate = 2e-3
    weight_decay = 0.05
    score_minutes = 4.0

    def __init__(self, name: str = "resnet_s") -> None:
        self.name = name

    def prepare(self, options: Options) -> int:
        train = examples(options.data, "train", context=1.35)
        self.labels = torch.tensor([example.label for example in train])
        self.photos = cache.load([e.source for e in train], CANVAS, options.cache)
        self.val: list[Example] = examples(options.data, "val")
        self.val_photos = cache.load([e.source for e in self.val], CANVAS, options.cache)
        return len(train)

    def model(self) -> nn.Module:
        return zoo.build(self.name)

    def batch(
        self, indices: Tensor, progress: float, rng: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """Small pictures first: the network learns the coarse things at half the price."""
        size = 96 if progress < 0.4 else 128
        windows = random_resized_crops(self.photos.wh[indices], rng)
        pictures = colour.read_photos(windows, self.photos.pixels[indices], size, size)
        pictures = colour.normalise(colour.jitter(pictures, rng))
        return colour.cutout(pictures, rng), self.labels[indices]

    def loss(
        self, network: nn.Module, batch: tuple[Tensor, Tensor], device: torch.device
    ) -> Tensor:
        pictures, labels = batch
        pictures = pictures.to(device, memory_format=torch.channels_last)
        return F.cross_entropy(network(pictures), labels.to(device), label_smoothing=0.1)

    def score(self, network: nn.Module) -> float:
        """Top-1 on a fixed part of val, squashed to squares: quick, close to the real score."""
        chosen = torch.arange(0, len(self.val), 4)
        labels = torch.tensor([example.label for example in self.val])[chosen]
        logits = []
        device = next(network.parameters()).device
        with torch.inference_mode():
            for part in chosen.split(64):
                pixels = F.interpolate(self.val_photos.pixels[part].float() / 255, size=128)
                logits.append(network(colour.normalise(pixels).to(device)).cpu())
        return top1(torch.cat(logits), labels)
