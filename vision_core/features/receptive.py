"""Receptive fields: which pixels of the input a unit can see, and which it really listens to.

The theoretical field is worked out by going back from the unit through the graph of the network,
layer by layer: at each one an interval of places becomes the interval that its window reads
(Araujo, Norris and Sim 2019, "Computing Receptive Fields of Convolutional Neural Networks"). What
averages a whole map, as squeeze-and-excitation does (Hu et al. 2018), reads all of it. The
effective field is the gradient of the unit in the pixels (Luo et al. 2016, arXiv:1701.04128).
"""

from __future__ import annotations

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
from vision_core.features import receptive_spans as spans
from vision_core.features.receptive_spans import Span
from vision_core.models.layout import not_maps

_MERGES = (torch.add, operator.add, operator.iadd, torch.cat, operator.mul, torch.mul)
_ALIKE_CALLS = (F.relu, torch.relu, F.dropout, torch.sigmoid, F.silu, F.hardsigmoid, F.hardswish)
_ALIKE_NAMES = ("relu", "relu_", "add", "add_", "contiguous", "mul", "mul_", "sigmoid")
_PARTS = ("chunk", "getitem")  # of the channels
_SHUFFLES = ("view", "reshape", "transpose", "contiguous")


@dataclass(frozen=True)
class FieldRow:
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


