"""Receptive fields: which pixels of the input a unit can see, and which it really listens to.

The theoretical field is worked out by going back from the unit through the graph of the network,
layer by layer: at each one an interval of places becomes the interval that its window reads
(Araujo, Norris and Sim 2019, "Computing Receptive Fields of Convolutional Neural Networks"). The
effective field is the gradient of the unit in the pixels (Luo et al. 2016, arXiv:1701.04128).
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, fx, nn
from torch.nn import functional as F

from vision_core import devices
from vision_core.errors import UserError

Span = tuple[tuple[int, int], tuple[int, int]]  # first and last row, first and last column
_ALIKE = (
    nn.ReLU, nn.ReLU6, nn.SiLU, nn.Hardswish, nn.Hardsigmoid, nn.Sigmoid, nn.BatchNorm2d,
    nn.Dropout, nn.Identity, nn.GELU, nn.LeakyReLU, nn.Dropout2d,
)  # fmt: skip
_MERGES = (torch.add, operator.add, operator.iadd, torch.cat, operator.mul, torch.mul)
_ALIKE_CALLS = (F.relu, torch.relu, F.dropout, torch.sigmoid, F.silu)


@dataclass(frozen=True)
class Row:
    """One layer of a plain stack.

    Attributes:
        size: of the receptive field after it, pixels.
        jump: pixels of the input between neighbouring units.
        start: where the first unit's centre lies, pixels from the input's edge (0.5: in the
            middle of the first pixel).
    """

    kernel: int
    stride: int
    padding: int
    dilation: int
    size: int
    jump: int
    start: float


def stack(layers: Sequence[tuple[int, int, int, int]]) -> list[Row]:
    """Receptive fields of layers on top of each other.

    Args:
        layers: (kernel, stride, padding, dilation) of each, first to last.

    Raises:
        UserError: a number that is too small.
    """
    size, jump, start = 1, 1, 0.5
    rows = []
    for kernel, stride, padding, dilation in layers:
        if min(kernel, stride, dilation) < 1 or padding < 0:
            raise UserError("kernel, stride and dilation must be at least 1, and padding 0.")
        reach = dilation * (kernel - 1)
        start += (reach / 2 - padding) * jump
        size += reach * jump
        jump *= stride
        rows.append(Row(kernel, stride, padding, dilation, size, jump, start))
    return rows


class Graph:
    """A network as a graph with the shape of everything in it.

    Args:
        module: takes one picture batch; it is not changed.
        x: float ``[1, 3, h, w]``.

    Raises:
        UserError: the network cannot be followed.
    """

    def __init__(self, module: nn.Module, x: Tensor) -> None:
        try:
            with devices.forward_slot():  # tracing patches every module's call for a moment
                self.traced = fx.symbolic_trace(module)
            self.values = _Keep(self.traced).shapes(x)
        except UserError:
            raise
        except Exception as error:  # tracing fails in as many ways as there are networks
            raise UserError(
                "This network cannot be followed layer by layer, as its forward pass depends on "
                "the numbers; choose another model."
            ) from error
        self.size = (int(x.shape[-2]), int(x.shape[-1]))
        self.nodes = {
            str(node.target): node for node in self.traced.graph.nodes
            if node.op == "call_module" and len(self.values.get(node.name, ())) == 4
        }  # fmt: skip

    def layers(self) -> dict[str, tuple[int, ...]]:
        """Layers with maps, in the order in which they run, and their shapes (C, h, w)."""
        return {name: self.values[node.name][1:] for name, node in self.nodes.items()}

    def field(self, layer: str, row: int, column: int) -> tuple[int, int, int, int]:
        """The theoretical receptive field of a unit: x1, y1, x2, y2 in pixels, ends outside.

        It may reach over the border of the input, where only padding is seen.

        Raises:
            UserError: no such layer or unit, or a layer in between that is not known here.
        """
        if layer not in self.nodes:
            raise UserError(f"There is no layer {layer!r} with a map in this network.")
        node = self.nodes[layer]
        _, high, wide = self.layers()[layer]
        if not (0 <= row < high and 0 <= column < wide):
            raise UserError(f"The layer {layer} has {high} x {wide} units; there is none at "
                            f"row {row}, column {column}.")  # fmt: skip
        spans: dict[fx.Node, Span] = {node: ((row, row), (column, column))}
        for each in reversed(list(self.traced.graph.nodes)):
            if each not in spans:
                continue
            if each.op == "placeholder":
                (y1, y2), (x1, x2) = spans[each]
                return x1, y1, x2 + 1, y2 + 1
            for source, span in self._back(each, spans[each]):
                spans[source] = _union(spans.get(source), span)
        raise UserError(f"The layer {layer} does not depend on the picture.")

    def _back(self, node: fx.Node, span: Span) -> list[tuple[fx.Node, Span]]:
        """The nodes that a node reads, and which of their places."""
        maps = [n for n in node.all_input_nodes if len(self.values.get(n.name, ())) == 4]
        if node.op == "call_module":
            found = _through(self.traced.get_submodule(str(node.target)), span,
                             self.values[maps[0].name][2:])  # fmt: skip
            if found is not None:
                return [(maps[0], found)]
        elif node.op in ("call_function", "call_method"):
            name = str(getattr(node.target, "__name__", node.target))
            if node.target in (F.interpolate,):
                return [(maps[0], _resized(span, self.values[maps[0].name][2:],
                                           self.values[node.name][2:], node.kwargs))]  # fmt: skip
            if node.target in _MERGES or node.target in _ALIKE_CALLS or name in (
                "relu", "relu_", "add", "add_", "contiguous", "mul",
            ):  # fmt: skip
                return [(n, span) for n in maps]
            if name in ("max_pool2d", "boolean_dispatch") and maps:
                return [(maps[0], _window(span, *_pool_numbers(node)))]
            if not maps:
                return []
        raise UserError(f"The receptive field cannot be followed through {node.target}.")


class _Keep(fx.Interpreter):
    """Runs a graph once and keeps the shape of every tensor."""

    def shapes(self, x: Tensor) -> dict[str, tuple[int, ...]]:
        self.found: dict[str, tuple[int, ...]] = {}
        with torch.inference_mode(False), torch.no_grad():
            self.run(x)
        return self.found

    def run_node(self, n: fx.Node) -> Any:
        result = super().run_node(n)
        if isinstance(result, Tensor):
            self.found[n.name] = tuple(int(s) for s in result.shape)
        return result


def _through(layer: nn.Module, span: Span, size: Sequence[int]) -> Span | None:
    """Places of a layer's input that some places of its output read; ``None``: unknown layer."""
    if isinstance(layer, _ALIKE) or type(layer).__name__ in ("FrozenBatchNorm2d", "LayerNorm2d"):
        return span
    if isinstance(layer, (nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d)):
        dilation = getattr(layer, "dilation", 1)
        stride = layer.stride if layer.stride is not None else layer.kernel_size
        return _window(span, layer.kernel_size, stride, layer.padding, dilation)
    if isinstance(layer, nn.ConvTranspose2d):
        return _stamped(span, layer)
    if isinstance(layer, nn.AdaptiveAvgPool2d):
        wanted = _pair(layer.output_size)
        rows, columns = (
            (math.floor(low * n / out), math.ceil((high + 1) * n / out) - 1)
            for (low, high), n, out in zip(span, size, wanted, strict=True)
        )
        return rows, columns
    return None


