"""Recipe ``trunk_s``: the trunk that the zoo starts from, and a classifier of everyday classes.

One trunk learns from everything at hand that has a class. Three linear heads share it: one names
the everyday classes of ``models.zoo.everyday``, one the 200 classes of Tiny ImageNet, one what
the other data sets call their pictures (breeds of dogs, for instance). What is kept has
the first head only.

Steps take turns: photos at 80 to 128 pixels, or Tiny ImageNet's 32 pixels enlarged to 64. Half of
the steps mix pictures: CutMix (Yun et al., 2019) or mixup (Zhang et al., 2018). After "RandAugment"
(Cubuk et al., 2020) pictures are turned, stretched, recoloured and partly hidden, each at random.
"""

from __future__ import annotations

import io
import math
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from vision_core.evaluation.everyday import UNNAMED, Everyday, TinyPhotos, everyday, tiny
from vision_core.models.zoo.resnet_s import ResNetS
from vision_core.training import cache, colour
from vision_core.training.loop import Options
from vision_core.training.windows import Windows, random_between, random_resized_crops

CANVAS = 144
SIZES = ((0.3, 80), (0.7, 96), (0.92, 112), (1.0, 128))
"""Side of the photos up to which share of the run."""
TINY_SIDE, TINY_BATCH = 64, 64
TINY_SHARE = ((0.5, 0.3), (0.8, 0.2), (1.0, 0.0))
"""Share of steps on Tiny ImageNet up to which share of the run: the end belongs to photos."""
SMOOTHING = 0.1
AUXILIARY = 0.5
"""Weight of the heads that are thrown away."""
OFTEN, MOST = 500, 5.0
"""A class with fewer photos than ``OFTEN`` comes more often, at most ``MOST`` times an epoch."""
BREEDS_NAMED = 0.2
"""Share of the breeds' photos that are shown as dogs to the everyday head: there are so many."""


class ManyHeads(nn.Module):
    """A classifier, and two more linear layers over its features.

    ``forward`` takes ``(N, 3, H, W)`` and returns the logits of the three heads, everyday first.
    """

    def __init__(self, tiny_classes: int, own_classes: int) -> None:
        super().__init__()
        self.net = ResNetS()
        width = self.net.fc.in_features
        self.tiny = nn.Linear(width, tiny_classes)
        self.own = nn.Linear(width, own_classes)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        features = self.net.pool(self.net.trunk(x)[-1]).flatten(1)
        return self.net.fc(features), self.tiny(features), self.own(features)


@dataclass(frozen=True)
class Mix:
    """Pictures, and two lists of labels for each head of which the first counts ``share``.

    ``labels`` and ``others`` are ``[3, N]``: everyday, Tiny ImageNet, own; ``UNNAMED`` where a
    head has nothing to learn.
    """

    pictures: Tensor
    labels: Tensor
    others: Tensor
    share: float


class PretrainingRecipe:
    """Cross-entropy with label smoothing on all heads."""

    batch_size = 32
    learning_rate = 2e-3
    weight_decay = 0.05
    score_minutes = 10.0

    def __init__(self, name: str = "trunk_s") -> None:
        self.name = name

    def prepare(self, options: Options) -> int:
        train = everyday(options.data, "train", context=1.35)
        self.photos = cache.load([e.source for e in train], CANVAS, options.cache)
        rng = torch.Generator().manual_seed(options.seed)
        self.labels = _labels(train, rng)
        self.rows = balanced(self.labels[0], rng)
        small = tiny(options.data, "train")
        self.tiny_pixels = _decoded(small, options.cache)
        self.tiny_labels = torch.from_numpy(
            np.stack([small.labels, small.own, np.full_like(small.own, UNNAMED)])
        )
        val = everyday(options.data, "val")[::4]
        self.val_labels = torch.tensor([e.label for e in val])
        self.val_photos = cache.load([e.source for e in val], CANVAS, options.cache)
        self.going_on = options.rate < 1
        return len(self.rows)

    def model(self) -> nn.Module:
        return ManyHeads(int(self.tiny_labels[1].max()) + 1, int(self.labels[2].max()) + 1)

    @staticmethod
    def kept(network: nn.Module) -> nn.Module:
        """Return the part that is bundled."""
        part = network.get_submodule("net")
        return part

    def batch(self, indices: Tensor, progress: float, rng: torch.Generator) -> Mix:
        progress = 0.95 if self.going_on else progress
        share = next((s for end, s in TINY_SHARE if progress < end), 0.0)
        if float(torch.rand(1, generator=rng)) < share:
            indices = torch.randint(len(self.tiny_pixels), (TINY_BATCH,), generator=rng)
            canvases, labels = self.tiny_pixels[indices], self.tiny_labels[:, indices]
            wh, side = torch.full((len(indices), 2), 32.0), TINY_SIDE
        else:
            indices = self.rows[indices]
            canvases, labels = self.photos.pixels[indices], self.labels[:, indices]
            wh = self.photos.wh[indices]
            side = next((s for end, s in SIZES if progress < end), SIZES[-1][1])
        windows = turned(random_resized_crops(wh, rng, area=(0.25, 1.0)), rng)
        pictures = colour.read_photos(windows, canvases, side, side)
        pictures = colour.normalise(colour.jitter(pictures, rng, 0.4))
        return mixed(colour.cutout(pictures, rng, 0.35), labels, rng)

    def loss(self, network: nn.Module, batch: Mix, device: torch.device) -> Tensor:
        pictures = batch.pictures.to(device, memory_format=torch.channels_last)
        total = torch.zeros((), device=device)
        for head, logits in enumerate(network(pictures)):
            weight = 1.0 if head == 0 else AUXILIARY
            for labels, share in ((batch.labels, batch.share), (batch.others, 1 - batch.share)):
                if share and (labels[head] != UNNAMED).any():
                    total = total + weight * share * F.cross_entropy(
                        logits.float(),
                        labels[head].to(device),
                        ignore_index=UNNAMED,
                        label_smoothing=SMOOTHING,
                    )
        return total

    def score(self, network: nn.Module) -> float:
        return squashed_top1(network, self.val_photos, self.val_labels)


