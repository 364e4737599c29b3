"""Parts of a network that compute in bfloat16 while everything around them stays float32."""

from __future__ import annotations

from collections import OrderedDict
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn


def in_half(part: nn.Module, device: torch.device) -> None:
    """Let ``part.forward`` multiply in bfloat16 on ``device`` and return float32 all the same.

    Weights stay float32, as PyTorch's automatic mixed precision has it. The change lasts as long as
    the module, so this is for networks in training, which nobody shares.
    """
    plain = part.forward
    part.forward = partial(_forward, plain, device.type)


def _forward(plain: Any, kind: str, *args: Any, **options: Any) -> Any:
    with torch.autocast(kind, dtype=torch.bfloat16):
        result = plain(*args, **options)
    return single(result)


def single(value: Any) -> Any:
    """Return ``value`` with every floating tensor in it as float32; dicts, lists, tuples too."""
    if isinstance(value, Tensor):
        return value.float() if value.is_floating_point() else value
    if isinstance(value, dict):
        return OrderedDict((key, single(entry)) for key, entry in value.items())
    if isinstance(value, list | tuple):
        return type(value)(single(entry) for entry in value)
    return value
