"""Which pixels belong to which box."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from PIL import Image
from torchvision.ops import box_iou

from vision_core.evaluation.annotations import AnnotatedPhoto
from vision_core.models.zoo.fcos_s import ANIMALS_AND_PEOPLE

VOC = (
    "background airplane bicycle bird boat bottle bus car cat chair cow dining_table dog horse"
    " motorcycle person potted_plant sheep couch train tv"
)
VOC_NUMBERS = {name.replace("_", " "): number for number, name in enumerate(VOC.split())}
"""COCO's name of each class of Pascal VOC -> its number in VOC's masks."""
SMALLEST = 30
"""A mask of fewer pixels tells nothing about a shape."""


def instance_map(
    photo: AnnotatedPhoto, names: Sequence[str] = ANIMALS_AND_PEOPLE
) -> tuple[np.ndarray, np.ndarray]:
    """Return the instances of a photo as one map of numbers.

    Polygons are filled, large ones first, so that what overlaps goes to the smaller one. A mask
    of classes is cut by the boxes: a box whose class no other box that it touches has, owns the
    pixels of its class inside it. ``names`` are those that the photo was read with.

    Returns:
        uint8 ``[H, W]``: 0 for none, ``k + 1`` for the pixels of box ``k``; and bool ``[K]``:
        whether the pixels of that box are known.
    """
    with Image.open(photo.path) as picture:
        pixels = np.zeros((picture.height, picture.width), np.uint8)
    count = len(photo.boxes)
    if count and isinstance(photo.outlines[0], int):
        numbers = np.array(Image.open(photo.mask)) if photo.mask else pixels
        for index, number in enumerate(photo.outlines):
            pixels[numbers == number] = index + 1
    elif any(isinstance(outline, list) for outline in photo.outlines):
        _fill(pixels, photo)
    elif photo.mask is not None:
        _cut(pixels, photo, names)
    filled = np.bincount(pixels.ravel(), minlength=count + 1)[1 : count + 1]
    return pixels, filled >= SMALLEST


def _fill(pixels: np.ndarray, photo: AnnotatedPhoto) -> None:
    sides = photo.boxes[:, 2:] - photo.boxes[:, :2]
    for index in sides.prod(1).argsort(descending=True).tolist():
        outline = photo.outlines[index]
        if isinstance(outline, list):
            polygons = [np.round(np.array(p).reshape(-1, 2)).astype(np.int32) for p in outline]
            cv2.fillPoly(pixels, polygons, index + 1)


def _cut(pixels: np.ndarray, photo: AnnotatedPhoto, names: Sequence[str]) -> None:
    assert photo.mask is not None
    classes = np.array(Image.open(photo.mask))
    same = photo.labels[:, None] == photo.labels[None]
    touching = (box_iou(photo.boxes, photo.boxes) > 0) & same
    touching &= ~torch.eye(len(same), dtype=torch.bool)
    for index, label in enumerate(photo.labels.tolist()):
        if touching[index].any():
            continue
        x1, y1, x2, y2 = (round(v) for v in photo.boxes[index].tolist())
        part = (slice(y1, y2), slice(x1, x2))
        pixels[part][classes[part] == VOC_NUMBERS[names[label]]] = index + 1
