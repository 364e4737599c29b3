"""What a step of style transfer will take on this machine, told before the first one."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch

from vision_core import devices
from vision_core.models import Model
from vision_core.style.reader import Reader
from vision_core.style.settings import StyleSettings

_LOOKS = 3
"""Passes that are timed: what else runs on the machine may hold up one of them."""
_PASSES = 7.0
"""What a step costs in forward passes: forward and backward, about twice."""


def seconds_of_step(
    model: Model,
    settings: StyleSettings,
    size: tuple[int, int],
    clock: Callable[[], float] = time.monotonic,
) -> float:
    """What a step will take here: the quickest of some small forward passes, scaled by its area.

    Args:
        model: of the VGG family.
        settings: its layers, pooling and side count.
        size: width and height of the content photo.
        clock: tells the seconds.

    Raises:
        UserError: as for ``StyleRun``.
    """
    small, reader = 96, Reader(model, settings.average)
    names = (*settings.content_layers, *settings.style_layers)
    reader.check(names)
    x = torch.full((1, 3, small, small), 0.5, device=model.device)
    with torch.inference_mode(), devices.forward_slot():
        reader(x, names)  # the first pass also finds memory
        spent = min(_timed(lambda: reader(x, names), clock) for _ in range(_LOOKS))
    area = settings.side**2 * min(size) / max(size)
    return _PASSES * spent * area / small**2


def _timed(call: Callable[[], object], clock: Callable[[], float]) -> float:
    began = clock()
    call()
    return clock() - began
