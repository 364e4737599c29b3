"""Pillow's own font, unpacked once for each size: unpacking takes longer than writing a word."""

from __future__ import annotations

from functools import lru_cache

from PIL import ImageFont


@lru_cache(maxsize=256)
def font(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The font that comes with Pillow.

    Args:
        size: of its letters, pixels.
    """
    return ImageFont.load_default(size)


@lru_cache(maxsize=8192)
def length(words: str, size: float) -> float:
    """Pixels that a line of text takes in this font.

    Args:
        words: one line.
        size: of the letters, pixels.
    """
    return float(font(size).getlength(words))
