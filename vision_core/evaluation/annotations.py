"""Photos with boxes and masks, read from COCO-style annotation files."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vision_core.errors import UserError

DETECTION_SETS = ("voc12_subset", "coco_mini", "pennfudan")


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
    """

    path: Path
    boxes: Tensor
    labels: Tensor
    mask: Path | None
    outlines: tuple[Any, ...] = ()


def annotated_photos(
    data: Path, dataset: str, split: str, names: tuple[str, ...]
) -> list[AnnotatedPhoto]:
    """Return all photos of ``split``, with the boxes whose class is one of ``names``.

    Crowds are left out, and so are boxes thinner than a pixel.

    Raises:
        UserError: if the data are not there.
    """
    folder = data / dataset / split
    if not (folder / "annotations.json").exists():
        raise UserError(f"No data set {dataset}/{split} in {data}; give its folder with --data.")
    content = json.loads((folder / "annotations.json").read_text())
    titles = {entry["id"]: entry["name"] for entry in content["categories"]}
    boxes: dict[int, list[list[float]]] = {entry["id"]: [] for entry in content["images"]}
    labels: dict[int, list[int]] = {entry["id"]: [] for entry in content["images"]}
    outlines: dict[int, list[Any]] = {entry["id"]: [] for entry in content["images"]}
    for note in content["annotations"]:
        title = titles[note["category_id"]]
        x, y, w, h = note["bbox"]
        if title not in names or note.get("iscrowd") or min(w, h) < 1:
            continue
        boxes[note["image_id"]].append([x, y, x + w, y + h])
        labels[note["image_id"]].append(names.index(title))
        outlines[note["image_id"]].append(note.get("segmentation") or note.get("instance_value"))
    return [
        AnnotatedPhoto(
            folder / entry["file_name"],
            torch.tensor(boxes[entry["id"]], dtype=torch.float32).reshape(-1, 4),
            torch.tensor(labels[entry["id"]], dtype=torch.int64),
            folder / entry["mask"] if entry.get("mask") else None,
            tuple(outlines[entry["id"]]),
        )
        for entry in content["images"]
    ]
