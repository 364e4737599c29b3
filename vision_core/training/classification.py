"""Recipes ``alexnet_s``, ``vgg_s`` and ``resnet_s``: say which of 15 classes a picture shows.

Nine classes come from Imagenette; its tenth, the English springer, counts as dog. The animals and
persons are cut out of ``voc12_subset`` by their boxes.

``alexnet_s`` and ``vgg_s`` learn from the bundled ``resnet_s`` too (Hinton, Vinyals, Dean,
"Distilling the Knowledge in a Neural Network", 2015): what it says of the very same crop tells
them more than the label, above all where the crop has missed what the label names.
"""

from __future__ import annotations

from copy import deepcopy

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vision_core.evaluation.classification import Example, examples, top1
from vision_core.models import load, zoo
from vision_core.models.zoo import resnet_s
from vision_core.models.zoo.everyday import FIFTEEN as LABELS
from vision_core.training import cache, colour
from vision_core.training.loop import Options
from vision_core.training.windows import random_resized_crops

CANVAS = 144
DOG = LABELS.index("dog")
SIZES = {
    "alexnet_s": ((0.35, 64), (0.75, 96), (1.0, 128)),
    "vgg_s": ((0.45, 64), (0.9, 96), (1.0, 112)),
    "resnet_s": ((0.4, 96), (1.0, 128)),
}
"""Side of the training pictures up to which share of the run: the network learns the coarse
things from small pictures, at a quarter of the price. A run that goes on from finished weights
(a rate below 1) has the last size only."""

TEACHER = "resnet_s"
TEACHER_SIZE = 96
"""Smallest side at which the teacher looks: it never saw smaller pictures."""
COLUMNS = [resnet_s.LABELS.index(name if name in resnet_s.LABELS else "fish") for name in LABELS]
"""Where the teacher's logits of our classes stand; the larger ``resnet_s`` calls a tench a fish."""
TRUST = 0.6
"""Share of the teacher's probabilities in what is to be learned; the label has the rest."""

Batch = tuple[Tensor, Tensor, Tensor]


class ClassificationRecipe:
    """Cross-entropy with label smoothing on random crops that grow in the course of the run.

    The long run of ``resnet_s`` takes smaller crops and changes colours more. Box crops are few
    and small next to Imagenette's photos; those of a class that Imagenette lacks count twice.
    """

    batch_size = 32
    learning_rate = 2e-3
    weight_decay = 0.05
    score_minutes = 4.0

    def __init__(self, name: str = "resnet_s") -> None:
        self.name = name
        self.patient = name == "resnet_s"

    def prepare(self, options: Options) -> int:
        train = examples(options.data, "train", context=1.35)
        self.labels = torch.tensor([example.label for example in train])
        self.photos = cache.load([e.source for e in train], CANVAS, options.cache)
        self.val: list[Example] = examples(options.data, "val")
        self.val_photos = cache.load([e.source for e in self.val], CANVAS, options.cache)
        rare = torch.tensor([e.source.box is not None for e in train]) & (self.labels != DOG)
        self.rows = torch.cat([torch.arange(len(train)), rare.nonzero()[:, 0]])
        self.sizes = SIZES[self.name] if options.rate >= 1 else SIZES[self.name][-1:]
        self.teacher: nn.Module | None = None
        if self.name != TEACHER:
            teacher = load(TEACHER, device=options.device).module
            self.teacher = deepcopy(teacher).to(memory_format=torch.channels_last)
        return len(self.rows)

    def model(self) -> nn.Module:
        return zoo.build(self.name)

    def batch(self, indices: Tensor, progress: float, rng: torch.Generator) -> Batch:
        """Return crops, the same crops as large as the teacher wants them, and labels."""
        indices = self.rows[indices]
        size = next((s for end, s in self.sizes if progress < end), self.sizes[-1][1])
        smallest = 0.35 if self.patient else 0.45
        windows = random_resized_crops(self.photos.wh[indices], rng, area=(smallest, 1.0))
        seen = size if self.teacher is None else max(size, TEACHER_SIZE)
        pictures = colour.read_photos(windows, self.photos.pixels[indices], seen, seen)
        pictures = colour.normalise(colour.jitter(pictures, rng, 0.3 if self.patient else 0.2))
        own = pictures
        if seen != size:
            own = F.interpolate(pictures, size=size, mode="bilinear", antialias=True)
        return own, pictures, self.labels[indices]

    def loss(self, network: nn.Module, batch: Batch, device: torch.device) -> Tensor:
        pictures, seen, labels = batch
        pictures = pictures.to(device, memory_format=torch.channels_last)
        logits, labels = network(pictures), labels.to(device)
        if self.teacher is None:
            return F.cross_entropy(logits, labels, label_smoothing=0.1)
        with torch.no_grad():
            seen = seen.to(device, memory_format=torch.channels_last)
            said = self.teacher(seen)[:, COLUMNS].float().softmax(1)
        target = TRUST * said + (1 - TRUST) * F.one_hot(labels, len(LABELS))
        return F.cross_entropy(logits, target)

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
