"""Recipes ``alexnet_s`` and ``vgg_s``: name the everyday classes, taught by ``resnet_s``.

Both learn from the pictures of ``trunk_s`` and from the bundled ``resnet_s`` (Hinton, Vinyals and
Dean, "Distilling the Knowledge in a Neural Network", 2015): what it says of the very same crop
tells them more than the label, above all where the crop has missed what the label names. Breeds
of dogs and pictures without a name have the teacher's word alone.
"""

from __future__ import annotations

from copy import deepcopy

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vision_core.evaluation.everyday import UNNAMED, everyday
from vision_core.models import load, zoo
from vision_core.models.zoo.everyday import LABELS
from vision_core.training import cache, colour
from vision_core.training.loop import Options
from vision_core.training.pretraining import CANVAS, balanced, squashed_top1
from vision_core.training.windows import random_resized_crops

SIZES = {
    "alexnet_s": ((0.3, 80), (0.7, 96), (1.0, 128)),
    "vgg_s": ((0.5, 64), (0.9, 96), (1.0, 112)),
}
"""Side of the training pictures up to which share of the run: the network learns the coarse
things from small pictures, at a quarter of the price. A run that goes on from finished weights
(a rate below 1) has the last size only."""

TEACHER_SIZE = 96
"""Smallest side at which the teacher looks: it saw hardly any smaller pictures."""
TRUST = 0.6
"""Share of the teacher's probabilities in what is to be learned; the label has the rest."""

BREEDS = 4
"""One in so many photos of dogs' breeds is shown: with all of them, a fifth of what is learned is
dogs, and both networks named one too often."""

Batch = tuple[Tensor, Tensor, Tensor]


class ClassificationRecipe:
    """Cross-entropy with the teacher's and the label's probabilities, on random crops."""

    batch_size = 32
    learning_rate = 2e-3
    weight_decay = 0.05
    score_minutes = 4.0

    def __init__(self, name: str = "vgg_s") -> None:
        self.name = name

    def prepare(self, options: Options) -> int:
        train = everyday(options.data, "train", context=1.35)
        self.labels = torch.tensor(
            [UNNAMED if e.dataset == "imagewoof" else e.label for e in train]
        )
        self.photos = cache.load([e.source for e in train], CANVAS, options.cache)
        rng = torch.Generator().manual_seed(options.seed)
        rows = balanced(self.labels, rng)
        breeds = self.labels[rows] == UNNAMED
        self.rows = torch.cat([rows[~breeds], rows[breeds][::BREEDS]])
        val = everyday(options.data, "val")[::4]
        self.val_labels = torch.tensor([e.label for e in val])
        self.val_photos = cache.load([e.source for e in val], CANVAS, options.cache)
        self.sizes = SIZES[self.name] if options.rate >= 1 else SIZES[self.name][-1:]
        teacher = load("resnet_s", device=options.device).module
        self.teacher = deepcopy(teacher).to(memory_format=torch.channels_last)
        return len(self.rows)

    def model(self) -> nn.Module:
        return zoo.build(self.name)

    def batch(self, indices: Tensor, progress: float, rng: torch.Generator) -> Batch:
        """Return crops, the same crops as large as the teacher wants them, and labels."""
        indices = self.rows[indices]
        size = next((s for end, s in self.sizes if progress < end), self.sizes[-1][1])
        windows = random_resized_crops(self.photos.wh[indices], rng, area=(0.35, 1.0))
        seen = max(size, TEACHER_SIZE)
        pictures = colour.read_photos(windows, self.photos.pixels[indices], seen, seen)
        pictures = colour.normalise(colour.jitter(pictures, rng, 0.2))
        own = pictures
        if seen != size:
            own = F.interpolate(pictures, size=size, mode="bilinear", antialias=True)
        return own, pictures, self.labels[indices]

    def loss(self, network: nn.Module, batch: Batch, device: torch.device) -> Tensor:
        pictures, seen, labels = batch
        pictures = pictures.to(device, memory_format=torch.channels_last)
        logits, labels = network(pictures).float(), labels.to(device)
        with torch.no_grad():
            seen = seen.to(device, memory_format=torch.channels_last)
            said = self.teacher(seen).float().softmax(1)
        named = labels != UNNAMED
        trust = torch.where(named, TRUST, 1.0)[:, None]
        truth = F.one_hot(labels.clamp(min=0), len(LABELS))
        return F.cross_entropy(logits, trust * said + (1 - trust) * truth)

    def score(self, network: nn.Module) -> float:
        return squashed_top1(network, self.val_photos, self.val_labels)
