"""Intervals of places in maps: which places of its input a layer reads for some of its output."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import fx, nn
from torch.nn import functional as F

Span = tuple[tuple[int, int], tuple[int, int]]  # first and last row, first and last column
NOWHERE: Span = ((0, 0), (0, 0))  # of a vector, which has no places
ALIKE = (
    nn.ReLU,
    nn.ReLU6,
    nn.SiLU,
    nn.Hardswish,
    nn.Hardsigmoid,
    nn.Sigmoid,
    nn.BatchNorm2d,
    nn.Dropout,
    nn.Identity,
    nn.GELU,
    nn.LeakyReLU,
    nn.Dropout2d,
)


def averages_all(node: fx.Node) -> bool:
    """Whether a node is the mean or the maximum over all places of a map."""
    name = str(getattr(node.target, "__name__", node.target))
    if node.op not in ("call_function", "call_method") or name not in ("mean", "amax"):
        return False
    axes = node.kwargs.get("dim", node.args[1] if len(node.args) > 1 else None)
    return axes is None or {int(a) % 4 for a in np.atleast_1d(axes)} >= {2, 3}  # type: ignore[arg-type]


def is_adaptive(layer: nn.Module | None, node: fx.Node) -> bool:
    called = (F.adaptive_avg_pool2d, F.adaptive_max_pool2d)
    return isinstance(layer, (nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d)) or node.target in called


def shared(span: Span, size: Sequence[int], out: Sequence[int]) -> Span:
    """An adaptive pooling shares a map out among its places; padding around them reads nothing."""
    rows, columns = (
        (math.floor(low * n / m), math.ceil((high + 1) * n / m) - 1)
        for (low, high), n, m in zip(_inside(span, out), size, out, strict=True)
    )
    return rows, columns


def _inside(span: Span, size: Sequence[int]) -> Span:
    """The places that lie in a map of this size."""
    rows, columns = (
        (min(max(low, 0), n - 1), min(max(high, 0), n - 1))
        for (low, high), n in zip(span, size, strict=True)
    )
    return rows, columns


def broadcast(span: Span, size: Sequence[int], out: Sequence[int]) -> Span:
    """A map of one row or column stands for all rows or columns of what it is merged with."""
    rows, columns = (
        (0, 0) if n == 1 < m else part for part, n, m in zip(span, size, out, strict=True)
    )
    return rows, columns


def through(layer: nn.Module, span: Span) -> Span | None:
    """Places of a layer's input that some places of its output read; ``None``: unknown layer."""
    if isinstance(layer, ALIKE) or type(layer).__name__ in ("FrozenBatchNorm2d", "LayerNorm2d"):
        return span
    if isinstance(layer, (nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d)):
        dilation = getattr(layer, "dilation", 1)
        stride = layer.stride if layer.stride is not None else layer.kernel_size
        return window(span, layer.kernel_size, stride, layer.padding, dilation)
    if isinstance(layer, nn.ConvTranspose2d):
        return _stamped(span, layer)
    return None


def window(span: Span, kernel: Any, stride: Any, padding: Any, dilation: Any) -> Span:
    found = []
    for axis, (low, high) in enumerate(span):
        k, s, p, d = (_pair(v)[axis] for v in (kernel, stride, padding, dilation))
        found.append((low * s - p, high * s - p + d * (k - 1)))
    return found[0], found[1]


def _stamped(span: Span, layer: nn.ConvTranspose2d) -> Span:
    """A transposed convolution: the places whose stamps reach the output places."""
    found = []
    for axis, (low, high) in enumerate(span):
        k, s, p, d = (
            _pair(v)[axis] for v in (layer.kernel_size, layer.stride, layer.padding, layer.dilation)
        )
        found.append((math.ceil((low + p - d * (k - 1)) / s), (high + p) // s))
    return found[0], found[1]


def resized(span: Span, size: Sequence[int], out: Sequence[int], options: Any) -> Span:
    """Nearest neighbour reads one place, bilinear up to two."""
    found = []
    smooth = options.get("mode", "nearest") != "nearest"
    for (low, high), n, m in zip(span, size, out, strict=True):
        if not smooth:
            found.append((math.floor(low * n / m), math.floor(high * n / m)))
        else:
            first, last = (low + 0.5) * n / m - 0.5, (high + 0.5) * n / m - 0.5
            found.append((math.floor(first), math.floor(last) + 1))
    return found[0], found[1]


def pool_numbers(node: fx.Node) -> tuple[Any, Any, Any, Any]:
    """Kernel, stride, padding and dilation of a call of ``F.max_pool2d``."""
    names = ("input", "kernel_size", "stride", "padding", "dilation")
    given = {**dict(zip(names, node.args, strict=False)), **node.kwargs}
    kernel = given["kernel_size"]
    return kernel, given.get("stride") or kernel, given.get("padding", 0), given.get("dilation", 1)


def _pair(value: Any) -> tuple[int, int]:
    if isinstance(value, (tuple, list)):
        return int(value[0]), int(value[-1])
    return int(value), int(value)


def union(known: Span | None, new: Span) -> Span:
    if known is None:
        return new
    (a, b), (c, d) = known
    (e, f), (g, h) = new
    return (min(a, e), max(b, f)), (min(c, g), max(d, h))