def stack(layers: Sequence[tuple[int, int, int, int]]) -> list[FieldRow]:
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
        rows.append(FieldRow(kernel, stride, padding, dilation, size, jump, start))
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
        self.seeing = self._seeing()
        patches = not_maps(module)
        self.nodes = {
            str(node.target): node
            for node in self.traced.graph.nodes
            if node.op == "call_module"
            and str(node.target) not in patches
            and len(self._shape(node)) == 4
        }

    def _seeing(self) -> set[fx.Node]:
        """Nodes whose tensor depends on the picture."""
        found: set[fx.Node] = set()
        for node in self.traced.graph.nodes:
            fed = any(n in found for n in node.all_input_nodes)
            if node.name in self.values and (fed or node.op == "placeholder"):
                found.add(node)
        return found

    def layers(self) -> dict[str, tuple[int, ...]]:
        """Layers with maps, in the order in which they run, and their shapes (C, h, w)."""
        return {name: self.values[node.name][1:] for name, node in self.nodes.items()}

    def field(self, layer: str, row: int, column: int) -> tuple[int, int, int, int]:
        """The theoretical receptive field of a unit: x1, y1, x2, y2 in pixels, ends outside.

        It may reach over the border of the input, where only padding is seen; not so for a unit
        that sees the whole of a map (``global_pooling``).

        Raises:
            UserError: no such layer or unit, or a layer in between that is not known here.
        """
        box, pooled = self._field(layer, row, column)
        if pooled is None:
            return box
        height, width = self.size
        return max(box[0], 0), max(box[1], 0), min(box[2], width), min(box[3], height)

    def global_pooling(self, layer: str, row: int = 0, column: int = 0) -> str | None:
        """What makes a unit see a whole map, as a global average pooling does.

        Returns:
            the name of the last such layer or operation on the way to the unit; ``None`` where
            only windows of limited size lie on it.

        Raises:
            UserError: as ``field``.
        """
        return self._field(layer, row, column)[1]

    def _field(
        self, layer: str, row: int, column: int
    ) -> tuple[tuple[int, int, int, int], str | None]:
        if layer not in self.nodes:
            raise UserError(f"There is no layer {layer!r} with a map in this network.")
        node = self.nodes[layer]
        _, high, wide = self.layers()[layer]
        if not (0 <= row < high and 0 <= column < wide):
            raise UserError(
                f"The layer {layer} has {high} x {wide} units; there is none at "
                f"row {row}, column {column}."
            )
        found: dict[fx.Node, Span] = {node: ((row, row), (column, column))}
        pooled = None
        for each in reversed(list(self.traced.graph.nodes)):
            if each not in found:
                continue
            if each.op == "placeholder":
                (y1, y2), (x1, x2) = found[each]
                return (x1, y1, x2 + 1, y2 + 1), pooled
            if pooled is None and self._reads_all(each):
                pooled = str(each.target) if each.op == "call_module" else each.name
            for source, span in self._back(each, found[each]):
                found[source] = spans.union(found.get(source), span)
        raise UserError(f"The layer {layer} does not depend on the picture.")

    def _shape(self, node: fx.Node) -> tuple[int, ...]:
        """Of a node's tensor; empty where it puts out none."""
        return self.values.get(node.name, ())

    def _reads_all(self, node: fx.Node) -> bool:
        """Whether each place of a node's output depends on every place of a map it reads."""
        maps = [n for n in node.all_input_nodes if n in self.seeing and len(self._shape(n)) == 4]
        if not maps or max(self._shape(maps[0])[2:]) == 1:
            return False
        shape = self._shape(node)
        if len(shape) > 4:
            return False
        if len(shape) != 4:
            return bool(shape)
        averages = spans.averages_all(node) or spans.is_adaptive(self._part(node), node)
        return averages and shape[2:] == (1, 1)

    def _part(self, node: fx.Node) -> nn.Module | None:
        return self.traced.get_submodule(str(node.target)) if node.op == "call_module" else None

    def _back(self, node: fx.Node, span: Span) -> list[tuple[fx.Node, Span]]:
        """The nodes that a node reads, and which of their places."""
        tensors = [n for n in node.all_input_nodes if n in self.seeing]
        if any(len(self._shape(n)) > 4 for n in (node, *tensors)):
            return [(n, self._shuffled(node, n, span)) for n in tensors]
        maps = [n for n in tensors if len(self._shape(n)) == 4]
        if len(self._shape(node)) != 4 or spans.averages_all(node) or not maps:
            # Vectors have no places: whatever made one of them may depend on all of a map.
            return [(n, self._whole(n)) for n in tensors]
        size, out = self._shape(maps[0])[2:], self._shape(node)[2:]
        part = self._part(node)
        if spans.is_adaptive(part, node):
            return [(maps[0], spans.shared(span, size, out))]
        if part is not None:
            read = spans.through(part, span)
            if read is not None:
                return [(maps[0], read)]
        elif node.op in ("call_function", "call_method"):
            name = str(getattr(node.target, "__name__", node.target))
            if node.target in (F.interpolate,):
                return [(maps[0], spans.resized(span, size, out, node.kwargs))]
            if name in _PARTS and out != size:
                raise UserError(f"The receptive field cannot be followed through {node.target}.")
            if (
                name in _PARTS
                or node.target in _MERGES
                or node.target in _ALIKE_CALLS
                or name in _ALIKE_NAMES
            ):
                return [(n, spans.broadcast(span, self._shape(n)[2:], out)) for n in maps] + [
                    (n, spans.NOWHERE) for n in tensors if n not in maps
                ]
            if name in ("max_pool2d", "boolean_dispatch"):
                return [(maps[0], spans.window(span, *spans.pool_numbers(node)))]
        raise UserError(f"The receptive field cannot be followed through {node.target}.")

    def _shuffled(self, node: fx.Node, source: fx.Node, span: Span) -> Span:
        """Through a shuffle of channels in groups (ShuffleNet), which leaves the places alone."""
        name = str(getattr(node.target, "__name__", node.target))
        places = self._shape(source)[-2:]
        if name not in _SHUFFLES or self._shape(node)[-2:] != places or len(places) < 2:
            raise UserError(f"The receptive field cannot be followed through {node.target}.")
        if name == "transpose" and not {int(a) for a in node.args[1:]} <= {1, 2}:  # type: ignore[arg-type]
            raise UserError(f"The receptive field cannot be followed through {node.target}.")
        return span

    def _whole(self, node: fx.Node) -> Span:
        """All places of a node's map."""
        shape = self._shape(node)
        return ((0, shape[2] - 1), (0, shape[3] - 1)) if len(shape) == 4 else spans.NOWHERE


class _Keep(fx.Interpreter):
    """Runs a graph once and keeps the shape of every tensor."""

    def shapes(self, x: Tensor) -> dict[str, tuple[int, ...]]:
        self.found: dict[str, tuple[int, ...]] = {}
        with torch.inference_mode(False), torch.no_grad():
            self.run(x)
        return self.found

    def run_node(self, n: fx.Node) -> Any:
        result = super().run_node(n)
        first = result[0] if isinstance(result, tuple) and result else result  # chunks are alike
        if isinstance(first, Tensor):
            self.found[n.name] = tuple(int(s) for s in first.shape)
        return result


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
