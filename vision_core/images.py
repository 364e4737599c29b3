"""Bytes to :class:`Photo`: the one door through which pictures enter.

What decoding costs is told by a file's header before any pixel is decoded (``budget``), so that a
small file cannot ask for much memory or time. Whatever is wrong with a file becomes one sentence
(:class:`UserError`).
"""

from __future__ import annotations

import ctypes
import hashlib
import logging
import math
import threading
import warnings
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

import numpy as np
from PIL import Image

from vision_core import budget, colour, sniff
from vision_core import pixels as _pixels
from vision_core.errors import UserError

MAX_BYTES = 200 * 1024 * 1024  # of the file
MAX_SOURCE_PIXELS = 100_000_000  # width x height in the header; refused above
MAX_PIXELS = 4_000_000  # of a Photo; larger pictures are shrunk
MAX_SIDE = 4096  # of a Photo
_BIG_BYTES = 64_000_000  # such pictures are decoded one at a time, to bound the memory

_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "DIB", "TIFF", "MPO")

# Bytes that libjpeg gets at a time; between two pieces other threads run and the clock is read.
_JPEG_BLOCK = 4096
_big = threading.BoundedSemaphore(1)


@dataclass(frozen=True, eq=False)
class Photo:
    """A decoded picture; what is shown is exactly what the model sees.

    Two photos are equal when ``sha256`` and the shape are; pixels are never compared.

    Attributes:
        pixels: HxWx3 uint8 RGB, read-only.
        sha256: hexadecimal digest of the file's bytes.
        name: file name, on one line, without folders.
        source_size: (width, height) of the file, upright, before any shrinking.
        notes: what decoding had to do, in the order in which it was done.
    """

    pixels: np.ndarray = field(repr=False)
    sha256: str
    name: str
    source_size: tuple[int, int]
    notes: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        """Columns of ``pixels``."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """Rows of ``pixels``."""
        return int(self.pixels.shape[0])

    @property
    def key(self) -> tuple[str, int, int]:
        """What caches use in place of the pixels."""
        return self.sha256, self.width, self.height

    def __eq__(self, other: object) -> bool:
        return self.key == other.key if isinstance(other, Photo) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.key)


def decode(data: bytes, name: str = "photo") -> Photo:
    """Read a JPEG, PNG, WebP, GIF (first frame), BMP or TIFF file.

    EXIF orientation is applied, transparency flattened on white, any mode and depth converted to
    8-bit RGB, colours to sRGB by the file's ICC profile, pictures above ``MAX_PIXELS`` or
    ``MAX_SIDE`` shrunk; ``Photo.notes`` tells which. Takes at most 600 MB and about 10 seconds.

    Args:
        data: the file's bytes.
        name: its name, for messages; the format is recognised by content.

    Raises:
        UserError: the file is empty, too large, too slow to decode, damaged or not a picture.
    """
    data, name = bytes(data), _clean(name)
    kind = _check_bytes(data, name)
    notes: list[str] = []
    promised = sniff.format_of_name(name)
    if promised is not None and promised != kind:
        notes.append(f"the name says {promised}, the content is {kind}")
    try:
        budget.check_header(kind, data)
        file = budget.ClockedFile(data)
        image = _open(file)
        width, height = image.size
        if width * height > MAX_SOURCE_PIXELS:
            raise UserError(_too_large(name, f"{width} x {height} pixels"))
        array, size = _read(image, file, data, notes)
    except UserError:
        raise
    except Image.DecompressionBombError:
        raise UserError(_too_large(name, "more than 179 million pixels")) from None
    except budget.TooMuch as cost:
        raise UserError(f"{name} {cost.what}; {cost.remedy} and try again.") from None
    except Exception as error:  # Pillow's decoders raise many types on damaged files
        raise UserError(_damaged(name, kind, error)) from None
    return Photo(array, hashlib.sha256(data).hexdigest(), name, size, tuple(notes))


def from_array(array: np.ndarray, name: str = "array") -> Photo:
    """A photo of an array of HxWx3 uint8 RGB; the array is copied.

    Raises:
        UserError: another shape or type, or no pixels.
    """
    array = np.asarray(array)
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != 3 or not array.size:
        raise UserError(
            f"A photo is made from an array of shape HxWx3 and type uint8, "
            f"not {array.shape} and {array.dtype}; convert it first."
        )
    fixed = _freeze(array)
    digest = hashlib.sha256(repr(array.shape).encode() + fixed.tobytes()).hexdigest()
    return Photo(fixed, digest, _clean(name), (array.shape[1], array.shape[0]))


def _check_bytes(data: bytes, name: str) -> str:
    """The format, or UserError."""
    if not data:
        raise UserError(f"{name} is empty (0 bytes); choose the file again or download it anew.")
    if len(data) > MAX_BYTES:
        size = f"{len(data) / 2**20:.0f} MB"
        raise UserError(_too_large(name, f"{size}, and at most {MAX_BYTES >> 20} MB are read"))
    kind = sniff.picture_format(data)
    if kind is None:
        what, todo = sniff.what_instead(data)
        raise UserError(f"{name} is {what}; {todo}.")
    return kind


def _quiet_pillow() -> None:
    """Damaged files make Pillow warn; what matters of it is in our own sentence.

    ``warnings.catch_warnings`` would restore filters under the feet of other threads; adding the
    same filter again changes nothing.
    """
    warnings.filterwarnings("ignore", module=r"PIL\.")
    warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)


def _quiet_libtiff() -> None:
    """Keep the libtiff inside Pillow from printing to standard error; Pillow raises as well."""
    try:
        library = ctypes.CDLL(Image.core.__file__)
        library.TIFFSetErrorHandler(None)
        library.TIFFSetWarningHandler(None)
    except (AttributeError, OSError):  # Windows does not look into a library's dependencies
        pass


_quiet_libtiff()
# Without a handler Python prints the errors of Pillow's TIFF reader to standard error.
logging.getLogger("PIL").addHandler(logging.NullHandler())


def _open(file: budget.ClockedFile) -> Image.Image:
    _quiet_pillow()
    return Image.open(file, formats=_FORMATS)


def _read(
    image: Any, file: budget.ClockedFile, data: bytes, notes: list[str]
) -> tuple[np.ndarray, tuple[int, int]]:
    """Pixels, upright and shrunk, and the upright size of the source."""
    if _is_animated(image) and image.format != "MPO":
        notes.append("the first of several frames")
    source = image.size
    if image.format in ("JPEG", "MPO"):
        image.decodermaxblock = _JPEG_BLOCK
        if source[0] * source[1] > MAX_PIXELS:
            image.draft(None, _target(*source))
    cost = budget.check_pixels(image, data, _pixels.is_sixteen_bit_colour(image))
    # TIFF pictures turn themselves upright while loading, and have the upright size before.
    by_pillow = image.format == "TIFF"
    orientation = _orientation(image) if by_pillow else 1
    with _big if cost > _BIG_BYTES else nullcontext():
        shrunk = _pixels.shrunk(image, file, _target(*source), data, notes)
    if not by_pillow:
        orientation = _orientation(image)  # after loading: PNG may keep it behind the pixels
    converted = colour.to_srgb(shrunk, image.info.get("icc_profile"), notes)
    array = np.asarray(_pixels.on_white(converted, notes))
    size = source
    if orientation != 1:
        notes.append(f"turned upright as its EXIF data says (orientation {orientation})")
        if not by_pillow:
            array = _upright(array, orientation)
            size = source[::-1] if orientation >= 5 else source
    if (array.shape[1], array.shape[0]) != size:
        notes.append(
            f"shrunk from {size[0]} x {size[1]} to {array.shape[1]} x {array.shape[0]} pixels"
        )
    return _freeze(array), (int(size[0]), int(size[1]))


def _is_animated(image: Image.Image) -> bool:
    """Whether there is a second frame; counting them all would walk through the whole file."""
    try:
        return bool(getattr(image, "is_animated", False))
    except budget.TooMuch:
        raise
    except Exception:  # a damaged later frame does not matter
        return False


def _orientation(image: Image.Image) -> int:
    """EXIF orientation, 1 to 8; 1 where there is none or the EXIF data is damaged."""
    try:
        value = image.getexif().get(0x0112, 1)
    except budget.TooMuch:
        raise
    except Exception:
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _upright(array: np.ndarray, orientation: int) -> np.ndarray:
    """Undo EXIF orientation (TIFF 6.0, tag 274: where row 0 and column 0 of the file lie)."""
    if orientation >= 5:  # rows and columns change places
        array = array.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        array = array[:, ::-1]
    if orientation in (3, 4, 7, 8):
        array = array[::-1]
    return array


def _target(width: int, height: int) -> tuple[int, int]:
    """The size within MAX_PIXELS and MAX_SIDE, aspect kept."""
    scale = min(1.0, math.sqrt(MAX_PIXELS / (width * height)), MAX_SIDE / max(width, height))
    return max(1, int(width * scale)), max(1, int(height * scale))


def _freeze(array: np.ndarray) -> np.ndarray:
    """A read-only copy; bytes underneath, so that nobody can make it writeable again."""
    return np.frombuffer(array.tobytes(), np.uint8).reshape(array.shape)


def _clean(name: str) -> str:
    """A file name that fits a one-line message."""
    flat = "".join(c if c.isprintable() else " " for c in PurePath(name.replace("\\", "/")).name)
    flat = " ".join(flat.split()) or "photo"
    return flat if len(flat) <= 80 else f"{flat[:60]}...{flat[-17:]}"


def _too_large(name: str, what: str) -> str:
    limit = f"{MAX_SOURCE_PIXELS // 1_000_000} million pixels"
    return f"{name} is too large ({what}); shrink it to less than {limit} and try again."


def _damaged(name: str, kind: str, error: Exception) -> str:
    if isinstance(error, MemoryError):
        return f"{name} needs more memory than there is; shrink it and try again."
    cut = " (the end of the file is missing)" if "truncated" in str(error) else ""
    return f"{name} is a damaged {kind} file{cut}; download or export it again."
