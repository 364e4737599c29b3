"""Small picture files of every kind, made with libraries other than the code under test."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import cv2
import numpy as np
import tifffile
from PIL import Image

WIDTH, HEIGHT = 12, 8


def pattern(height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    """HxWx3 uint8: smooth, so that lossy formats stay close, and different at each corner."""
    y, x = np.mgrid[0:height, 0:width]
    red = 40 + 150 * x / max(width - 1, 1)
    green = 40 + 150 * y / max(height - 1, 1)
    blue = 200 - (red + green) / 4
    return np.rint(np.dstack([red, green, blue])).astype(np.uint8)


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    """A Pillow image as a file."""
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def rgb_file(kind: str, array: np.ndarray | None = None, **options: Any) -> bytes:
    """The pattern, or another HxWx3 array, as a file."""
    array = pattern() if array is None else array
    return saved(Image.fromarray(array), kind, **options)


def tiff(array: np.ndarray, **options: Any) -> bytes:
    """An array of any type as a TIFF file, written by tifffile."""
    stream = io.BytesIO()
    tifffile.imwrite(stream, array, **options)
    return stream.getvalue()


def cv_png(array: np.ndarray) -> bytes:
    """A grey, RGB or RGBA array of 8 or 16 bits as PNG, written by OpenCV."""
    order = {3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}
    if array.ndim == 3:
        array = cv2.cvtColor(array, order[array.shape[2]])
    return cv2.imencode(".png", array)[1].tobytes()


def with_orientation(image: Image.Image, orientation: int, kind: str = "PNG") -> bytes:
    """A file whose EXIF data gives an orientation."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    return saved(image, kind, exif=exif)


def png_header_only(width: int, height: int) -> bytes:
    """A PNG file that promises a size and holds no pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(
            ">I", zlib.crc32(kind + body)
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IEND", b"")


def seeds() -> dict[str, bytes]:
    """One small file of each kind that can be read; what the fuzz test mutates."""
    array = pattern()
    image = Image.fromarray(array)
    alpha = Image.fromarray(np.dstack([array, array[..., :1]]))
    wide = array.astype(np.uint16) * 257
    frames = [image, image.transpose(Image.Transpose.ROTATE_180)]
    return {
        "jpeg": rgb_file("JPEG"),
        "jpeg-progressive": rgb_file("JPEG", progressive=True),
        "jpeg-cmyk": saved(image.convert("CMYK"), "JPEG"),
        "jpeg-exif": with_orientation(image, 6, "JPEG"),
        "jpeg-mpo": saved(image, "MPO", save_all=True, append_images=frames[1:]),
        "png": rgb_file("PNG"),
        "png-rgba": saved(alpha, "PNG"),
        "png-palette": saved(image.quantize(8), "PNG", transparency=0),
        "png-1": saved(image.convert("1"), "PNG"),
        "png-16": cv_png(wide),
        "png-16-grey": cv_png(wide[..., 0]),
        "apng": saved(image, "PNG", save_all=True, append_images=frames[1:]),
        "webp": rgb_file("WEBP"),
        "webp-lossless": saved(alpha, "WEBP", lossless=True),
        "webp-animated": saved(image, "WEBP", save_all=True, append_images=frames[1:]),
        "gif": rgb_file("GIF"),
        "gif-animated": saved(
            image.quantize(8), "GIF", save_all=True,
            append_images=[f.quantize(8) for f in frames[1:]],
        ),
        "bmp": rgb_file("BMP"),
        "bmp-palette": saved(image.quantize(16), "BMP"),
        "tiff": tiff(array, photometric="rgb"),
        "tiff-lzw": rgb_file("TIFF", compression="tiff_lzw"),
        "tiff-jpeg": rgb_file("TIFF", compression="jpeg"),
        "tiff-16": tiff(wide, photometric="rgb"),
        "tiff-16-zip": tiff(wide, photometric="rgb", compression="zlib"),
        "tiff-float": tiff(array[..., 0].astype(np.float32)),
        "tiff-pages": tiff(np.stack([array, array]), photometric="rgb"),
        "tiff-exif": with_orientation(image, 3, "TIFF"),
    }  # fmt: skip
