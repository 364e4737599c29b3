"""Photos that commands read and pictures that they write; no PyTorch here."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from vision_core import images
from vision_core.errors import UserError
from vision_core.images import Photo

if TYPE_CHECKING:
    from vision_core.comparison.annotations import Truth

_PICTURES = (".png", ".jpg", ".jpeg", ".webp")


def read_photo(name: str) -> Photo:
    """Decode a file, or standard input for ``-``.

    Raises:
        UserError: it cannot be read, or is no picture.
    """
    if name == "-":
        return images.decode(sys.stdin.buffer.read(images.MAX_BYTES + 1), "standard input")
    try:
        with open(name, "rb") as stream:
            return images.decode(stream.read(images.MAX_BYTES + 1), Path(name).name)
    except OSError as error:
        raise UserError(f"{name} cannot be read ({error.strerror}); check the path.") from None


def overlay_path(asked: Path, photo: Photo, number: int, count: int) -> Path:
    """Where the picture of the ``number``-th of ``count`` photos goes.

    Raises:
        UserError: the name is no picture file's.
    """
    check_overlay(asked)
    if asked.is_dir() or not asked.suffix:
        lead = f"{number}-" if count > 1 else ""  # two photos may have the same name
        return asked / f"{lead}{Path(photo.name).stem}.png"
    return asked if count == 1 else asked.with_stem(f"{asked.stem}-{number}")


def check_overlay(asked: Path) -> None:
    """Refuse a name that is neither a folder's nor a picture's.

    Raises:
        UserError: naming it.
    """
    if asked.suffix and not asked.is_dir() and asked.suffix.lower() not in _PICTURES:
        raise UserError(f"{asked} is no picture name; end it in {', '.join(_PICTURES)}.")


def read_truth(path: Path, photo: Photo) -> Truth:
    """The true boxes of a photo from a COCO annotation file.

    Raises:
        UserError: it cannot be read, is no such file, or the photo is not in it.
    """
    from vision_core.comparison.annotations import read_coco

    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}); check the path.") from None
    return read_coco(data, photo.width, photo.height, photo.name)
