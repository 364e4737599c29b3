"""What decoding a picture file costs, told by its headers before any pixel is decoded.

A file of a few kilobytes may promise gigabytes: strips that share their bytes, pixels of 16 bytes,
thousands of scans over the same picture. Each of these is counted here and refused above a limit.
"""

from __future__ import annotations

import io
import re
import struct
import time
from typing import Any

MAX_DECODED_BYTES = 420_000_000  # of everything a decoder holds at once
MAX_SCANS = 100  # of a progressive JPEG; encoders write about ten
MAX_SEGMENTS = 10_000  # of a JPEG file
MAX_PIECES = 100_000  # strips or tiles of a TIFF file, and values of any other of its fields
MAX_SECONDS = 8.0  # of this thread's processor time

_WEBP_BYTES = 16  # a pixel: two canvases of libwebp's animation decoder, its copy, and Pillow's
_RLE_BYTES = 4  # a pixel: Pillow decodes BMP's run lengths in Python and copies the result
_MARKER = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])")  # a JPEG marker that is not data or a restart
_NOT_FRAMES = (0xC4, 0xC8, 0xCC)  # Huffman tables, reserved, arithmetic conditioning
_BYTE_TYPES = (1, 2, 6, 7)  # TIFF: one byte a value
_PIECE_TAGS = (273, 279, 324, 325)  # offsets and lengths of strips and tiles


class TooMuch(Exception):
    """Decoding would cost more than is given; ``what`` and ``remedy`` are pieces of a sentence."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(what)
        self.what, self.remedy = what, remedy


class ClockedFile(io.BytesIO):
    """A file in memory whose reads stop once decoding has taken too long.

    Pillow reads block by block, so that this ends long loops over headers, chunks and scans. The
    clock counts the processor time of the thread that made the file: waiting costs nothing.
    """

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self._until = time.thread_time() + MAX_SECONDS

    def read(self, size: int | None = -1, /) -> bytes:
        """As ``io.BytesIO.read``; raises ``TooMuch`` when the time is over."""
        self.check()
        return super().read(size)

    def check(self) -> None:
        """Raise ``TooMuch`` when the time is over."""
        if time.thread_time() > self._until:
            raise TooMuch("takes too long to decode", "shrink it or save it again as PNG")


def check_header(kind: str, data: bytes) -> None:
    """Refuse what costs too much while a file is opened.

    Args:
        kind: format, as ``sniff.picture_format`` tells it.
        data: the file.

    Raises:
        TooMuch: too many segments, scans, strips or tiles.
    """
    if kind == "JPEG":
        jpeg_scans(data)
    if kind == "TIFF" and (count := _longest_field(data)) > MAX_PIECES:
        raise TooMuch(
            f"is a TIFF file of {count:,} pieces, and at most {MAX_PIECES:,} are read",
            "save it again in larger strips",
        )


def jpeg_scans(data: bytes) -> tuple[int, int]:
    """Scans that a decoder goes through, and the bytes of coefficients that it keeps meanwhile.

    A picture in one scan is decoded row by row; several scans refine coefficients of the whole
    picture, two bytes each (ITU-T T.81, B.2).

    Raises:
        TooMuch: more than ``MAX_SCANS`` or ``MAX_SEGMENTS``.
    """
    at, scans, coefficients, components, several = 2, 0, 0, 0, False
    for _ in range(MAX_SEGMENTS):
        found = _MARKER.search(data, at)
        if found is None or found[1] == b"\xd9":  # the end of the picture
            return scans, coefficients if several else 0
        marker, at = found[1][0], found.end()
        if marker in (0x01, 0xD8):  # without a length
            continue
        length = max(int.from_bytes(data[at : at + 2]), 2)
        body = data[at + 2 : at + length]
        at += length
        if 0xC0 <= marker <= 0xCF and marker not in _NOT_FRAMES and len(body) > 5:
            components, coefficients = body[5], _coefficient_bytes(body)
            several = marker in (0xC2, 0xC6, 0xCA, 0xCE)
        elif marker == 0xDA:
            scans += 1
            several = several or (len(body) > 0 and body[0] < components)
            if not several:
                return 1, 0
            if scans > MAX_SCANS:
                raise TooMuch(
                    f"is a JPEG file of more than {MAX_SCANS} scans, which takes too long to "
                    "decode",
                    "save it again with an image editor",
                )
    raise TooMuch(
        f"is a JPEG file of more than {MAX_SEGMENTS:,} segments",
        "save it again with an image editor",
    )


def _coefficient_bytes(frame: bytes) -> int:
    """Of a JPEG frame header: blocks of 64 coefficients, in whole units of the sampling factors."""
    height, width = struct.unpack(">HH", frame[1:5])
    factors = [(b >> 4, b & 15) for b in frame[7 : 6 + 3 * frame[5] : 3]]
    across, down = (max((f[i] for f in factors), default=1) or 1 for i in (0, 1))
    units = -(-width // (8 * across)) * -(-height // (8 * down))
    return units * sum(a * d for a, d in factors) * 128


def _longest_field(data: bytes) -> int:
    """Values of the longest field of a TIFF file's first directory, byte strings left out."""
    order = "<" if data[:2] == b"II" else ">"
    try:
        if data[2:4] in (b"+\0", b"\0+"):  # BigTIFF
            start, entry, step = struct.unpack_from(order + "Q", data, 8)[0], "HHQ", 20
            count, start = struct.unpack_from(order + "Q", data, start)[0], start + 8
        else:
            start, entry, step = struct.unpack_from(order + "I", data, 4)[0], "HHI", 12
            count, start = struct.unpack_from(order + "H", data, start)[0], start + 2
        longest = 0
        for at in range(start, min(start + count * step, len(data) - step + 1), step):
            tag, kind, values = struct.unpack_from(order + entry, data, at)
            if tag in _PIECE_TAGS or kind not in _BYTE_TYPES:
                longest = max(longest, values)
            if at - start > MAX_PIECES * step:
                return MAX_PIECES + 1
        return longest
    except struct.error:  # cut short: Pillow says so
        return 0


