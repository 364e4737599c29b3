"""Recipes ``fcos_s``, ``faster_rcnn_s``, ``yolo_s``: boxes of people, animals and everyday things.

Matching and losses are those of torchvision's ``FCOS`` (focal, generalised IoU, centerness) and
``FasterRCNN`` (for proposals and for boxes: cross-entropy and smooth L1); those of ``yolo_s`` are
the paper's sum of squares. Start ``fcos_s`` from
``resnet_s`` and ``faster_rcnn_s`` from ``fcos_s`` (``--init``): the trunk then knows what things
look like. They differ in the network and in the numbering of the classes only.

Besides photos with boxes the network sees portraits (boxes drawn around masks) and photos of
things that are none of its classes, so that it learns that a photo may show nothing it knows.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vision_core.evaluation.annotations import (
    DETECTION_SETS,
    AnnotatedPhoto,
    annotated_photos,
    portraits,
)
from vision_core.evaluation.detection import score_detector
from vision_core.evaluation.everyday import nothing_known
from vision_core.models import zoo
from vision_core.models.zoo import fcos_s
from vision_core.training import cache, colour
from vision_core.training.loop import Options
from vision_core.training.windows import Windows, random_between, random_signs

CANVAS = 288
NAMES = dict.fromkeys(("fcos_s", "faster_rcnn_s", "yolo_s"), fcos_s.LABELS)
SIZES = {
    "fcos_s": ((0.6, 192), (1.0, 256)),
    "faster_rcnn_s": ((0.6, 192), (1.0, 256)),
    "yolo_s": ((0.6, 224), (1.0, 320)),
}
"""Side of the training pictures up to which share of the run."""
MOSAIC = 0.35
"""Share of pictures that are put together from four photos (Bochkovskiy et al., YOLOv4, 2020)."""
REPEATS = {"bicycle": 2, "bus": 2, "motorcycle": 2, "cow": 2, "sheep": 2}
"""How often photos with these classes come in an epoch."""
EMPTY = 0.15
"""Photos of nothing known, as a share of all others."""

Target = dict[str, Tensor]
Batch = tuple[Tensor, list[Target]]


class DetectionRecipe:
    """Square windows of many scales onto the photos, mirrored, with other colours."""

    batch_size = 16
    learning_rate = 1.5e-3
    weight_decay = 0.05
    score_minutes = 12.0

    def __init__(self, name: str = "fcos_s") -> None:
        self.name = name
        self.names = NAMES[name]
        self.first_label = 1 if name == "faster_rcnn_s" else 0
        """Two-stage networks keep label 0 for the background."""

    def prepare(self, options: Options) -> int:
        photos: list[AnnotatedPhoto] = []
        for dataset in DETECTION_SETS:
            photos += annotated_photos(options.data, dataset, "train", self.names)
        photos += portraits(options.data, "train", self.names.index("person"))
        empty = nothing_known(options.data, "train")
        step = max(1, round(len(empty) / (EMPTY * len(photos))))
        none = torch.zeros(0, 4)
        photos += [AnnotatedPhoto(p, none, none[:, 0].long(), None) for p in empty[::step]]
        self.notes = photos
        self.photos = cache.load([cache.Source(p.path) for p in photos], CANVAS, options.cache)
        self.rows = _repeated(photos, self.names)
        self.going_on = options.rate < 1
        self.val = [
            photo
            for dataset in ("voc12_subset", "coco_everyday")
            for photo in annotated_photos(options.data, dataset, "val", self.names)[::4]
        ]
        return len(self.rows)

    def model(self) -> nn.Module:
        network = zoo.build(self.name)
        network.transform._skip_resize = True  # type: ignore[union-attr]  # windows did it
        return network

    def batch(self, indices: Tensor, progress: float, rng: torch.Generator) -> Batch:
        sizes = SIZES[self.name]
        size = sizes[-1][1]
        if not self.going_on:
            size = next((s for end, s in sizes if progress < end), size)
        pictures, targets = self._read(self.rows[indices], size, rng)
        for row in (torch.rand(len(indices), generator=rng) < MOSAIC).nonzero()[:, 0].tolist():
            four = self.rows[torch.randint(len(self.rows), (4,), generator=rng)]
            pictures[row], targets[row] = mosaic(*self._read(four, size // 2, rng))
        return colour.jitter(pictures, rng), targets

    def _read(self, rows: Tensor, size: int, rng: torch.Generator) -> Batch:
        """Return uint8 pictures ``[N, 3, size, size]`` and what is on them."""
        windows = random_squares(self.photos.wh[rows], rng)
        pictures = colour.read_photos(windows, self.photos.pixels[rows], size, size)
        targets = []
        for row, index in enumerate(rows.tolist()):
            note = self.notes[index]
            boxes, kept = boxes_in_window(windows, row, note.boxes, size)
            unclear = torch.cat([note.boxes[~kept], note.crowds])
            slivers, _ = boxes_in_window(windows, row, unclear, size, visible=0.0)
            hide(pictures[row], slivers, boxes)
            targets.append({"boxes": boxes, "labels": note.labels[kept] + self.first_label})
        return pictures, targets

    def loss(self, network: nn.Module, batch: Batch, device: torch.device) -> Tensor:
        pictures, targets = batch
        targets = [{k: v.to(device) for k, v in target.items()} for target in targets]
        pictures = pictures.to(device, memory_format=torch.channels_last)
        losses = network(list(pictures), targets)
        return torch.stack(list(losses.values())).sum()

    def score(self, network: nn.Module) -> float:
        """AP50 on a quarter of the validation photos of both kinds, animals and everyday."""
        network.transform._skip_resize = False  # type: ignore[union-attr]
        try:
            return score_detector(network, self.val, self.names)["AP50"]
        finally:
            network.transform._skip_resize = True  # type: ignore[union-attr]


def _repeated(photos: list[AnnotatedPhoto], names: tuple[str, ...]) -> Tensor:
    """Return the rows of ``photos``, each as often as its photo shall come."""
    times = {names.index(name): many for name, many in REPEATS.items() if name in names}
    each = [max([1, *(times.get(k, 1) for k in p.labels.unique().tolist())]) for p in photos]
    return torch.arange(len(photos)).repeat_interleave(torch.tensor(each))


def mosaic(pictures: Tensor, targets: list[Target]) -> tuple[Tensor, Target]:
    """Put four pictures ``[4, 3, s, s]`` together to one of ``[3, 2s, 2s]``, boxes too."""
    side = pictures.shape[-1]
    whole = torch.cat([torch.cat(list(pictures[:2]), 2), torch.cat(list(pictures[2:]), 2)], 1)
    corners = torch.tensor([[0, 0], [side, 0], [0, side], [side, side]])
    boxes = [t["boxes"] + at.repeat(2) for t, at in zip(targets, corners, strict=True)]
    labels = torch.cat([t["labels"] for t in targets])
    return whole, {"boxes": torch.cat(boxes), "labels": labels}


def hide(picture: Tensor, crowds: Tensor, boxes: Tensor) -> None:
    """Paint crowds ``[C, 4]`` of ``[3, h, w]`` grey, in place, except where ``boxes`` lie.

    What cannot be seen is neither found nor missed, so that crowds, and objects of which the
    window shows next to nothing, count as nothing.
    """
    if not len(crowds):
        return
    hidden = torch.zeros(picture.shape[-2:], dtype=torch.bool)
    for value, rows in ((True, crowds), (False, boxes)):
        for x1, y1, x2, y2 in rows.round().int().tolist():
            hidden[y1:y2, x1:x2] = value
    for channel, mean in zip(picture, colour.MEAN, strict=True):
        channel[hidden] = round(255 * mean)


def random_squares(photo_wh: Tensor, rng: torch.Generator) -> Windows:
    """Return squares from about half the photo's shorter side to more than the longer one."""
    n = len(photo_wh)
    shorter = photo_wh.amin(1, keepdim=True)
    side = shorter * random_between(-0.7, 0.5, [n, 1], rng).exp()
    room = (photo_wh - side) / 2  # negative: the window is larger and may stick out
    centre = photo_wh / 2 + room * random_between(-1, 1, [n, 2], rng)
    wh = side * (random_between(-0.15, 0.15, [n, 2], rng)).exp()  # a little wider or taller
    return Windows(photo_wh, centre, wh, torch.zeros(n), random_signs(n, rng))


def boxes_in_window(
    windows: Windows, row: int, boxes: Tensor, size: int, visible: float = 0.3
) -> tuple[Tensor, Tensor]:
    """Carry boxes over to window ``row`` read at ``size`` x ``size`` and cut them at its edges.

    Returns:
        Boxes ``[M, 4]`` and the mask ``[K]`` of those kept: at least ``visible`` of their area
        lies inside or they fill an eighth of the window, and no side is shorter than 4 pixels.
    """
    one = Windows(*(part[row : row + 1] for part in vars(windows).values()))
    corners = one.points(boxes.reshape(1, -1, 2), size, size).reshape(-1, 2, 2)
    whole = torch.cat([corners.amin(1), corners.amax(1)], 1)
    cut = whole.clamp(0, size)
    area, side = (whole[:, 2:] - whole[:, :2]).prod(1), cut[:, 2:] - cut[:, :2]
    enough = (side.prod(1) >= visible * area) | (side.prod(1) >= size * size / 8)
    kept = enough & (side.amin(1) >= 4)
    return cut[kept], kept
