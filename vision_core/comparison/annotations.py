"""What is really there: true boxes, from COCO's annotation format. No PyTorch here."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vision_core.errors import UserError

_FARTHEST = 1e6  # pixels; no photo is as large, and the area of such a box is still exact enough


@dataclass(frozen=True, eq=False)
class Truth:
    """Boxes that are really there.

    Attributes:
        boxes: float32 ``[K, 4]``, xyxy, photo pixels.
        labels: K class names.
    """

    boxes: np.ndarray
    labels: tuple[str, ...]


def read_coco(data: bytes, width: int, height: int, name: str | None = None) -> Truth:
    """Boxes of one image from COCO's annotation format, without those of crowds.

    Args:
        data: the JSON file.
        width, height: of the photo; annotations of an image of another size are scaled.
        name: of the photo's file; the only image is taken where there is one.

    Raises:
        UserError: it is no such file, or the image is not in it.
    """
    try:
        content = json.loads(data)
        # JSON may hold half of a surrogate pair, which no file and no page can show
        names = {
            c["id"]: str(c["name"]).encode("utf-8", "replace").decode()
            for c in content["categories"]
        }
        images = {i["id"]: i for i in content["images"]}
        chosen = _image(images, name)
        scale = (
            width / _length(images[chosen]["width"]),
            height / _length(images[chosen]["height"]),
        )
        rows = [
            n for n in content["annotations"] if n["image_id"] == chosen and not n.get("iscrowd")
        ]
        boxes = [_xyxy(n["bbox"], scale) for n in rows]
        labels = tuple(names[n["category_id"]] for n in rows)
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
    return Truth(np.array(boxes, np.float32).reshape(-1, 4), labels)


def _image(images: dict[int, dict[str, object]], name: str | None) -> int:
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


def _length(value: object) -> float:
    """A width or height of an image."""
    if not isinstance(value, int | float) or not 0 < value <= _FARTHEST:
        raise ValueError(f"an image size of {str(value)[:20]}")
    return float(value)
