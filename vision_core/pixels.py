"""Whatever mode and depth a file's pixels have, to 8 bits per sample without clipping."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from PIL import Image

from vision_core.budget import ClockedFile

# Pillow unpacks one byte of each 16-bit sample, the high one; asking for the opposite byte order
# makes it unpack the low one, so that two passes give all 16 bits.
_OTHER_BYTE = {
    f"{mode};16{order}": f"{mode};16{other}"
    for mode in ("RGB", "RGBA", "RGBX")
    for order, other in (("L", "B"), ("B", "L"), ("N", "B" if sys.byteorder == "little" else "L"))
}
_STEPS = {"L;2": 3, "L;4": 15}  # the greatest sample of what Pillow spreads to 0..255
_PHOTOMETRIC, _BITS_PER_SAMPLE = 262, 258  # TIFF tags
_GAP = 1.5  # averaging leaves at least so much for the final, smoother, resampling
_BLOCK = 1024  # pixels; conversions hold some 50 bytes for each


def shrunk(
    image: Image.Image, clock: ClockedFile, size: tuple[int, int], data: bytes, notes: list[str]
) -> Image.Image:
    """A picture of 8 bits per sample at a size, of any Pillow mode and any depth.

    Converted block by block, so that no second copy of a large picture is made. Large pictures are
    first averaged over whole blocks of pixels, then resampled.

    Args:
        image: opened, not necessarily loaded.
        clock: the file that ``image`` reads from.
        size: (width, height) at the most that of the picture.
        data: the file, read a second time for 16-bit colour.
        notes: what had to be done is appended.

    Returns:
        mode ``L``, ``LA``, ``RGB``, ``RGBA``, ``CMYK`` or ``LAB``.

    Raises:
        budget.TooMuch: the time is over.
    """
    convert = _converter(image, data, notes)
    wide, high = (max(1, int(n / m / _GAP)) for n, m in zip(image.size, size, strict=True))
    result: Image.Image | None = None
    for box in _blocks(image.size, wide, high):
        clock.check()
        part = convert(box)
        if (wide, high) != (1, 1):
            part = part.reduce((wide, high))
        if box[2:] == image.size and result is None:
            result = part
            break
        if result is None:
            full = -(-image.size[0] // wide), -(-image.size[1] // high)
            result = Image.new(part.mode, full)
        result.paste(part, (box[0] // wide, box[1] // high))
    assert result is not None
    exact = image.size[0] / wide, image.size[1] / high
    if result.size == size:
        return result
    return result.resize(size, Image.Resampling.LANCZOS, box=(0, 0, *exact))


Convert = Callable[[tuple[int, int, int, int]], Image.Image]


def _blocks(size: tuple[int, int], wide: int, high: int) -> Iterator[tuple[int, int, int, int]]:
    """Boxes that tile a picture: multiples of the reduction, of about ``_BLOCK`` squared pixels."""
    if size[0] * size[1] <= _BLOCK * _BLOCK:
        yield (0, 0, *size)
        return
    across, down = max(1, _BLOCK // wide) * wide, max(1, _BLOCK // high) * high
    for y in range(0, size[1], down):
        for x in range(0, size[0], across):
            yield x, y, min(x + across, size[0]), min(y + down, size[1])


def is_sixteen_bit_colour(image: Image.Image) -> bool:
    """Whether Pillow would give only the high byte, so that the file is decoded two times."""
    return any(_raw_mode(tile) in _OTHER_BYTE for tile in getattr(image, "tile", ()))


def _converter(image: Any, data: bytes, notes: list[str]) -> Convert:
    """Load a picture; the function returned makes 8-bit pictures of parts of it."""
    if is_sixteen_bit_colour(image):
        return _sixteen_bit_colour(image, data, notes)
    raw_mode = _raw_mode(image.tile[0]) if getattr(image, "tile", None) else ""
    tags = getattr(image, "tag_v2", {})
    inverted, bits = tags.get(_PHOTOMETRIC) == 0, tags.get(_BITS_PER_SAMPLE, (16,))[0]
    image.load()
    if image.mode.startswith(("I", "F")):
        return _grey(image, bits, inverted, notes)
    key = image.info.get("transparency")
    if image.mode in ("1", "L") and isinstance(key, int):
        # The key counts in the file's own steps; Pillow has spread 2 and 4 bits to 0..255.
        seen = key * 255 // _STEPS.get(raw_mode, 255)
        return lambda box: _keyed(np.asarray(image.crop(box).convert("L")), seen)
    if image.mode in ("L", "RGB", "CMYK", "LAB", "LA", "RGBA") and key is None:
        return image.crop
    if image.mode == "La":
        return lambda box: image.crop(box).convert("LA")
    has_alpha = image.mode in ("RGBA", "PA", "RGBa") or key is not None
    mode = "RGBA" if has_alpha else "L" if image.mode == "1" else "RGB"
    return lambda box: image.crop(box).convert(mode)


def _keyed(grey: np.ndarray, key: int) -> Image.Image:
    """Grey and alpha; the samples that equal the key are transparent."""
    return _grey_alpha(grey, grey == key)


def _grey_alpha(grey: np.ndarray, clear: np.ndarray) -> Image.Image:
    alpha = np.where(clear, 0, 255).astype(np.uint8)
    return Image.merge("LA", [Image.fromarray(grey), Image.fromarray(alpha)])


def on_white(image: Image.Image, notes: list[str]) -> Image.Image:
    """RGB: transparency, where there is any, flattened on white."""
    if image.mode not in ("LA", "RGBA") or image.getchannel("A").getextrema()[0] == 255:
        return image.convert("RGB")
    notes.append("transparent parts shown on white")
    white = Image.new("RGBA", image.size, (255, 255, 255, 255))
    return Image.alpha_composite(white, image.convert("RGBA")).convert("RGB")


def _raw_mode(tile: Any) -> str:
    """The name of the packing of a Pillow tile's samples, e.g. ``RGB;16B``."""
    args = tile[3] or ("",)
    return args if isinstance(args, str) else str(args[0])


