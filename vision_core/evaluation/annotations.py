"""Photos with boxes and masks, read from COCO-style annotation files."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from PIL import Image
from torch import Tensor

from vision_core.errors import UserError

DETECTION_SETS = ("voc12_subset", "coco_everyday", "coco_mini", "pennfudan", "voc_more")
VOC_NAMES = {
    "aeroplane": "airplane",
    "diningtable": "dining table",
    "motorbike": "motorcycle",
    "pottedplant": "potted plant",
    "sofa": "couch",
    "tvmonitor": "tv",
}
"""What Pascal VOC calls otherwise than COCO; COCO's names are used."""
LARGE_PART = 0.02
"""Share of a photo from which a part of a mask of people is taken for one person."""
WIDEST = 1.25
"""Width over height above which such a part is taken for several people."""


@dataclass(frozen=True)
class AnnotatedPhoto:
    """One photo and what is marked on it.

    Attributes:
        path: of the picture.
        boxes: ``[K, 4]`` x1, y1, x2, y2 in its pixels.
        labels: ``[K]`` int64, indices into the names that were asked for.
        mask: path of the mask, if there is one: of class numbers, or of instance numbers.
        outlines: per box what tells its pixels: polygons (lists of x, y, x, y ...), its number in
            the instance mask, or ``None``.
        crowds: ``[C, 4]`` boxes around crowds, to be ignored: no positive and no negative.
        crowd_labels: ``[C]`` their classes.
    """

    path: Path
    boxes: Tensor
    labels: Tensor
    mask: Path | None
    outlines: tuple[Any, ...] = ()
    crowds: Tensor = field(default_factory=lambda: torch.zeros(0, 4))
    crowd_labels: Tensor = field(default_factory=lambda: torch.zeros(0, dtype=torch.int64))


def annotated_photos(
    data: Path, dataset: str, split: str, names: tuple[str, ...]
) -> list[AnnotatedPhoto]:
    """Return all photos of ``split``, with the boxes whose class is one of ``names``.

    Boxes thinner than a pixel are left out. Pascal VOC's names count as COCO's (``VOC_NAMES``).

    Raises:
        UserError: if the data are not there.
    """
    folder = data / dataset / split
    if not (folder / "annotations.json").exists():
        raise UserError(f"No data set {dataset}/{split} in {data}; give its folder with --data.")
    content = json.loads((folder / "annotations.json").read_text())
    titles = {e["id"]: VOC_NAMES.get(e["name"], e["name"]) for e in content["categories"]}
    notes: dict[int, list[Any]] = {entry["id"]: [] for entry in content["images"]}
    for note in content["annotations"]:
        title = titles[note["category_id"]]
        if title in names and min(note["bbox"][2:]) >= 1:
            notes[note["image_id"]].append((names.index(title), note))
    return [_photo(folder, entry, notes[entry["id"]]) for entry in content["images"]]


def _photo(folder: Path, entry: dict[str, Any], notes: list[Any]) -> AnnotatedPhoto:
    single = [(label, note) for label, note in notes if not note.get("iscrowd")]
    crowds = [(label, note) for label, note in notes if note.get("iscrowd")]
    return AnnotatedPhoto(
        folder / entry["file_name"],
        _corners([note["bbox"] for _, note in single]),
        torch.tensor([label for label, _ in single], dtype=torch.int64),
        folder / entry["mask"] if entry.get("mask") else None,
        tuple(note.get("segmentation") or note.get("instance_value") for _, note in single),
        _corners([note["bbox"] for _, note in crowds]),
        torch.tensor([label for label, _ in crowds], dtype=torch.int64),
    )


def _corners(xywh: list[list[float]]) -> Tensor:
    """``[K, 4]``: x, y, width, height -> x1, y1, x2, y2."""
    boxes = torch.tensor(xywh, dtype=torch.float32).reshape(-1, 4)
    return torch.cat([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], 1)


def portraits(data: Path, split: str, person: int) -> list[AnnotatedPhoto]:
    """Return the photos of ``person_masks`` whose people can be told apart, with their boxes.

    There a mask may hold several people. Each large connected part counts as one person; a photo
    with a part that is wider than a person is left out.

    Raises:
        UserError: if the data are not there.
    """
    photos = []
    for photo in annotated_photos(data, "person_masks", split, ("person",)):
        assert photo.mask is not None
        with Image.open(photo.mask) as file:
            mask = (np.asarray(file) > 0).astype(np.uint8)
        _, _, parts, _ = cv2.connectedComponentsWithStats(mask)
        parts = parts[1:]
        large = parts[parts[:, 4] >= LARGE_PART * mask.size]
        if not len(large) or (large[:, 2] > WIDEST * large[:, 3]).any():
            continue
        boxes = _corners(large[:, :4].tolist())
        labels = torch.full((len(boxes),), person)
        photos.append(AnnotatedPhoto(photo.path, boxes, labels, None))
    return photos
