"""Recipes ``fcos_s`` and ``faster_rcnn_s``: boxes of cats, cows, dogs, horses, persons, sheep.

Matching and losses are those of torchvision's ``FCOS`` (focal, generalised IoU, centerness) and
``FasterRCNN`` (for proposals and for boxes: cross-entropy and smooth L1). Start ``fcos_s`` from a
trained classifier and ``faster_rcnn_s`` from ``fcos_s`` (``--init``): the trunk then knows animals
already. The two differ in the network and in the numbering of the classes only.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vision_core.evaluation.annotations import DETECTION_SETS, AnnotatedPhoto, annotated_photos
from vision_core.evaluation.detection import score_detector
from vision_core.models import zoo
from vision_core.models.zoo.fcos_s import LABELS
from vision_core.training import cache, colour
from vision_core.training.loop import Options
from vision_core.training.windows import Windows, random_between, random_signs

CANVAS = 256
SIZE = 160
"""Side of the training pictures: small, so that many pass in little time."""

Batch = tuple[Tensor, list[dict[str, Tensor]]]


class DetectionRecipe:
    """Square windows of many scales onto the photos, mirrored, with other colours."""

    batch_size = 16
    learning_rate = 1.5e-3
    weight_decay = 0.05
    score_minutes = 10.0

    def __init__(self, name: str = "fcos_s") -> None:
        self.name = name
        self.first_label = 0 if name == "fcos_s" else 1
        """Two-stage networks keep label 0 for the background."""

    def prepare(self, options: Options) -> int:
        photos: list[AnnotatedPhoto] = []
        for dataset in DETECTION_SETS:
            photos += annotated_photos(options.data, dataset, "train", LABELS)
        self.notes = photos
        self.photos = cache.load([cache.Source(p.path) for p in photos], CANVAS, options.cache)
        self.val = annotated_photos(options.data, "voc12_subset", "val", LABELS)[::3]
        return len(photos)

    def model(self) -> nn.Module:
        network = zoo.build(self.name)
        network.transform._skip_resize = True  # type: ignore[union-attr]  # windows did it
        return network

    def batch(self, indices: Tensor, progress: float, rng: torch.Generator) -> Batch:
        windows = random_squares(self.photos.wh[indices], rng)
        pictures = colour.read_photos(windows, self.photos.pixels[indices], SIZE, SIZE)
        pictures = colour.jitter(pictures, rng)
        targets = []
        for row, index in enumerate(indices.tolist()):
            note = self.notes[index]
            boxes, kept = boxes_in_window(windows, row, note.boxes, SIZE)
            targets.append({"boxes": boxes, "labels": note.labels[kept] + self.first_label})
        return pictures, targets

    def loss(self, network: nn.Module, batch: Batch, device: torch.device) -> Tensor:
        pictures, targets = batch
        targets = [{k: v.to(device) for k, v in target.items()} for target in targets]
        pictures = pictures.to(device, memory_format=torch.channels_last)
        losses = network(list(pictures), targets)
        return torch.stack(list(losses.values())).sum()

    def score(self, network: nn.Module) -> float:
        """AP50 on a third of ``voc12_subset/val``."""
        return score_detector(network, self.val, LABELS)["AP50"]


def random_squares(photo_wh: Tensor, rng: torch.Generator) -> Windows:
    """Return squares from about half the photo's shorter side to more than the longer one."""
    n = len(photo_wh)
    shorter = photo_wh.amin(1, keepdim=True)
    side = shorter * random_between(-0.6, 0.4, [n, 1], rng).exp()
    room = (photo_wh - side) / 2  # negative: the window is larger and may stick out
    centre = photo_wh / 2 + room * random_between(-1, 1, [n, 2], rng)
    wh = side.expand(-1, 2)
    return Windows(photo_wh, centre, wh, torch.zeros(n), random_signs(n, rng))


def boxes_in_window(
    windows: Windows, row: int, boxes: Tensor, size: int, visible: float = 0.3
) -> tuple[Tensor, Tensor]:
    """Carry boxes over to window ``row`` read at ``size`` x ``size`` and cut them at its edges.

    Returns:
        Boxes ``[M, 4]`` and the mask ``[K]`` of those kept: at least ``visible`` of their area
        lies inside, and no side is shorter than 4 pixels.
    """
    one = Windows(*(part[row : row + 1] for part in vars(windows).values()))
    corners = one.points(boxes.reshape(1, -1, 2), size, size).reshape(-1, 2, 2)
    whole = torch.cat([corners.amin(1), corners.amax(1)], 1)
    cut = whole.clamp(0, size)
    area, side = (whole[:, 2:] - whole[:, :2]).prod(1), cut[:, 2:] - cut[:, :2]
    kept = (side.prod(1) >= visible * area) & (side.amin(1) >= 4)
    return cut[kept], kept