def _sixteen_bit_colour(image: Image.Image, data: bytes, notes: list[str]) -> Convert:
    """Both bytes of each sample, divided by 257 (65535 becomes 255) and rounded."""
    other = Image.open(ClockedFile(data), formats=[image.format or "PNG"])
    tiles: list[Any] = []
    for tile in other.tile:
        swapped = _OTHER_BYTE[_raw_mode(tile)]
        rest = () if isinstance(tile[3], str) else (tile[3] or ())[1:]
        tiles.append(tile._replace(args=(swapped, *rest) if rest else swapped))
    other.tile = tiles
    image.load()
    other.load()
    notes.append("16-bit values divided by 257")
    key = image.info.get("transparency")

    def convert(box: tuple[int, int, int, int]) -> Image.Image:
        high, low = (np.asarray(im.crop(box), np.uint16) for im in (image, other))
        values = high * np.uint16(256) + low
        eight = _to_eight(values, 65535)
        if eight.shape[2] == 3 and isinstance(key, tuple):  # PNG: one colour is transparent
            alpha = np.where((values == np.array(key, np.uint16)).all(axis=2), 0, 255)
            eight = np.dstack([eight, alpha.astype(np.uint8)])
        return Image.fromarray(eight)

    return convert


def _grey(image: Image.Image, bits: int, inverted: bool, notes: list[str]) -> Convert:
    """One channel of 12-bit, 16-bit, 32-bit or float values to 8 bits.

    Args:
        image: loaded, of mode ``I``, ``F`` or one of ``I;16``.
        bits: of a sample in a TIFF file.
        inverted: 0 is white (TIFF's WhiteIsZero).
        notes: what had to be done is appended.
    """

    def values(box: tuple[int, int, int, int]) -> np.ndarray:
        return np.asarray(image.crop(box))

    key = image.info.get("transparency")
    if image.mode.startswith("I;16"):
        eight = _scaled((1 << bits) - 1 if bits < 16 else 65535, notes)
    elif image.mode == "F":
        eight = _floats(map(values, _blocks(image.size, 1, 1)), notes)
    else:
        eight = _integers(map(values, _blocks(image.size, 1, 1)), notes)

    def convert(box: tuple[int, int, int, int]) -> Image.Image:
        found = values(box)
        grey = 255 - eight(found) if inverted else eight(found)
        return _grey_alpha(grey, found == key) if isinstance(key, int) else Image.fromarray(grey)

    return convert


Eight = Callable[[np.ndarray], np.ndarray]


def _scaled(white: int, notes: list[str]) -> Eight:
    """0..white to 0..255."""
    how = "divided by 257" if white == 65535 else f"0 to {white} scaled to 0 to 255"
    notes.append(f"{white.bit_length()}-bit values {how}")
    return lambda values: _to_eight(values, white)


def _integers(parts: Iterable[np.ndarray], notes: list[str]) -> Eight:
    """What fits 8 or 16 bits keeps its meaning, any other range is stretched."""
    ends = [(int(part.min()), int(part.max())) for part in parts]
    low, high = min(e[0] for e in ends), max(e[1] for e in ends)
    if 0 <= low and high <= 255:
        return lambda values: values.astype(np.uint8)
    if 0 <= low and high <= 65535:
        return _scaled(65535, notes)
    return _stretch(low, high, notes)


def _floats(parts: Iterable[np.ndarray], notes: list[str]) -> Eight:
    """0..1 and 0..255 keep their meaning, any other range is stretched from least to greatest."""
    low, high, all_finite = np.inf, -np.inf, True
    for part in parts:
        finite = np.isfinite(part)
        all_finite = all_finite and bool(finite.all())
        low = min(low, float(part.min(where=finite, initial=np.inf)))
        high = max(high, float(part.max(where=finite, initial=-np.inf)))
    if not all_finite:
        notes.append("pixels that are not finite numbers shown black (NaN, -inf) or white (+inf)")
    if low > high:  # not one finite number
        return lambda values: np.where(values == np.inf, 255, 0).astype(np.uint8)
    if low >= 0 and high <= 1:
        notes.append("float values 0 to 1 multiplied by 255")
        return lambda values: _clipped(values, 255)
    if low >= 0 and high <= 255:
        notes.append("float values 0 to 255 rounded")
        return lambda values: _clipped(values, 1)
    return _stretch(low, high, notes)


def _clipped(values: np.ndarray, factor: float) -> np.ndarray:
    """Times the factor, rounded; a NaN would survive the clipping, and its cast is undefined."""
    with np.errstate(all="ignore"):
        return np.nan_to_num(np.rint(np.clip(values * factor, 0, 255)), nan=0.0).astype(np.uint8)


def _stretch(low: float, high: float, notes: list[str]) -> Eight:
    notes.append(f"values {low:g} to {high:g} stretched to 0 to 255")

    def eight(values: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            return _clipped((values.astype(np.float64) - low) / ((high - low) or 1.0), 255)

    return eight


def _to_eight(values: np.ndarray, white: int) -> np.ndarray:
    """Integers 0..white to 0..255, rounded to nearest; white is 4095 or 65535."""
    return ((values.astype(np.uint32) * 255 + white // 2) // white).astype(np.uint8)