def _window(span: Span, kernel: Any, stride: Any, padding: Any, dilation: Any) -> Span:
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


def _resized(span: Span, size: Sequence[int], out: Sequence[int], options: Any) -> Span:
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


def _pool_numbers(node: fx.Node) -> tuple[Any, Any, Any, Any]:
    """Kernel, stride, padding and dilation of a call of ``F.max_pool2d``."""
    names = ("input", "kernel_size", "stride", "padding", "dilation")
    given = {**dict(zip(names, node.args, strict=False)), **node.kwargs}
    kernel = given["kernel_size"]
    return kernel, given.get("stride") or kernel, given.get("padding", 0), given.get("dilation", 1)


def _pair(value: Any) -> tuple[int, int]:
    if isinstance(value, (tuple, list)):
        return int(value[0]), int(value[-1])
    return int(value), int(value)


def _union(known: Span | None, new: Span) -> Span:
    if known is None:
        return new
    (a, b), (c, d) = known
    (e, f), (g, h) = new
    return (min(a, e), max(b, f)), (min(c, g), max(d, h))


def effective(
    module: nn.Module, x: Tensor, layer: str, row: int, column: int, channel: int | None = None
) -> np.ndarray:
    """The gradient of a unit in the pixels.

    Args:
        module: not changed; run by ``torch.fx``, so that no hook stands on it.
        x: float ``[1, 3, h, w]``, normalised as the network wants it.
        layer, row, column: the unit, as in ``Graph.field``.
        channel: of the layer; ``None``: the sum over all channels.

    Returns:
        float32 ``[h, w]``, absolute values summed over the colours.

    Raises:
        UserError: the network cannot be followed, or has no such layer.
    """
    graph = Graph(module, x)
    if layer not in graph.nodes:
        raise UserError(f"There is no layer {layer!r} with a map in this network.")
    with torch.inference_mode(False), torch.enable_grad(), devices.forward_slot():
        picture = x.clone().detach().requires_grad_(True)
        value = _Until(graph.traced, graph.nodes[layer]).of(picture)
        unit = value[0, :, row, column] if channel is None else value[0, channel, row, column]
        [gradient] = torch.autograd.grad(unit.sum(), picture)
    found: np.ndarray = gradient[0].abs().sum(0).float().cpu().numpy()
    return found


class _Until(fx.Interpreter):
    """Runs a graph and keeps what one node puts out."""

    def __init__(self, traced: fx.GraphModule, node: fx.Node) -> None:
        super().__init__(traced)
        self.wanted = node

    def of(self, x: Tensor) -> Tensor:
        self.run(x)
        return self.kept

    def run_node(self, n: fx.Node) -> Any:
        result = super().run_node(n)
        if n is self.wanted:
            self.kept: Tensor = result
            return result.clone()  # what follows may write into it
        return result