def check_pixels(image: Any, data: bytes, twice: bool) -> int:
    """Bytes that decoding holds at once, from what Pillow knows before it decodes.

    Args:
        image: opened, in draft mode where wanted, not loaded.
        data: the file.
        twice: it is decoded two times (16-bit colour).

    Raises:
        TooMuch: more than ``MAX_DECODED_BYTES``.
    """
    width, height = image.size
    pixels = width * height
    needed = pixels * _pixel_bytes(image) * (2 if twice else 1)
    if image.format in ("JPEG", "MPO"):
        needed += jpeg_scans(data)[1]
    elif image.format == "TIFF":
        turned = image.tag_v2.get(0x0112, 1) != 1  # Pillow turns a copy
        needed += _piece_bytes(image) + (pixels * _pixel_bytes(image) if turned else 0)
    elif image.format == "PNG" and getattr(image, "is_animated", False):
        needed *= 2
    elif image.format in ("BMP", "DIB") and any(t[0] == "bmp_rle" for t in image.tile):
        needed += pixels * _RLE_BYTES
    if needed > MAX_DECODED_BYTES:
        raise TooMuch(
            f"is too large ({width} x {height} pixels of its kind take {needed / 1e6:,.0f} MB of "
            f"memory, and at most {MAX_DECODED_BYTES / 1e6:.0f} MB are given)",
            "shrink it, or save it with 8 bits per channel",
        )
    return needed


def _pixel_bytes(image: Any) -> int:
    """What Pillow holds of one pixel: four bytes for every mode of several channels."""
    if image.format == "WEBP":
        return _WEBP_BYTES
    if image.mode in ("1", "L", "P"):
        return 1
    return 2 if image.mode.startswith("I;16") else 4


def _piece_bytes(image: Any) -> int:
    """The buffer into which libtiff decodes one strip or tile; raw files need none."""
    if not any(t[0] == "libtiff" for t in image.tile):
        return 0
    tags = image.tag_v2
    width = int(tags.get(322, image.size[0]))
    height = int(tags.get(323, min(int(tags.get(278, 2**32 - 1)), max(image.size))))
    bits = tags.get(258, (1,))
    per_pixel = max(4, -(-int(sum(bits)) // 8))  # libtiff makes RGBA of JPEG's colours
    return width * height * per_pixel
