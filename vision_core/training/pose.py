"""Recipes ``pose_heatmap_s`` and ``pose_regression_s``: find 14 joints of one person.

The first network answers with one map per joint; softmax over the map's cells makes it the
probability of where the joint is. The loss is the cross-entropy to a small Gaussian around the
label. The second answers with the coordinates; its loss is the wing loss along x and along y.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from vision_core.evaluation import pose as data
from vision_core.inference.pose import CROP, EXPANSION, JOINTS, MIRRORED
from vision_core.metrics.pck import pck
from vision_core.models import zoo
from vision_core.training import cache, colour
from vision_core.training.loop import Options
from vision_core.training.windows import Windows, random_between, random_signs

CANVAS = 160
SIGMA = 1.2
"""Spread of the target around a joint, in cells of the heatmap (4 pixels each)."""
UPPER_BODY = tuple(i for i, name in enumerate(JOINTS) if "ankle" not in name and "knee" not in name)

UNSEEN = 0.3
"""Weight of the loss that makes the map of a joint flat which the crop does not show."""

Batch = tuple[Tensor, Tensor, Tensor, Tensor]


class PoseRecipe:
    """Turned, scaled, shifted and mirrored persons; one in four shows the upper body only.

    ``pose_regression_s`` learns more slowly and sees less variety: smaller turns, whole bodies.
    """

    batch_size = 32
    learning_rate = 2e-3
    weight_decay = 0.02
    score_minutes = 5.0

    def __init__(self, name: str = "pose_heatmap_s") -> None:
        self.name = name
        regression = name == "pose_regression_s"
        self.variety = 0.8 if regression else 1.0
        self.sports = 3 if regression else 1  # how often the photos of lspet_pose count
        self.cropped = 0.1 if regression else 0.25

    def prepare(self, options: Options) -> int:
        people = self.sports * data.persons(options.data, "train")
        people += 3 * data.everyday_persons(options.data)
        people += 2 * data.everyday_persons(options.data, "coco_everyday")
        self.joints = torch.stack([person.joints for person in people])
        self.unseen = torch.stack([person.unseen for person in people])
        self.boxes = data.person_boxes(self.joints)
        self.own_box = torch.tensor([person.box is not None for person in people])
        for row, person in enumerate(people):
            if person.box is not None:
                self.boxes[row] = person.box
        self.photos = cache.load([p.source for p in people], CANVAS, options.cache)
        self.val = data.persons(options.data, "val")[::6]
        self.val += data.everyday_persons(options.data, "coco_everyday", "val", least=8)[::4]
        return len(people)

    def model(self) -> nn.Module:
        return zoo.build(self.name)

    def windows(self, indices: Tensor, rng: torch.Generator) -> Windows:
        """Return squares about as ``crop_boxes`` cuts them, with everything that may vary."""
        n = len(indices)
        joints = self.joints[indices].clone()
        legs = torch.ones(len(JOINTS), dtype=torch.bool)
        legs[list(UPPER_BODY)] = False
        enough = joints[:, ~legs, 2].sum(1) >= 5
        cropped = (torch.rand(n, generator=rng) < self.cropped) & enough
        joints[:, :, 2] *= ~(cropped[:, None] & legs)
        whole = self.own_box[indices] & ~cropped
        boxes = torch.where(whole[:, None], self.boxes[indices], data.person_boxes(joints))
        longer = (boxes[:, 2:] - boxes[:, :2]).amax(1, keepdim=True)
        side = longer * EXPANSION * (random_between(-0.3, 0.35, [n, 1], rng) * self.variety).exp()
        centre = (boxes[:, :2] + boxes[:, 2:]) / 2
        centre = centre + longer * random_between(-0.12, 0.12, [n, 2], rng) * self.variety
        angle = random_between(-1, 1, [n], rng) * math.radians(35) * self.variety
        angle = angle * (torch.rand(n, generator=rng) < 0.6)
        wh = side.expand(-1, 2)
        return Windows(self.photos.wh[indices], centre, wh, angle, random_signs(n, rng))

    def batch(self, indices: Tensor, progress: float, rng: torch.Generator) -> Batch:
        """Return pictures, joints in heatmap cells ``[N, 14, 2]``, which of them count, and which
        the crop does not show."""
        windows = self.windows(indices, rng)
        pictures = colour.read_photos(windows, self.photos.pixels[indices], CROP, CROP)
        pictures = colour.normalise(colour.jitter(pictures, rng))
        if self.cropped:
            pictures = colour.cutout(pictures, rng, largest=0.35)
        joints = self.joints[indices]
        cells = CROP // 4
        xy = windows.points(joints[:, :, :2], cells, cells)
        labelled = joints[:, :, 2] > 0
        swapped = windows.mirror[:, None] < 0
        xy = torch.where(swapped[:, :, None], xy[:, list(MIRRORED)], xy)
        labelled = torch.where(swapped, labelled[:, list(MIRRORED)], labelled)
        inside = ((xy >= 0) & (xy < cells)).all(2)
        unseen = self.unseen[indices]
        unseen = torch.where(swapped, unseen[:, list(MIRRORED)], unseen)
        return pictures, xy, labelled & inside, unseen | (labelled & ~inside)

    def loss(self, network: nn.Module, batch: Batch, device: torch.device) -> Tensor:
        pictures, xy, counted, unseen = (part.to(device) for part in batch)
        logits = network(pictures.contiguous(memory_format=torch.channels_last)).float()
        if self.name == "pose_regression_s":
            away = wing(logits - xy / (CROP // 4)).sum(2)
            return (away * counted).sum() / counted.sum().clamp(min=1)
        target = gaussians(xy, *logits.shape[2:])
        log_probability = logits.flatten(2).log_softmax(2)
        losses = -(target.flatten(2) * log_probability).sum(2)
        flat = -log_probability.mean(2) - math.log(log_probability.shape[2])  # 0 for a flat map
        total = (losses * counted).sum() + UNSEEN * (flat * unseen).sum()
        return total / counted.sum().clamp(min=1)

    def score(self, network: nn.Module) -> float:
        """PCK at 0.2 of the torso on a quarter of val."""
        xy = data.predict(network, self.val)
        return float(pck(xy, torch.stack([p.joints for p in self.val]))[-1])


def wing(away: Tensor, width: float = 0.15, curve: float = 0.03) -> Tensor:
    """Return the wing loss of each element of ``away``, in shares of the crop's side.

    Feng et al., "Wing Loss for Robust Facial Landmark Localisation with Convolutional Neural
    Networks" (2018): ``width * ln(1 + |away| / curve)`` within ``width``, a line of slope 1
    beyond. A small distance pulls harder than under the plain distance, so that joints which
    are nearly right become right and those far off do not drag all others to the mean pose.
    """
    size = away.abs()
    near = width * torch.log1p(size / curve)
    return torch.where(size < width, near, size - width + width * math.log1p(width / curve))


def gaussians(xy: Tensor, height: int, width: int, sigma: float = SIGMA) -> Tensor:
    """Return ``[N, J, h, w]`` maps that sum to 1, centred on ``xy [N, J, 2]`` (in cells)."""
    columns = torch.arange(width, device=xy.device) + 0.5
    rows = torch.arange(height, device=xy.device) + 0.5
    across = -((columns - xy[:, :, :1]) ** 2) / (2 * sigma**2)
    down = -((rows - xy[:, :, 1:]) ** 2) / (2 * sigma**2)
    return torch.einsum("njh,njw->njhw", down.softmax(2), across.softmax(2))
