"""Decode every picture once, into one array on disk that all runs share."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from vision_core.evaluation.sources import Source


@dataclass(frozen=True)
class Canvases:
    """Pictures squashed to squares, with the sizes that undo it.

    Attributes:
        pixels: ``[N, 3, S, S]`` uint8, or ``[N, 1, S, S]`` for masks.
        wh: ``[N, 2]`` float, width and height of each picture in its own pixels.
    """

    pixels: Tensor
    wh: Tensor

    def __len__(self) -> int:
        return len(self.wh)


def default_cache() -> Path:
    """The folder for decoded pictures when the caller names none."""
    return Path.home() / ".cache" / "convscope"


def load(sources: Sequence[Source], size: int, cache: Path | None, mode: str = "RGB") -> Canvases:
    """Return the pictures as canvases of ``size`` pixels, from the cache if they were seen before.

    Args:
        sources: what to read, in order.
        size: side of the square that each picture is squashed to.
        cache: folder for the decoded arrays, made if it is missing; ``None`` for ``default_cache``.
        mode: ``RGB`` for photos, ``P`` for masks of class numbers (read without blending).
    """
    key = hashlib.sha256(f"{size} {mode} {[(str(s.path), s.box) for s in sources]}".encode())
    cache = cache or default_cache()
    stem = cache / key.hexdigest()[:24]
    if not stem.with_suffix(".wh.npy").exists():
        cache.mkdir(parents=True, exist_ok=True)
        _decode(sources, size, mode, stem)
    pixels = np.load(stem.with_suffix(".npy"), mmap_mode="c")
    wh = np.load(stem.with_suffix(".wh.npy"))
    return Canvases(torch.from_numpy(pixels), torch.from_numpy(wh))


def _decode(sources: Sequence[Source], size: int, mode: str, stem: Path) -> None:
    channels = 3 if mode == "RGB" else 1
    pixels = np.zeros((len(sources), channels, size, size), np.uint8)
    wh = np.zeros((len(sources), 2), np.float32)
    how = Image.Resampling.BICUBIC if mode == "RGB" else Image.Resampling.NEAREST
    for index, source in enumerate(sources):
        with Image.open(source.path) as picture:
            box = source.box or (0.0, 0.0, float(picture.width), float(picture.height))
            wh[index] = box[2] - box[0], box[3] - box[1]
            image = picture.convert("RGB") if mode == "RGB" else picture
            square = np.asarray(image.resize((size, size), how, box=box))
        pixels[index] = np.moveaxis(square.reshape(size, size, channels), 2, 0)
    np.save(stem.with_suffix(".npy"), pixels)
    np.save(stem.with_suffix(".wh.npy"), wh)  # written last: its presence marks a whole cache
