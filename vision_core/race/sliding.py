"""A photo under a classifier that slides: in one pass, and crop by crop, with what both cost."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torchvision.transforms.functional import normalize, resize

from vision_core import devices
from vision_core.errors import UserError
from vision_core.images import Photo
from vision_core.models import Model, card
from vision_core.models.anatomy import anatomy
from vision_core.race.overfeat import Grid, Slider

SIDES = (160, 512)
"""Shorter side that a photo may be given to the classifier with, pixels."""
MOST_PLACES = 400


@dataclass(frozen=True, eq=False)
class Slid:
    """Class probabilities of every place, in two ways.

    Attributes:
        labels: of the classes.
        size: (width, height) of the network's input.
        grid: where the places lie in it.
        whole: float32 ``[classes, rows, columns]``, from one pass.
        crops: the same from the classifier on each crop; NaN where it has not been yet.
        inside: bool ``[rows, columns]``: places whose receptive field needs no padding.
        seconds: of the pass, and of the crops so far.
        multiply_adds: of the pass, and of all crops.
    """

    labels: tuple[str, ...]
    size: tuple[int, int]
    grid: Grid
    whole: np.ndarray
    crops: np.ndarray
    inside: np.ndarray
    seconds: tuple[float, float]
    multiply_adds: tuple[int, int]

    @property
    def places(self) -> int:
        """How many there are."""
        return int(self.inside.size)

    @property
    def done(self) -> int:
        """Crops that the classifier has seen."""
        return int(np.isfinite(self.crops[0]).sum())

    @property
    def nbytes(self) -> int:
        """Bytes of both maps."""
        return int(self.whole.nbytes + self.crops.nbytes)

    def best(self) -> int:
        """The class with the greatest probability anywhere in the one pass."""
        return int(self.whole.max((1, 2)).argmax())


def slide(model: Model, photo: Photo, side: int) -> Iterator[Slid]:
    """One pass first, then the crops in batches; each step holds all that is known.

    Args:
        model: one of ``overfeat.NETWORKS``.
        photo: the photo.
        side: its shorter side for the network, pixels.

    Raises:
        UserError: another network, or a photo that is too long and thin.
    """
    slider = Slider(model)
    preset: Any = model.preset
    assert preset is not None
    short, long = sorted((photo.width, photo.height))
    if side * long / short > 4 * SIDES[1]:
        raise UserError(f"{photo.name} is too long and thin for sliding; choose a photo or cut it.")
    raw = devices.uint8_tensor(photo, model.device)
    picture = normalize(
        resize(raw, [side], antialias=True).float() / 255, list(preset.mean), list(preset.std)
    )
    height, width = (int(v) for v in picture.shape[1:])
    rows, columns = ((v - slider.grid.crop) // slider.grid.stride + 1 for v in (height, width))
    if rows * columns > MOST_PLACES:
        raise UserError(f"{rows * columns} places are too many; choose a smaller side.")
    start = time.perf_counter()
    scores = slider.scores(picture)[:, :rows, :columns]
    whole = _probabilities(scores)
    took = time.perf_counter() - start
    one, crop = slider.multiply_adds(height, width)
    made = Slid(
        tuple(model.labels),
        (width, height),
        slider.grid,
        whole,
        np.full_like(whole, np.nan),
        slider.grid.inside(rows, columns, height, width).numpy(),
        (took, 0.0),
        (one, crop * rows * columns),
    )
    yield made
    start = time.perf_counter()
    flat = np.full((len(whole), rows * columns), np.nan, np.float32)
    at = 0
    for batch in slider.cropped(picture, rows, columns):
        flat[:, at : at + len(batch)] = _probabilities(batch.T)
        at += len(batch)
        spent = time.perf_counter() - start
        yield replace(made, crops=flat.reshape(whole.shape).copy(), seconds=(took, spent))


def _probabilities(logits: torch.Tensor) -> np.ndarray:
    found: np.ndarray = torch.softmax(logits.float(), 0).cpu().numpy()
    return found


def fcn_cost() -> float:
    """Multiply-adds of ``fcn_voc_s`` for each pixel of its input, in one pass.

    A sliding window needs those of a whole crop for each pixel.
    """
    fcn = anatomy(card("fcn_voc_s"))
    return fcn.multiply_adds / (fcn.input_shape[1] * fcn.input_shape[2])
