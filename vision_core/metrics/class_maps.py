"""The truth of a class map: a PNG of indices or colours, or boxes that are filled."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

from vision_core import sniff
from vision_core.comparison.truth import Truth
from vision_core.errors import UserError
from vision_core.images import MAX_SOURCE_PIXELS
from vision_core.labels import canonical, comparable
from vision_core.metrics.pixels import IGNORED

MOST_VALUES = 256
"""Different values of a truth; more are a photograph."""
_VOID = 255
"""The index that data sets give to pixels that do not count."""
_INDEXED = ("1", "L", "P", "I", "I;16")
_ASPECT = 0.02
VOC = (
    "background aeroplane bicycle bird boat bottle bus car cat chair cow diningtable dog horse "
    "motorbike person pottedplant sheep sofa train tvmonitor"
).split()
"""Classes of Pascal VOC, in the order of its indices and colours."""


@dataclass(frozen=True, eq=False)
class ClassPicture:
    """A truth as it lies in a file.

    Attributes:
        values: int32 ``[H, W]`` at the photo's size: indices, or colours as 0xRRGGBB.
        coloured: whether the values are colours.
        found: every value with its number of pixels, most pixels first.
    """

    values: np.ndarray
    coloured: bool
    found: Mapping[int, int]

    def word(self, value: int) -> str:
        """A value as people write it: ``15`` or ``#C08080``."""
        return f"#{value:06X}" if self.coloured else str(value)

    def guesses(self, labels: Sequence[str]) -> dict[int, int]:
        """The class that each value most likely means, ``IGNORED`` for none.

        Colours are those of Pascal VOC, found by their class's name. Indices are Pascal VOC's
        where the network knows some of its classes but has another order, else the network's own.
        """
        names = {comparable(label): i for i, label in enumerate(labels)}
        voc = [names.get(comparable(name), IGNORED) for name in VOC]
        if self.coloured:
            table = {_voc_colour(i): label for i, label in enumerate(voc)}
        elif max((v for v in self.found if v != _VOID), default=0) >= len(labels):
            table = dict(enumerate(voc))
        else:
            table = {i: i for i in range(len(labels))}
        return {value: table.get(value, IGNORED) for value in self.found}

    def truth(self, meaning: Mapping[int, int]) -> np.ndarray:
        """The classes of the pixels: int32 ``[H, W]``, ``IGNORED`` where a value means none."""
        made = np.full(self.values.shape, IGNORED, np.int32)
        for value, label in meaning.items():
            made[self.values == value] = label
        return made


def read_class_picture(data: bytes, width: int, height: int) -> ClassPicture:
    """Read a truth from a PNG file.

    Args:
        data: the file: grey or with a palette, then its indices count; else its colours do.
        width, height: of the photo; a truth of another size is scaled, without new values.

    Raises:
        UserError: it is no PNG, has another shape than the photo, or too many values.
    """
    if sniff.picture_format(data) != "PNG":
        raise UserError("The truth must be a PNG file; other formats change its values.")
    try:
        with Image.open(io.BytesIO(data)) as image:
            if image.width * image.height > MAX_SOURCE_PIXELS:
                raise UserError(f"The truth has {image.width} x {image.height} pixels; too many.")
            coloured = image.mode not in _INDEXED
            array = np.array(image.convert("RGB") if coloured else image)
    except UserError:
        raise
    except Exception as error:  # Pillow's decoders raise many types on damaged files
        raise UserError(f"The truth cannot be read ({type(error).__name__}).") from None
    if coloured:
        array = array.astype(np.int32) @ np.array([1 << 16, 1 << 8, 1], np.int32)
    array = array.astype(np.int32)
    have, want = array.shape[1] / array.shape[0], width / height
    if abs(have / want - 1) > _ASPECT:
        raise UserError(
            f"The truth has {array.shape[1]} x {array.shape[0]} pixels, which is another shape "
            f"than that of the photo ({width} x {height})."
        )
    different = len(np.unique(array))
    if different > MOST_VALUES:
        raise UserError(
            f"The truth has {different:,} different values, at most {MOST_VALUES} can be; save "
            "it without smoothing, one value for each class."
        )
    if array.shape != (height, width):
        array = cv2.resize(array, (width, height), interpolation=cv2.INTER_NEAREST)
    values, counts = np.unique(array, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    found = {int(values[i]): int(counts[i]) for i in order}
    return ClassPicture(array, coloured, found)


@dataclass(frozen=True, eq=False)
class Outline:
    """A polygon: class name and float64 corners ``[K, 2]`` (x, y) in the photo's pixels."""

    label: str
    corners: np.ndarray


def filled(
    truth: Truth,
    width: int,
    height: int,
    labels: Sequence[str],
    outlines: Sequence[Outline] = (),
) -> np.ndarray:
    """True boxes and outlines as a class map: filled, the smallest on top of the larger ones.

    Args:
        truth: boxes in the photo's pixels; those of unknown classes do not count.
        width, height: of the photo.
        labels: of the network; without a background class what lies around does not count.
        outlines: polygons, of the same classes.

    Returns:
        int32 ``[height, width]``.
    """
    names = {comparable(label): i for i, label in enumerate(labels)}
    empty = next((i for i, n in enumerate(labels) if canonical(n) == "background"), IGNORED)
    shapes = [
        (label, inside(np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2]]), width, height))
        for label, (x1, y1, x2, y2) in zip(truth.labels, truth.boxes.tolist(), strict=True)
    ]
    shapes += [(one.label, inside(one.corners, width, height)) for one in outlines]
    made = np.full((height, width), empty, np.int32)
    for label, mask in sorted(shapes, key=lambda shape: -int(shape[1].sum())):
        made[mask] = names.get(comparable(label), IGNORED)
    return made


def inside(corners: np.ndarray, width: int, height: int) -> np.ndarray:
    """The pixels whose centre lies in a polygon, by the even-odd rule: bool ``[height, width]``.

    Args:
        corners: ``[K, 2]`` (x, y); pixel (0, 0) reaches from 0 to 1. The last one is joined to the
            first.
        width, height: of the map.
    """
    crossed = np.zeros((height, width + 1), np.int32)
    middles = np.arange(height) + 0.5
    for (x1, y1), (x2, y2) in zip(corners, np.roll(corners, -1, 0), strict=True):
        rows = np.flatnonzero((middles >= min(y1, y2)) & (middles < max(y1, y2)))
        if len(rows):
            at = x1 + (middles[rows] - y1) * (x2 - x1) / (y2 - y1)
            # from the first centre right of the edge on, one more edge is crossed
            np.add.at(crossed, (rows, np.ceil(at - 0.5).clip(0, width).astype(int)), 1)
    odd: np.ndarray = crossed[:, :width].cumsum(1) % 2 == 1
    return odd


def _voc_colour(index: int) -> int:
    """The colour of a class in Pascal VOC's pictures: its bits spread over the channels."""
    colour = [0, 0, 0]
    for bit in range(8):
        for channel in range(3):
            colour[channel] |= (index >> (3 * bit + channel) & 1) << (7 - bit)
    return colour[0] << 16 | colour[1] << 8 | colour[2]
