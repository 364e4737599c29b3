"""What a network is taught: pictures with labels, split into a training and a validation part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from vision_core.images import Photo
from vision_core.teaching.counts import check_classes

SIDE = 64
"""Pixels of the side of a photo for the small network."""
STORED = 96
"""Pixels of the side at which photos are kept: what ``resnet_s`` is taught with."""
HELD_OUT = 5
"""One picture in so many is for validation."""


@dataclass(frozen=True, eq=False)
class LearningSet:
    """Pictures and their classes.

    Attributes:
        name: of the data.
        pictures: float32 ``[N, C, H, W]`` in 0..1, read-only; C is 1 or 3.
        labels: int64 ``[N]``, indices into ``classes``.
        classes: names.
        training, validation: int64 indices of the two parts; together all pictures, once each.
        mirrored: whether a mirrored picture keeps its class (photos do, digits do not).
        pixels: uint8 ``[N, h, w, 3]``, the pictures as they are shown, maybe larger.
    """

    name: str
    pictures: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...]
    training: np.ndarray
    validation: np.ndarray
    mirrored: bool
    pixels: np.ndarray

    def __post_init__(self) -> None:
        for array in (self.pictures, self.labels, self.training, self.validation, self.pixels):
            array.setflags(write=False)


def split(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Every fifth picture of each class for validation, at least one; no chance is involved.

    Args:
        labels: int ``[N]``.

    Returns:
        indices of training and validation part, each rising.
    """
    held = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        own = np.flatnonzero(labels == label)
        held[own[HELD_OUT - 1 :: HELD_OUT] if len(own) >= HELD_OUT else own[-1:]] = True
    return np.flatnonzero(~held), np.flatnonzero(held)


@cache
def digits() -> LearningSet:
    """1,797 handwritten digits of 8x8 pixels in 17 grey levels.

    The test part of the UCI "Optical Recognition of Handwritten Digits" (Alpaydin and Kaynak 1998,
    CC BY 4.0), as scikit-learn brings it.
    """
    from sklearn.datasets import load_digits  # takes a second

    found = load_digits()
    pictures = (found.images / 16).astype(np.float32)[:, None]
    labels = found.target.astype(np.int64)
    pixels = (255 - found.images * (255 / 16)).round().astype(np.uint8)
    shown = np.repeat(pixels[..., None], 3, axis=-1)
    names = tuple(str(n) for n in range(10))
    return LearningSet("digits", pictures, labels, names, *split(labels), False, shown)


def square(pixels: np.ndarray, side: int = STORED) -> np.ndarray:
    """The square in the middle of a picture, made smaller or larger.

    Args:
        pixels: uint8 ``[H, W, 3]``.
        side: pixels of the result.

    Returns:
        uint8 ``[side, side, 3]``.
    """
    tall, wide = pixels.shape[:2]
    small = min(tall, wide)
    top, left = (tall - small) // 2, (wide - small) // 2
    cut = np.ascontiguousarray(pixels[top : top + small, left : left + small])
    how = cv2.INTER_AREA if small >= side else cv2.INTER_LINEAR
    return cv2.resize(cut, (side, side), interpolation=how)


def from_squares(
    classes: Mapping[str, Sequence[np.ndarray]], name: str = "classes", side: int = SIDE
) -> LearningSet:
    """A set of the user's own classes.

    Args:
        classes: name to its pictures, uint8 ``[STORED, STORED, 3]`` each.
        name: of the data.
        side: pixels of what the network sees.

    Raises:
        UserError: fewer than two classes, or one with fewer than two pictures, or too many.
    """
    check_classes({label: len(found) for label, found in classes.items()})
    shown = np.stack([one for found in classes.values() for one in found])
    labels = np.repeat(np.arange(len(classes)), [len(found) for found in classes.values()])
    pictures = _tensors(shown, side)
    return LearningSet(name, pictures, labels, tuple(classes), *split(labels), True, shown)


def _tensors(shown: np.ndarray, side: int) -> np.ndarray:
    small = shown
    if shown.shape[1] != side:
        small = np.stack([cv2.resize(p, (side, side), interpolation=cv2.INTER_AREA) for p in shown])
    return np.ascontiguousarray(small.transpose(0, 3, 1, 2)).astype(np.float32) / 255


_CROPS = (15, 5)
_CROP_SHARE = 0.42


def crops(photos: Mapping[str, Photo], side: int = SIDE) -> LearningSet:
    """Which photo is a crop from? Training crops from its left part, validation from the right.

    The two parts do not overlap, so that no pixel of a validation crop was learned.

    Args:
        photos: name to photo; each is a class.
        side: pixels of what the network sees.
    """
    shown, labels, held = [], [], []
    rng = np.random.default_rng(0)
    for label, photo in enumerate(photos.values()):
        size = max(8, int(_CROP_SHARE * min(photo.width, photo.height)))
        border = max(size, round(0.58 * photo.width))
        for part, count in enumerate(_CROPS):
            low, high = ((0, border - size), (border, max(border, photo.width - size)))[part]
            for _ in range(count):
                x = int(rng.integers(low, high + 1))
                y = int(rng.integers(0, photo.height - size + 1))
                shown.append(square(photo.pixels[y : y + size, x : x + size]))
                labels.append(label)
                held.append(bool(part))
    pixels, mask = np.stack(shown), np.array(held)
    return LearningSet(
        "crops",
        _tensors(pixels, side),
        np.array(labels, np.int64),
        tuple(photos),
        np.flatnonzero(~mask),
        np.flatnonzero(mask),
        True,
        pixels,
    )
