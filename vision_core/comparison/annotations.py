"""What is really there: true boxes, from COCO's annotation format. No PyTorch here."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from vision_core.errors import UserError

_FARTHEST = 1e6  # pixels; no photo is as large, and the area of such a box is still exact enough


@dataclass(frozen=True, eq=False)
class Truth:
    """Boxes that are really there.

    Attributes:
        boxes: float32 ``[K, 4]``, xyxy, photo pixels.
        labels: K class names.
        shapes: K times what a file says of the region (``shapes.region`` reads it), ``None`` where
            it says nothing; empty where there is no file.
        file_size: (width, height) of the file's image, in whose pixels the shapes are.
    """

    boxes: np.ndarray
    labels: tuple[str, ...]
    shapes: tuple[Any, ...] = ()
    file_size: tuple[float, float] | None = None


def read_coco(data: bytes, width: int, height: int, name: str | None = None) -> Truth:
    """Boxes of one image from COCO's annotation format, without those of crowds.

    Args:
        data: the JSON file.
        width, height: of the photo; annotations of an image of another size are scaled.
        name: of the photo's file; the only image is taken where there is one.

    Raises:
        UserError: it is no such file, or the image is not in it.
    """
    file = CocoFile(data)
    with told():
        return file.truth(image_of(file.images, name), width, height)


class CocoFile:
    """COCO's annotation format, read once for many photos.

    Attributes:
        names: of the categories, by id.
        images: the entries of the images, by id.
        joints: names of the keypoints of a category, by its id, where the file tells them.
    """

    def __init__(self, data: bytes) -> None:
        """Read the JSON file.

        Raises:
            UserError: it is no such file.
        """
        with told():
            content = json.loads(data)
            # JSON may hold half of a surrogate pair, which no file and no page can show
            self.names: dict[int, str] = {
                c["id"]: str(c["name"]).encode("utf-8", "replace").decode()
                for c in content["categories"]
            }
            self.joints: dict[int, tuple[str, ...]] = {
                c["id"]: tuple(map(str, c["keypoints"]))
                for c in content["categories"]
                if c.get("keypoints")
            }
            self.images: dict[int, dict[str, Any]] = {i["id"]: i for i in content["images"]}
            self._notes: dict[int, list[dict[str, Any]]] = {}
            for note in content["annotations"]:
                if not note.get("iscrowd"):
                    self._notes.setdefault(note["image_id"], []).append(note)
            self._files: dict[str, list[int]] = {}
            for key, image in self.images.items():
                self._files.setdefault(str(image.get("file_name")), []).append(key)

    def find(self, path: str) -> int | None:
        """Id of the image with this path, or else with its last part; ``None`` without just one."""
        for name in (path, PurePosixPath(path).name):
            if len(found := self._files.get(name, [])) == 1:
                return found[0]
        return None

    def notes(self, image: int) -> list[dict[str, Any]]:
        """The annotations of an image as they stand in the file, without those of crowds."""
        return self._notes.get(image, [])

    def truth(self, image: int, width: int, height: int) -> Truth:
        """Boxes of an image, scaled to a photo of ``width`` x ``height`` pixels.

        Raises:
            UserError: the entries of the image are none.
        """
        with told():
            entry = self.images[image]
            scale = (width / length(entry["width"]), height / length(entry["height"]))
            rows = self.notes(image)
            boxes = [_xyxy(n["bbox"], scale) for n in rows]
            labels = tuple(self.names[n["category_id"]] for n in rows)
            return Truth(
                np.array(boxes, np.float32).reshape(-1, 4),
                labels,
                tuple(n.get("segmentation") or None for n in rows),
                (length(entry["width"]), length(entry["height"])),
            )


@contextmanager
def told() -> Iterator[None]:
    """Whatever is wrong with the file becomes one sentence."""
    try:
        yield
    except UserError:  # a sentence of its own
        raise
    except (
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        ArithmeticError,
        RecursionError,
    ) as error:
        raise UserError(
            f"The file is no COCO annotation file ({type(error).__name__}: "
            f"{str(error)[:80]}); it needs "
            "images, categories and annotations with bbox."
        ) from None


def image_of(images: dict[int, dict[str, Any]], name: str | None) -> int:
    """Id of the only image, or of that with this file name.

    Raises:
        UserError: there is no such one.
    """
    if len(images) == 1:
        return next(iter(images))
    found = [key for key, image in images.items() if image.get("file_name") == name]
    if len(found) != 1:
        raise UserError(f"The file holds {len(images)} images, and none of them is {name}.")
    return found[0]


def _xyxy(box: Sequence[float], scale: tuple[float, float]) -> list[float]:
    x, y, w, h = (float(v) for v in box)
    corners = [x * scale[0], y * scale[1], (x + w) * scale[0], (y + h) * scale[1]]
    if not all(abs(v) <= _FARTHEST for v in corners) or not (w >= 0 and h >= 0):
        raise ValueError(f"bbox {list(box)}")
    return corners


def length(value: object) -> float:
    """A width or height of an image."""
    if not isinstance(value, int | float) or not 0 < value <= _FARTHEST:
        raise ValueError(f"an image size of {str(value)[:20]}")
    return float(value)
