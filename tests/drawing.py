"""Large random tensors quickly: most tests of large networks take any weights.

PyTorch draws one number after the other, a second for a VGG. Here all come from one long table,
from a place in it that the usual generator draws, so that seeds mean what they always mean.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.overrides import has_torch_function

LARGE = 50_000
LENGTH = 1_000_003  # a prime: rows of a matrix that is longer do not repeat themselves
Drawing = Callable[..., Tensor]


@contextmanager
def from_a_table() -> Iterator[None]:
    """Within it ``uniform_`` and ``normal_`` of large tensors on the CPU take little time."""
    generator = torch.Generator().manual_seed(0)
    uniform = torch.rand(LENGTH, generator=generator) * 2 - 1
    normal = torch.randn(LENGTH, generator=generator)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Tensor, "uniform_", _quick(Tensor.uniform_, uniform, _middle_and_half))
        patch.setattr(Tensor, "normal_", _quick(Tensor.normal_, normal, _mean_and_deviation))
        yield


def _middle_and_half(low: float = 0.0, high: float = 1.0) -> tuple[float, float]:
    return (low + high) / 2, (high - low) / 2


def _mean_and_deviation(mean: float = 0.0, std: float = 1.0) -> tuple[float, float]:
    return mean, std


def _quick(draw: Drawing, table: Tensor, shift_and_scale: Callable[..., Any]) -> Drawing:
    @functools.wraps(draw)
    def method(tensor: Tensor, *args: Any, generator: Any = None, **named: Any) -> Tensor:
        plain = tensor.device.type == "cpu" and tensor.dtype == torch.float32
        large = tensor.numel() >= LARGE and tensor.is_contiguous()
        asked = generator is not None or named or has_torch_function((tensor,))  # also by a mode
        if asked or not (plain and large):
            return draw(tensor, *args, generator=generator, **named)
        with torch.no_grad():
            _fill(tensor.view(-1), table, *shift_and_scale(*args))
        return tensor

    return method


def _fill(flat: Tensor, table: Tensor, shift: float, scale: float) -> None:
    """The table from a place on, and from its beginning again as often as it takes."""
    start = int(torch.randint(LENGTH, ()))
    first = min(len(flat), LENGTH - start)
    values = torch.cat([table[start : start + first], table[: min(start, len(flat) - first)]])
    values = values.mul_(scale).add_(shift) if shift else values.mul_(scale)
    for done in range(0, len(flat), len(values)):
        flat[done : done + len(values)].copy_(values[: len(flat) - done])
