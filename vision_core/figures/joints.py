"""True joints on a photo: the circle of PCK, or how OKS falls off around each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from vision_core.figures.colours import GROUND_TRUTH, VERDICTS, rgb

if TYPE_CHECKING:
    from vision_core.metrics.joint_scores import JointScores

_WIDTH = 1000
_SHIFT = 4
_MOST_ALPHA = 190


def joint_picture(scores: JointScores, which: str, width: int, height: int) -> np.ndarray:
    """What is drawn over the photo.

    Args:
        scores: of one person.
        which: ``pck``: a circle around each true joint within which one is correct; ``oks``: the
            value of exp(-d^2 / (2 s^2 k^2)) as opacity, with a ring where it is 0.5.
        width, height: of the photo.

    Returns:
        uint8 ``[h, w, 4]`` RGBA with the photo's shape; true and found joints are linked by lines.
    """
    scale = _WIDTH / max(width, height)
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    picture = np.zeros((*size, 4), np.uint8)
    if which == "oks":
        alpha = _MOST_ALPHA * fall_off(scores, scale, size)
        picture[:] = (*rgb(GROUND_TRUTH), 0)
        picture[..., 3] = alpha.round().astype(np.uint8)
    radii = scores.reach() if which == "oks" else np.full(len(scores.names), scores.radius)
    for true, found, radius, hit in zip(
        scores.true * scale, scores.found * scale, radii * scale, scores.correct, strict=True
    ):
        if np.isfinite(radius):
            if which == "pck":
                _inside(picture, true, radius, VERDICTS["hit" if hit else "false"])
            _ring(picture, true, radius)
        _line(picture, true, found)
        _dot(picture, true)
    return picture


def fall_off(scores: JointScores, scale: float, size: tuple[int, int]) -> np.ndarray:
    """The greatest term of OKS that any joint would add at a place: float64 ``[h, w]``, 0 to 1.

    Args:
        scores: of one person.
        scale: picture pixels per photo pixel.
        size: (h, w) of the picture.
    """
    down, across = ((np.arange(n) + 0.5) / scale for n in size)
    best = np.zeros(size)
    for (x, y), spread in zip(scores.true, scores.spreads, strict=True):
        if np.isfinite(spread):
            far = (down[:, None] - y) ** 2 + (across[None] - x) ** 2
            np.maximum(best, np.exp(-far / (2 * scores.area * spread**2)), out=best)
    return best


def _fixed(*values: float) -> tuple[int, ...]:
    safe = np.clip(np.nan_to_num(np.array(values, float)), -16_000, 16_000)
    return tuple(int(v) for v in np.round(safe * (1 << _SHIFT)))


def _inside(picture: np.ndarray, at: np.ndarray, radius: float, colour: str) -> None:
    x, y, r = _fixed(at[0], at[1], radius)
    cv2.circle(picture, (x, y), r, (*rgb(colour), 80), -1, cv2.LINE_8, _SHIFT)


def _ring(picture: np.ndarray, at: np.ndarray, radius: float) -> None:
    x, y, r = _fixed(at[0], at[1], radius)
    for colour, width in (((0, 0, 0), 5), (rgb(GROUND_TRUTH), 3)):
        cv2.circle(picture, (x, y), r, (*colour, 255), width, cv2.LINE_AA, _SHIFT)


def _line(picture: np.ndarray, start: np.ndarray, end: np.ndarray) -> None:
    a, b = _fixed(*start), _fixed(*end)
    for colour, width in (((0, 0, 0), 5), ((255, 255, 255), 2)):
        cv2.line(picture, (a[0], a[1]), (b[0], b[1]), (*colour, 255), width, cv2.LINE_AA, _SHIFT)


def _dot(picture: np.ndarray, at: np.ndarray) -> None:
    x, y, r = _fixed(at[0], at[1], 5)
    for colour, more in (((0, 0, 0), 32), (rgb(GROUND_TRUTH), 0)):
        cv2.circle(picture, (x, y), r + more, (*colour, 255), -1, cv2.LINE_AA, _SHIFT)
