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


PNG_MAGIC = b"\x89PNG\r\n\x1a\n"


def png_chunk(kind: bytes, body: bytes) -> bytes:
    """Length, kind, body and check sum."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_header_only(width: int, height: int) -> bytes:
    """A PNG file that promises a size and holds no pixels."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return PNG_MAGIC + png_chunk(b"IHDR", head) + png_chunk(b"IEND", b"")


def shared_strips(
    width: int,
    height: int,
    bits: tuple[int, ...],
    strip: bytes,
    rows: int = 1,
    photometric: int = 1,
    sample_format: int = 1,
    icc: bytes = b"",
) -> bytes:
    """An uncompressed TIFF file whose strips of ``rows`` rows are all the same bytes.

    Args:
        width, height: in pixels.
        bits: of each sample of a pixel.
        strip: the bytes of every strip.
        rows: of a strip.
        photometric: 0 WhiteIsZero, 1 BlackIsZero, 2 RGB.
        sample_format: 1 unsigned, 2 signed, 3 float.
        icc: a colour profile.
    """
    count, samples, tail = -(-height // rows), len(bits), b""
    fields: list[tuple[int, int, int, bytes]] = [
        (256, 4, 1, struct.pack("<I", width)),
        (257, 4, 1, struct.pack("<I", height)),
        (258, 3, samples, struct.pack(f"<{samples}H", *bits)),
        (259, 3, 1, struct.pack("<H", 1)),
        (262, 3, 1, struct.pack("<H", photometric)),
        (273, 4, count, b""),
        (277, 3, 1, struct.pack("<H", samples)),
        (278, 4, 1, struct.pack("<I", rows)),
        (279, 4, count, struct.pack("<I", len(strip)) * count),
    ]
    if samples == 4:
        fields.append((338, 3, 1, struct.pack("<H", 2)))  # the fourth is alpha
    fields.append((339, 3, samples, struct.pack(f"<{samples}H", *[sample_format] * samples)))
    if icc:
        fields.append((34675, 7, len(icc), icc))
    start = 8 + 2 + 12 * len(fields) + 4
    tail += strip
    fields[5] = (273, 4, count, struct.pack("<I", start) * count)
    head = b"II*\0" + struct.pack("<IH", 8, len(fields))
    for tag, kind, n, value in fields:
        if len(value) > 4:
            tail += b"\0" * (len(tail) % 2)
            value, tail = struct.pack("<I", start + len(tail)), tail + value
        head += struct.pack("<HHI", tag, kind, n) + value.ljust(4, b"\0")
    return head + b"\0\0\0\0" + tail


def twelve_bit_tiff(values: np.ndarray) -> bytes:
    """A grey TIFF file of two samples in three bytes, HxW with an even width, values to 4095."""
    pairs = values.reshape(-1, 2).astype(np.uint32)
    packed = pairs[:, 0] << 12 | pairs[:, 1]
    strip = np.stack([packed >> 16, packed >> 8 & 255, packed & 255], 1).astype(np.uint8)
    height, width = values.shape
    return shared_strips(width, height, (12,), strip.tobytes(), height)


def png_of_rows(width: int, height: int, depth: int, colour: int, row: bytes) -> bytes:
    """A PNG file whose rows are all the same; colour 0 grey, 2 RGB, 4 grey and alpha, 6 RGBA."""
    packer = zlib.compressobj(9, strategy=zlib.Z_RLE)  # half the time for equal bytes
    body = b"".join(packer.compress(b"\0" + row) for _ in range(height)) + packer.flush()
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return PNG_MAGIC + png_chunk(b"IHDR", head) + png_chunk(b"IDAT", body) + png_chunk(b"IEND", b"")


def with_png_chunk(data: bytes, kind: bytes, body: bytes) -> bytes:
    """A PNG file with one more chunk behind its header."""
    return data[:33] + png_chunk(kind, body) + data[33:]


def jpeg_of_scans(width: int, height: int, more: int) -> bytes:
    """A progressive JPEG file of one colour whose last scan comes ``more`` times more."""
    data = saved(Image.new("RGB", (width, height), (90, 120, 60)), "JPEG", progressive=True)
    last, end = data.rindex(b"\xff\xda"), data.rindex(b"\xff\xd9")
    return data[:end] + data[last:end] * more + data[end:]


# White point and primaries in XYZ under D50, and the exponent 563 / 256 (Adobe RGB (1998), 4.3).
ADOBE_RGB = np.array(
    [[0.60974, 0.20528, 0.14919], [0.31111, 0.62567, 0.06322], [0.01947, 0.06087, 0.74457]]
)
SRGB = np.array(
    [[0.43607, 0.38515, 0.14307], [0.22249, 0.71687, 0.06061], [0.01392, 0.09708, 0.71410]]
)
ADOBE_GAMMA = 563 / 256


def icc_profile(space: bytes = b"RGB ", matrix: np.ndarray = ADOBE_RGB) -> bytes:
    """A small ICC profile, version 2: a matrix and one exponent for RGB, an exponent for GRAY."""

    def xyz(x: float, y: float, z: float) -> bytes:
        return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(v * 65536) for v in (x, y, z)))

    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(ADOBE_GAMMA * 256))
    name = b"test\0"
    tags = {
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", len(name)) + name + b"\0" * 78,
        b"wtpt": xyz(0.9642, 1, 0.8249),
        b"cprt": b"text\0\0\0\0none\0",
    }
    if space == b"GRAY":
        tags[b"kTRC"] = curve
    else:
        for i, letter in enumerate((b"r", b"g", b"b")):
            tags[letter + b"XYZ"] = xyz(*matrix[:, i])
            tags[letter + b"TRC"] = curve
    table, body, start = b"", b"", 128 + 4 + 12 * len(tags)
    for key, value in tags.items():
        table += key + struct.pack(">II", start + len(body), len(value))
        body += value + b"\0" * (-len(value) % 4)
    head = struct.pack(">I4sI", start + len(body), b"lcms", 0x02100000) + b"mntr" + space + b"XYZ "
    head += struct.pack(">6H", 2020, 1, 1, 0, 0, 0) + b"acsp" + b"\0" * 28
    head += struct.pack(">3i", 63190, 65536, 54061)
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


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
            image.quantize(8),
            "GIF",
            save_all=True,
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
    }
