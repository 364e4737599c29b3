"""DeconvNet: one activation carried back to the pixels, and the switches of max pooling on the way.

Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks" (2014): the activation
alone goes down through transposed convolutions; max unpooling puts each value where the maximum
was (the switch), and ReLUs pass what is positive. That is a backward pass with the DeconvNet rule.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from vision_core.attribution.question import Question, differentiable
from vision_core.attribution.rules import relu_rule


@dataclass(frozen=True, eq=False)
class PoolingSwitches:
    """One max pooling on the way, for the channel that carries most of the projection.

    Attributes:
        channel: which one.
        values: float32 ``[h, w]``, what went in.
        switches: bool ``[h, w]``, the places of maxima through which something was projected.
    """

    channel: int
    values: np.ndarray
    switches: np.ndarray


@dataclass(frozen=True, eq=False)
class Projection:
    """One activation in the pixels.

    Attributes:
        activation: its value.
        values: float32 ``[3, h, w]`` over the input, the activation times its DeconvNet map.
        poolings: from the input upwards.
    """

    activation: float
    values: Tensor
    poolings: tuple[PoolingSwitches, ...]


class _PoolMode(TorchFunctionMode):
    """Collects (input, indices, output in the graph) of every 2-D max pooling."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[Tensor, Tensor, Tensor]] = []

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        out = func(*args, **(kwargs := dict(kwargs or {})))
        if func is F.max_pool2d_with_indices:
            self.seen.append((args[0].detach(), out[1], out[0]))
        elif func in (F.max_pool2d, torch.max_pool2d) and isinstance(out, Tensor):
            kwargs["return_indices"] = True
            _, at = F.max_pool2d(args[0].detach(), *args[1:], **kwargs)
            self.seen.append((args[0].detach(), at, out))
        return out


def project(question: Question) -> Projection:
    """Carry the target, a unit, back to the pixels.

    Args:
        question: of a unit; any target works, a unit is what the paper projects.
    """
    with differentiable():
        x = question.input.detach().clone().requires_grad_(True)
        with relu_rule("deconvnet"), _PoolMode() as pools:
            scores, _ = question.run(x)
        outs = [out for _, _, out in pools.seen]
        grads = torch.autograd.grad(scores.sum(), [x, *outs], allow_unused=True)
    score = float(scores[0].detach())
    found = tuple(
        _pooling(values[0], at[0], grad[0])
        for (values, at, _), grad in zip(pools.seen, grads[1:], strict=True)
        if grad is not None and bool(grad.any())
    )
    return Projection(score, grads[0][0] * score, found)


def _pooling(values: Tensor, at: Tensor, grad: Tensor) -> PoolingSwitches:
    channel = int(grad.abs().sum((1, 2)).argmax())
    switches = torch.zeros(values.shape[1] * values.shape[2], dtype=torch.bool)
    switches[at[channel][grad[channel] != 0].cpu()] = True
    shape = values.shape[1:]
    return PoolingSwitches(
        channel, values[channel].float().cpu().numpy().copy(), switches.reshape(shape).numpy()
    )
