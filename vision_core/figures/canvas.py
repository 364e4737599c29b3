"""Painting on uint8 pictures: boxes, labels and skeletons that never fail, whatever the numbers."""

from __future__ import annotations

import math

import cv2
import numpy as np

from vision_core.figures.colours import rgb, text_on
from vision_core.images import Photo

MAX_WIDTH = 1460  # the widest picture that a page serves
_SHIFT = 4  # sub-pixel bits of OpenCV's drawing
_LIMIT = 16_000  # coordinates beyond this would overflow OpenCV's fixed-point arithmetic


def fitted(photo: Photo, max_width: int = MAX_WIDTH) -> tuple[np.ndarray, float]:
    """A writable copy of the photo's pixels, at most ``max_width`` wide, and its scale."""
    scale = min(1.0, max_width / photo.width)
    if scale == 1.0:
        return photo.pixels.copy(), 1.0
    size = (max(1, round(photo.width * scale)), max(1, round(photo.height * scale)))
    return cv2.resize(photo.pixels, size, interpolation=cv2.INTER_AREA), scale


def line_width(height: int, width: int) -> int:
    """Outline width in pixels that reads well at this picture size."""
    return max(1, round(math.sqrt(height * width) / 320))


def text_size(height: int, width: int) -> int:
    """Label height in pixels that reads well at this picture size."""
    return int(np.clip(math.sqrt(height * width) / 45, 11, 30))


def _fixed(*values: float) -> tuple[int, ...]:
    safe = np.clip(np.nan_to_num(np.array(values, float)), -_LIMIT, _LIMIT)
    return tuple(int(v) for v in np.round(safe * (1 << _SHIFT)))


def draw_box(picture: np.ndarray, box: np.ndarray, colour: str, width: int) -> None:
    """Outline of ``[x1, y1, x2, y2]``; a box without extent leaves a dot or a line."""
    x1, y1, x2, y2 = _fixed(*box)
    cv2.rectangle(picture, (x1, y1), (x2, y2), rgb(colour), width, cv2.LINE_AA, _SHIFT)


def draw_line(
    picture: np.ndarray, start: np.ndarray, end: np.ndarray, colour: str, width: int
) -> None:
    """Anti-aliased line between two points (x, y)."""
    a, b = _fixed(*start), _fixed(*end)
    cv2.line(picture, (a[0], a[1]), (b[0], b[1]), rgb(colour), width, cv2.LINE_AA, _SHIFT)


def draw_dot(picture: np.ndarray, at: np.ndarray, colour: str, radius: int) -> None:
    """Filled dot with a white rim, so that it shows on any ground."""
    x, y, r = _fixed(float(at[0]), float(at[1]), radius)
    cv2.circle(picture, (x, y), r + (1 << _SHIFT), (255, 255, 255), -1, cv2.LINE_AA, _SHIFT)
    cv2.circle(picture, (x, y), r, rgb(colour), -1, cv2.LINE_AA, _SHIFT)


def label_rect(
    picture: np.ndarray, text: str, corner: np.ndarray, size: int
) -> tuple[int, int, int, int]:
    """Where a label above ``corner`` (x, y) stands: x, y, width, height, inside the picture."""
    height, width = picture.shape[:2]
    pad = max(2, size // 5)
    strip_w, strip_h = text_width(text, size) + 2 * pad, size + 2 * pad
    x, y = np.nan_to_num(np.array(corner, float))
    left = int(np.clip(x, 0, max(width - strip_w, 0)))
    top = int(np.clip(y - strip_h, 0, max(height - strip_h, 0)))
    return left, top, strip_w, strip_h


def free_place(
    rect: tuple[int, int, int, int], taken: list[tuple[int, int, int, int]], height: int
) -> tuple[int, int, int, int]:
    """The rectangle, moved down by up to three of its heights where it would cover another."""
    x, y, w, h = rect
    for step in range(4):
        moved = y + step * h
        if moved + h > height:
            break
        if not any(
            x < a + c and a < x + w and moved < b + d and b < moved + h for a, b, c, d in taken
        ):
            return x, moved, w, h
    return rect


def draw_label(
    picture: np.ndarray, text: str, place: tuple[int, int, int, int], colour: str, size: int
) -> None:
    """Text on a filled strip; any script is drawn, what the font lacks shows as an empty box."""
    x, y, w, h = place
    pad = (h - size) // 2
    cv2.rectangle(picture, (x, y), (x + w, y + h), rgb(colour), -1)
    base = (x + pad, y + pad + round(size * 0.82))
    font, _ = _measured(text, size)
    cv2.putText(picture, text, base, rgb(text_on(colour)), font, size, 600)


def text_width(text: str, size: int) -> int:
    """Width in pixels that `draw_label` needs for the text alone."""
    return _measured(text, size)[1][2]


def _measured(text: str, size: int) -> tuple[cv2.FontFace, tuple[int, int, int, int]]:
    font = cv2.FontFace("sans")
    x, y, w, h = cv2.getTextSize((1, 1), text, (0, 0), font, size, 600)
    return font, (int(x), int(y), int(w), int(h))
