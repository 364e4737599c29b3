"""Recipe ``fcn_s``, ``fcn_deconv_s``, ``segnet_s``: a class for every pixel of a street scene.

One run trains all three decoders on one trunk with the sum of their losses, so that they differ
in how they enlarge and in nothing else. Poles, signs and cyclists fill one pixel in a hundred;
without weights a network would do well to leave them out. Each class therefore weighs the root of
its median frequency balance (Eigen and Fergus, "Predicting Depth, Surface Normals and Semantic
Labels", 2015, without the root).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vision_core.evaluation.segmentation import (
    IGNORED,
    score_segmenter,
    street_photos,
    street_table,
)
from vision_core.models import zoo
from vision_core.models.zoo.streets import DECODERS, LABELS, StreetNet, Streets
from vision_core.training import cache, colour
from vision_core.training.loop import Options
from vision_core.training.windows import Windows, random_between, random_signs

CANVAS = 320
SIZE = 160
"""Side of the training pictures, pixels."""

Batch = tuple[Tensor, Tensor]


class StreetRecipe:
    """Square windows of half to the whole height of a frame, mirrored, with other colours."""

    batch_size = 8
    learning_rate = 2e-3
    weight_decay = 0.05
    score_minutes = 6.0

    def __init__(self, name: str = "fcn_s") -> None:
        self.name = name

    def prepare(self, options: Options) -> int:
        frames = street_photos(options.data, "train")
        pictures = [cache.Source(frame.path) for frame in frames]
        masks = [cache.Source(frame.mask) for frame in frames if frame.mask is not None]
        self.photos = cache.load(pictures, CANVAS, options.cache)
        numbers = cache.load(masks, CANVAS, options.cache, mode="P").pixels
        self.masks = street_table()[numbers.long()]
        self.weights = class_weights(self.masks)
        self.val = street_photos(options.data, "val")[::3]
        return len(frames)

    def model(self) -> nn.Module:
        return Streets()

    def windows(self, indices: Tensor, rng: torch.Generator) -> Windows:
        """Return squares of 0.45 to 1 times the frame's height, with a slight tilt."""
        n, wh = len(indices), self.photos.wh[indices]
        side = wh.amin(1, keepdim=True) * random_between(math.log(0.45), 0.0, [n, 1], rng).exp()
        centre = wh / 2 + (wh - side) / 2 * random_between(-1, 1, [n, 2], rng)
        angle = random_between(-1, 1, [n], rng) * math.radians(5)
        return Windows(wh, centre, side.expand(-1, 2), angle, random_signs(n, rng))

    def batch(self, indices: Tensor, progress: float, rng: torch.Generator) -> Batch:
        windows = self.windows(indices, rng)
        pictures = colour.read_photos(windows, self.photos.pixels[indices], SIZE, SIZE)
        pictures = colour.normalise(colour.jitter(pictures, rng))
        masks = self.masks[indices]
        labels = windows.read(masks, SIZE, SIZE, mode="nearest", outside=[IGNORED])
        return pictures, labels[:, 0].long()

    def loss(self, network: nn.Module, batch: Batch, device: torch.device) -> Tensor:
        pictures = batch[0].to(device, memory_format=torch.channels_last)
        labels, weights = batch[1].to(device), self.weights.to(device)
        losses = [
            F.cross_entropy(logits.float(), labels, weights, ignore_index=IGNORED)
            for logits in network(pictures).values()
        ]
        return torch.stack(losses).sum()

    def score(self, network: nn.Module) -> float:
        """Mean IoU on a third of ``camvid/val``, averaged over the three networks."""
        assert isinstance(network, Streets)
        preset = zoo.preprocessing("fcn_s")
        assert preset is not None
        values = []
        for name in DECODERS:
            one = StreetNet(name)
            one.trunk, one.decoder = network.trunk, network.decoders[name]  # type: ignore[assignment]
            scores = score_segmenter(one.eval(), preset, self.val, LABELS, street_table())
            values.append(scores["mIoU"])
        return sum(values) / len(values)


def class_weights(masks: Tensor) -> Tensor:
    """Return ``[11]``: the root of (median frequency / frequency) of each class."""
    counts = torch.bincount(masks.flatten().long(), minlength=256)[: len(LABELS)].double()
    share = counts.clamp(min=1) / counts.sum()
    return (share.median() / share).sqrt().clamp(max=5.0).float()