def squashed_top1(network: nn.Module, photos: cache.Canvases, labels: Tensor) -> float:
    """Return top-1 on photos squashed to 128 pixels: quick, and close to the real score."""
    device = next(network.parameters()).device
    right = 0
    with torch.inference_mode():
        for part in torch.arange(len(labels)).split(64):
            pixels = F.interpolate(photos.pixels[part].float() / 255, size=128)
            logits = network(colour.normalise(pixels).to(device))
            if isinstance(logits, tuple):  # of several heads the first names everyday classes
                logits = logits[0]
            right += int((logits.argmax(1).cpu() == labels[part]).sum())
    return right / len(labels)


def _labels(train: list[Everyday], rng: torch.Generator) -> Tensor:
    """Return ``[3, N]``: everyday label, nothing for Tiny ImageNet's head, own label."""
    names = sorted({(e.dataset, e.own) for e in train if _own_counts(e)})
    shown = torch.rand(len(train), generator=rng) < BREEDS_NAMED
    labels = torch.full((3, len(train)), UNNAMED)
    for row, e in enumerate(train):
        if e.dataset != "imagewoof" or shown[row]:
            labels[0, row] = e.label
        if _own_counts(e):
            labels[2, row] = names.index((e.dataset, e.own))
    return labels


def _own_counts(e: Everyday) -> bool:
    """Whether a data set's own class tells more than the everyday one."""
    return e.dataset in ("imagewoof", "caltech101")


def balanced(labels: Tensor, rng: torch.Generator) -> Tensor:
    """Return the rows of ``labels`` ``[N]``, those of rare classes several times."""
    counts = Counter(labels.tolist())
    weight = {
        label: 1.0 if label == UNNAMED else min(MOST, max(1.0, math.sqrt(OFTEN / count)))
        for label, count in counts.items()
    }
    times = torch.tensor([weight[label] for label in labels.tolist()])
    whole = (times + torch.rand(len(times), generator=rng)).floor().long()
    return torch.arange(len(labels)).repeat_interleave(whole)


def _decoded(small: TinyPhotos, folder: Path | None) -> Tensor:
    """Return ``[N, 3, 32, 32]`` uint8, decoded once."""
    path = (folder or cache.default_cache()) / "tinyimagenet32.npy"
    if not path.exists():
        pixels = np.empty((len(small.jpegs), 3, 32, 32), np.uint8)
        for row, data in enumerate(small.jpegs):
            pixels[row] = np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).transpose(2, 0, 1)
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, pixels)
    return torch.from_numpy(np.load(path, mmap_mode="c"))


def turned(windows: Windows, rng: torch.Generator, degrees: float = 20.0) -> Windows:
    """Return the windows, a third of them turned by up to ``degrees`` either way."""
    n = len(windows.wh)
    angle = random_between(-1, 1, [n], rng) * math.radians(degrees)
    return replace(windows, angle=angle * (torch.rand(n, generator=rng) < 0.33))


def mixed(pictures: Tensor, labels: Tensor, rng: torch.Generator) -> Mix:
    """Return half of the batches as they are, a quarter with CutMix, a quarter with mixup."""
    n, _, height, width = pictures.shape
    kind, at_x, at_y, draw = torch.rand(4, generator=rng).tolist()
    if kind < 0.5:
        return Mix(pictures, labels, labels, 1.0)
    order = torch.randperm(n, generator=rng)
    if kind < 0.75:
        cut = math.sqrt(draw)
        w, h = max(1, round(width * cut)), max(1, round(height * cut))
        x, y = round(at_x * (width - w)), round(at_y * (height - h))
        pictures = pictures.clone()
        pictures[:, :, y : y + h, x : x + w] = pictures[order][:, :, y : y + h, x : x + w]
        share = 1 - w * h / (width * height)
    else:
        share = 1 - draw / 2
        pictures = share * pictures + (1 - share) * pictures[order]
    return Mix(pictures, labels, labels[:, order], share)
