"""Calls of torch functions as layers that relevance can go through."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import torch
import torchvision.ops  # noqa: F401 - makes torch.ops.torchvision
from torch import Tensor
from torch.nn import functional as F

from vision_core.attribution.lrp_rules import Affine

_CONV = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1}
_TRANSPOSED = {"stride": 1, "padding": 0, "output_padding": 0, "groups": 1, "dilation": 1}
_WEIGHTED: dict[Any, dict[str, Any]] = {
    torch.conv2d: _CONV,
    torch.conv_transpose2d: _TRANSPOSED,
    F.linear: {},
}
# Linear in the first argument, whatever the others are.
_WEIGHTLESS: frozenset[Any] = frozenset(
    {
        F.avg_pool2d,
        F.adaptive_avg_pool2d,
        F.interpolate,
        torch.mean,
        Tensor.mean,
        torch.ops.torchvision.roi_align,
    }
)


def affine_of(func: Callable[..., Any], args: Any, kwargs: Any) -> Affine | None:
    """A call as a layer that is linear in its input; ``None`` where it is none."""
    if func in _WEIGHTED:
        return _weighted(func, args, kwargs)
    if func in _WEIGHTLESS:
        rest = args[1:]
        told = {name: value for name, value in kwargs.items() if name != "input"}
        return Affine(lambda x, *_: func(x, *rest, **told))
    return None


def is_dense(func: Callable[..., Any]) -> bool:
    """Whether a call is a linear layer."""
    return func is F.linear


def _weighted(func: Callable[..., Any], args: Any, kwargs: Any) -> Affine:
    names = ("input", "weight", "bias", *_WEIGHTED[func])
    given = {"bias": None, **_WEIGHTED[func], **dict(zip(names, args, strict=False)), **kwargs}
    rest = [given[name] for name in _WEIGHTED[func]]
    weight, bias = (None if v is None else v.detach() for v in (given["weight"], given["bias"]))
    return Affine(lambda x, w, b: func(x, w, b, *rest), weight, bias, _spreading(func, given))


def _spreading(func: Callable[..., Any], given: dict[str, Any]) -> Callable[[Tensor], Tensor]:
    """Factors of output channels in the shape that multiplies the weight."""
    if func is not torch.conv_transpose2d:
        return lambda factors: factors.reshape(-1, *[1] * (given["weight"].ndim - 1))
    rows, columns = given["weight"].shape[:2]  # inputs of all groups, outputs of one

    def spread(factors: Tensor) -> Tensor:
        groups = factors.reshape(given["groups"], 1, columns)
        return groups.expand(-1, rows // given["groups"], -1).reshape(rows, columns, 1, 1)

    return spread


def folded_norm(
    func: Callable[..., Any], x: Tensor, args: Any, kwargs: Any
) -> tuple[Tensor, Tensor] | None:
    """The scale and shift, ``[C]``, of a normalisation of x ``[1, C, ...]``; ``None`` of no other.

    Those of a group normalisation are those that it has for this x.
    """
    if func is F.batch_norm:
        told = _told(func, args, kwargs)
        if told["training"] or told["running_mean"] is None:
            return None
        mean, spread = told["running_mean"], (told["running_var"] + told["eps"]).sqrt()
    elif func is F.group_norm and len(x) == 1:
        told = _told(func, args, kwargs)
        groups = x.detach().reshape(told["num_groups"], -1)
        size = x.shape[1] // told["num_groups"]
        mean = groups.mean(1).repeat_interleave(size)
        spread = (groups.var(1, correction=0) + told["eps"]).sqrt().repeat_interleave(size)
    else:
        return None
    scale = 1 / spread if told["weight"] is None else told["weight"].detach() / spread
    shift = -mean * scale
    return scale, shift if told["bias"] is None else told["bias"].detach() + shift


_MULTIPLY: frozenset[Any] = frozenset({torch.mul, Tensor.mul, Tensor.__mul__})
_ADD: frozenset[Any] = frozenset({torch.add, Tensor.add, Tensor.__add__})


def channel_factors(
    func: Callable[..., Any], x: Tensor, args: Any, kwargs: Any
) -> tuple[Tensor, Tensor] | None:
    """Scale and shift of a product or sum with constants for each channel, as frozen
    normalisation is written; ``None`` of anything else.
    """
    if func not in _MULTIPLY | _ADD or len(args) != 2 or kwargs:
        return None
    other, channels = args[1], x.shape[1] if x.ndim > 1 else 0
    if isinstance(other, int | float):
        other = x.new_full((1, 1, 1, 1), float(other))
    if not isinstance(other, Tensor) or other.requires_grad or other.ndim != x.ndim:
        return None
    if other.numel() not in (1, channels) or other.shape[1] != other.numel():
        return None
    values = other.detach().flatten().expand(channels)
    if func in _MULTIPLY:
        return values, torch.zeros_like(values)
    return torch.ones_like(values), values


def _told(func: Callable[..., Any], args: Any, kwargs: Any) -> dict[str, Any]:
    bound = inspect.signature(func).bind(*args, **kwargs)
    bound.apply_defaults()
    return dict(bound.arguments)
