"""Style pictures that are drawn here from a seed, free of rights: none has to be brought."""

from __future__ import annotations

import hashlib
from functools import lru_cache

import numpy as np

from vision_core.errors import UserError
from vision_core.images import Photo, from_array

PATTERNS = {
    "mosaic": "Mosaic of coloured cells",
    "brush": "Short strokes along waves",
    "rings": "Rings",
    "weave": "Woven stripes",
    "dots": "Dots on a ground",
}
SIDE = 320
# Warm and cold hues of a painter's box, RGB.
_HUES = np.array(
    [
        [231, 111, 81],
        [244, 162, 97],
        [233, 196, 106],
        [42, 157, 143],
        [38, 70, 83],
        [106, 76, 147],
        [250, 243, 221],
        [20, 110, 180],
    ],
    np.float32,
)


@lru_cache(maxsize=16)
def pattern(name: str, seed: int = 0) -> Photo:
    """One of ``PATTERNS`` as a photo of 320 x 320 pixels.

    Raises:
        UserError: there is no such pattern.
    """
    if name not in PATTERNS:
        raise UserError(f"There is no pattern {name!r}; choose one of {', '.join(PATTERNS)}.")
    start = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big")
    rng = np.random.default_rng((start, seed))
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    drawn = {
        "mosaic": _mosaic,
        "brush": _brush,
        "rings": _rings,
        "weave": _weave,
        "dots": _dots,
    }[name](x, y, rng)
    grain = rng.normal(0, 6, (SIDE, SIDE, 1))
    return from_array((drawn + grain).clip(0, 255).round().astype(np.uint8), f"pattern {name}")


def _mosaic(x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Voronoi cells with dark joints."""
    from scipy.spatial import cKDTree  # for this pattern alone; it takes a while to import

    points = rng.uniform(0, SIDE, (160, 2))
    far, near = cKDTree(points).query(np.stack([x, y], -1), 2)  # the nearest two
    colours = _HUES[rng.integers(0, len(_HUES), len(points))][near[..., 0]]
    joint = far[..., 1] - far[..., 0] < 2.5
    return np.where(joint[..., None], 30.0, colours)


def _brush(x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Dashes whose direction turns slowly over the picture."""
    angle = 1.2 * np.sin(x / 60) + 1.1 * np.cos(y / 75)
    across = x * np.sin(angle) - y * np.cos(angle)
    along = x * np.cos(angle) + y * np.sin(angle)
    row = np.floor(across / 7)
    cell = (row * 131 + np.floor((along + 17 * np.sin(row)) / 26) * 17).astype(int)
    light = 0.75 + 0.25 * np.cos((across % 7 - 3.5) / 3.5 * np.pi / 2)
    return _HUES[cell % len(_HUES)] * light[..., None]


def _rings(x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    centres = rng.uniform(0, SIDE, (9, 2))
    far = np.sqrt((x[..., None] - centres[:, 0]) ** 2 + (y[..., None] - centres[:, 1]) ** 2)
    near = far.argmin(-1)
    ring = np.floor(far.min(-1) / 9).astype(int)
    return _HUES[(ring + 3 * near) % len(_HUES)]


def _weave(x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    wide = 14
    column, row = (x // wide).astype(int), (y // wide).astype(int)
    up = (column + row) % 2 == 0
    inner = np.where(up, x % wide, y % wide) / wide
    colours = np.where(up[..., None], _HUES[column % 4], _HUES[4 + row % 4])
    return colours * (0.45 + 0.55 * np.sin(np.pi * inner))[..., None]


def _dots(x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    drawn = np.broadcast_to(_HUES[6], (SIDE, SIDE, 3)).copy()
    for cx, cy, radius, hue in zip(
        rng.uniform(0, SIDE, 260),
        rng.uniform(0, SIDE, 260),
        rng.uniform(3, 13, 260),
        rng.integers(0, len(_HUES), 260),
        strict=True,
    ):
        drawn[(x - cx) ** 2 + (y - cy) ** 2 < radius**2] = _HUES[hue]
    return drawn
