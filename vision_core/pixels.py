"""Whatever mode a file's pixels are in, to 8-bit RGB without clipping."""

from __future__ import annotations

import io
import sys
from typing import Any

import numpy as np
from PIL import Image, ImageCms

# Pillow unpacks one byte of each 16-bit sample, the high one; asking for the opposite byte order
# makes it unpack the low one, so that two passes give all 16 bits.
_OTHER_BYTE = {
    f"{mode};16{order}": f"{mode};16{other}"
    for mode in ("RGB", "RGBA", "RGBX")
    for order, other in (("L", "B"), ("B", "L"), ("N", "B" if sys.byteorder == "little" else "L"))
}


def to_rgb(image: Image.Image, data: bytes, notes: list[str]) -> Image.Image:
    """An RGB or RGBA picture of 8 bits per sample, of any Pillow mode.

    Args:
        image: opened, not necessarily loaded.
        data: the file, read a second time for 16-bit colour.
        notes: what had to be done is appended.

    Returns:
        mode ``RGB``, or ``RGBA`` where the file has transparent pixels.
    """
    if any(_raw_mode(tile) in _OTHER_BYTE for tile in getattr(image, "tile", ())):
        return _sixteen_bit_colour(image, data, notes)
    image.load()
    if image.mode.startswith(("I;16", "I", "F")):
        return _grey(np.asarray(image), image.mode, notes).convert("RGB")
    if image.mode == "LAB":
        notes.append("converted from Lab colour")
        lab, rgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        return ImageCms.profileToProfile(image, lab, rgb, outputMode="RGB") or image
    if image.mode in ("CMYK", "YCbCr", "HSV"):
        if image.mode == "CMYK":
            notes.append("converted from CMYK colour")
        return image.convert("RGB")
    has_alpha = image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info
    if not has_alpha:
        return image if image.mode == "RGB" else image.convert("RGB")
    return _drop_opaque_alpha(image if image.mode == "RGBA" else image.convert("RGBA"))


def on_white(image: Image.Image, notes: list[str]) -> Image.Image:
    """Flatten the transparency of an RGBA picture on white; other pictures are returned as is."""
    if image.mode != "RGBA":
        return image
    notes.append("transparent parts shown on white")
    white = Image.new("RGBA", image.size, (255, 255, 255, 255))
    return Image.alpha_composite(white, image).convert("RGB")


def _drop_opaque_alpha(image: Image.Image) -> Image.Image:
    lowest = image.getchannel("A").getextrema()[0]
    return image.convert("RGB") if lowest == 255 else image


def _raw_mode(tile: Any) -> str:
    """The name of the packing of a Pillow tile's samples, e.g. ``RGB;16B``."""
    args = tile[3] or ("",)
    return args if isinstance(args, str) else str(args[0])


def _sixteen_bit_colour(image: Image.Image, data: bytes, notes: list[str]) -> Image.Image:
    """Both bytes of each sample, divided by 257 (65535 becomes 255) and rounded."""
    other = Image.open(io.BytesIO(data), formats=[image.format or "PNG"])
    tiles: list[Any] = []
    for tile in other.tile:
        swapped = _OTHER_BYTE[_raw_mode(tile)]
        rest = () if isinstance(tile[3], str) else (tile[3] or ())[1:]
        tiles.append(tile._replace(args=(swapped, *rest) if rest else swapped))
    other.tile = tiles
    high, low = (np.asarray(im, np.uint16) for im in (image, other))
    values = high * np.uint16(256) + low
    notes.append("16-bit values divided by 257")
    eight = _divide_257(values)
    key = image.info.get("transparency")
    if eight.shape[2] == 3 and isinstance(key, tuple):  # PNG: one colour is transparent
        alpha = np.where((values == np.array(key, np.uint16)).all(axis=2), 0, 255)
        eight = np.dstack([eight, alpha.astype(np.uint8)])
    result = Image.fromarray(eight)
    return _drop_opaque_alpha(result) if result.mode == "RGBA" else result


def _grey(values: np.ndarray, mode: str, notes: list[str]) -> Image.Image:
    """One channel of 16-bit, 32-bit or float values to 8 bits."""
    if mode.startswith("I;16"):
        notes.append("16-bit values divided by 257")
        return Image.fromarray(_divide_257(values.astype(np.uint16)))
    if mode == "F":
        return Image.fromarray(_float_to_uint8(values.astype(np.float32), notes))
    low, high = int(values.min()), int(values.max())
    if 0 <= low and high <= 255:
        return Image.fromarray(values.astype(np.uint8))
    if 0 <= low and high <= 65535:
        notes.append("16-bit values divided by 257")
        return Image.fromarray(_divide_257(values.astype(np.uint16)))
    return Image.fromarray(_stretch(values.astype(np.float64), low, high, notes))


def _float_to_uint8(values: np.ndarray, notes: list[str]) -> np.ndarray:
    """0..1 and 0..255 keep their meaning, any other range is stretched from least to greatest."""
    finite = np.isfinite(values)
    if not finite.all():
        notes.append("pixels that are not finite numbers shown black (NaN, -inf) or white (+inf)")
    if not finite.any():
        return np.where(values == np.inf, 255, 0).astype(np.uint8)
    low, high = float(values[finite].min()), float(values[finite].max())
    with np.errstate(all="ignore"):
        if low >= 0 and high <= 1:
            notes.append("float values 0 to 1 multiplied by 255")
            eight = np.rint(np.clip(values * 255, 0, 255))
        elif low >= 0 and high <= 255:
            notes.append("float values 0 to 255 rounded")
            eight = np.rint(np.clip(values, 0, 255))
        else:
            eight = _stretch(values.astype(np.float64), low, high, notes)
        # A NaN survives the clipping; the cast of one is undefined, so it is set first.
        return np.nan_to_num(np.asarray(eight, np.float32), nan=0.0).astype(np.uint8)


def _stretch(values: np.ndarray, low: float, high: float, notes: list[str]) -> np.ndarray:
    notes.append(f"values {low:g} to {high:g} stretched to 0 to 255")
    with np.errstate(all="ignore"):
        unit = (values - low) / ((high - low) or 1.0)
        return np.nan_to_num(np.rint(np.clip(unit, 0, 1) * 255), nan=0.0).astype(np.uint8)


def _divide_257(values: np.ndarray) -> np.ndarray:
    """uint16 to uint8: v / 257 rounded to nearest, in integers."""
    return ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)
