"""The learning rate over a run, and the average of the weights along it."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

_Tensors = tuple[Tensor, ...] | list[Tensor]


def cosine_with_warmup(progress: float, warmup: float = 0.04) -> float:
    """Return the factor on the peak learning rate at ``progress`` (0 start, 1 end of the run).

    It climbs linearly over ``warmup`` of the run and then falls along half a cosine to 0
    (Loshchilov and Hutter, "SGDR", 2017). ``progress`` outside 0..1 is clipped.
    """
    progress = min(max(progress, 0.0), 1.0)
    if progress < warmup:
        return (progress + 1e-3) / (warmup + 1e-3)
    return 0.5 * (1 + math.cos(math.pi * (progress - warmup) / (1 - warmup)))


def averaged(model: nn.Module, decay: float = 0.998) -> AveragedModel:
    """Return a copy of ``model`` that follows it slowly: an exponential moving average.

    Call ``update_parameters(model)`` after every step. Early on the average forgets faster, so
    that the random start does not linger. Running statistics of BatchNorm are averaged too.
    """

    def follow(average: _Tensors, current: _Tensors, steps: Tensor | int) -> None:
        keep = min(decay, (1 + int(steps)) / (10 + int(steps)))
        for old, new in zip(average, current, strict=True):
            if old.is_floating_point():
                old.lerp_(new, 1 - keep)
            else:
                old.copy_(new)

    return AveragedModel(model, multi_avg_fn=torch.no_grad()(follow), use_buffers=True)
