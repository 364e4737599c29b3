"""What a layer makes of each picture of a gallery, in few passes; and what the pixels are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor

from vision_core import devices
from vision_core.attribution import heads
from vision_core.attribution.shadow import recording, shadow
from vision_core.errors import UserError
from vision_core.features.activations import view_of
from vision_core.images import Photo
from vision_core.inference.families import network
from vision_core.inference.presets import prepared

BATCH = 16
PIXEL_SIDE = 32
"""Pictures are compared by their pixels at this size, as in the lectures."""


@dataclass(frozen=True, eq=False)
class LayerVectors:
    """What a layer puts out for N pictures.

    Attributes:
        layer: its name.
        means: float32 [N, C], the mean of every channel over its map: a point for each picture.
        peaks: float32 [N, C], the greatest value of every channel.
        places: int32 [N, C, 2], row and column of it.
    """

    layer: str
    means: np.ndarray
    peaks: np.ndarray
    places: np.ndarray

    @property
    def nbytes(self) -> int:
        """Memory, for caches that count bytes."""
        return self.means.nbytes + self.peaks.nbytes + self.places.nbytes


@dataclass(frozen=True)
class Measured:
    """How far a run over a gallery is; ``vectors`` at the end of it."""

    done: int
    total: int
    vectors: LayerVectors | None = None


def measure(model: Any, pictures: Sequence[Photo], layer: str) -> Iterator[Measured]:
    """Run a network over pictures and keep what one layer makes of each.

    Classifiers see ``BATCH`` pictures at once, other networks one after the other, since their
    inputs differ in size.

    Args:
        model: a ``vision_core.models.Model``.
        pictures: at least one.
        layer: name of a layer; one without rows and columns gives its values.

    Raises:
        UserError: there is no such layer, or it does not run when the whole picture is seen.
    """
    rows: list[tuple[np.ndarray, ...]] = []
    for start, maps in _outputs(model, pictures, layer):
        flat = maps.float().flatten(2) if maps.ndim > 2 else maps.float()[..., None]
        peaks, at = flat.max(2)
        width = maps.shape[-1] if maps.ndim == 4 else 1
        places = torch.stack([at // width, at % width], 2)
        rows.append(tuple(t.cpu().numpy() for t in (flat.mean(2), peaks, places.int())))
        done = start + len(maps)
        if done < len(pictures):
            yield Measured(done, len(pictures))
    found = LayerVectors(layer, *(np.concatenate(part) for part in zip(*rows, strict=True)))
    yield Measured(len(pictures), len(pictures), found)


def _outputs(model: Any, pictures: Sequence[Photo], layer: str) -> Iterator[tuple[int, Tensor]]:
    """The layer's output for one batch after the other, and where each batch begins."""
    net = network(model)
    module = shadow(net.module)
    batched = net.preset is not None and hasattr(net.preset, "crop_size") and net.detector is None
    if not batched:
        for i, picture in enumerate(pictures):
            _, x, _, run = view_of(model, picture, module)
            yield i, _recorded(module, x, run, layer)
        return
    for start in range(0, len(pictures), BATCH):
        batch = [prepared(net, p) for p in pictures[start : start + BATCH]]
        yield start, _recorded(module, torch.stack(batch), heads.preset_network, layer)


def _recorded(module: Any, x: Tensor, run: Any, layer: str) -> Tensor:
    with torch.inference_mode(False), torch.no_grad(), devices.forward_slot():
        with recording(module, [layer]) as kept:
            run(module, x)
    if not kept[layer]:
        raise UserError(
            f"The layer {layer} does not run when the whole picture is seen; "
            "choose one of the backbone or of the dense head."
        )
    return kept[layer][0]


def pixel_vectors(pictures: Sequence[Photo]) -> np.ndarray:
    """Every picture as its pixels at 32 x 32, float32 [N, 3072], 0..1."""
    size = (PIXEL_SIDE, PIXEL_SIDE)
    small = [cv2.resize(p.pixels, size, interpolation=cv2.INTER_AREA) for p in pictures]
    return np.stack(small).reshape(len(small), -1).astype(np.float32) / 255
