"""The patches of a gallery that excite a channel most, cut by the receptive field.

Zeiler and Fergus (2014) and Yosinski et al. (2015) show them for every unit: what a channel answers
to is told by what it answers to most.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from vision_core.attribution.geometry import Window
from vision_core.errors import UserError
from vision_core.features.activations import view_of
from vision_core.features.receptive import Graph
from vision_core.images import Photo
from vision_core.space.vectors import LayerVectors

_WITH_BACKBONE = ("detection", "instance", "keypoint")


@dataclass(frozen=True, eq=False)
class Patch:
    """A part of a picture that excites a channel.

    Attributes:
        index: of the picture.
        value: of the channel there.
        row, column: of the unit.
        box: x1, y1, x2, y2 in pixels of the picture, what the unit can see; clipped to it.
        pixels: uint8 [h, w, 3], the picture there.
    """

    index: int
    value: float
    row: int
    column: int
    box: tuple[int, int, int, int]
    pixels: np.ndarray


class Fields:
    """Receptive fields of a network on pictures; the graph is kept for each size of its input."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._graphs: dict[tuple[int, int], Graph] = {}

    def on(self, picture: Photo, layer: str, row: int, column: int) -> tuple[int, int, int, int]:
        """What a unit can see, whole pixels of the picture; at least one.

        Raises:
            UserError: the network cannot be followed, or has no such layer or unit.
        """
        module, x, window, _ = view_of(self._model, picture)
        return _on_picture(self.of_input(module, x, layer, row, column), window)

    def of_input(
        self, module: Any, x: Tensor, layer: str, row: int, column: int
    ) -> tuple[int, int, int, int]:
        """What a unit can see, pixels of an input of the network; it may reach over its edges.

        Args:
            module: a shadow of the network.
            x: float ``[1, 3, h, w]``.
            layer: name of a layer.
            row, column: of the unit.

        Raises:
            UserError: the network cannot be followed, or has no such layer or unit.
        """
        size = (int(x.shape[-2]), int(x.shape[-1]))
        backbone = self._model.card.task in _WITH_BACKBONE
        if size not in self._graphs:
            part = module.backbone if backbone else module
            self._graphs[size] = _with_containers(Graph(part.eval(), x))
        name = layer.removeprefix("backbone.") if backbone else layer
        return self._graphs[size].field(name, row, column)


def _with_containers(graph: Graph) -> Graph:
    """Let a graph know blocks and stages too, by the last map that their first call makes.

    A layer that runs several times stands for its first run, as in ``vectors.measure``.
    """
    for node in graph.traced.graph.nodes:
        if len(graph.values.get(node.name, ())) != 4:
            continue
        for call in node.meta.get("nn_module_stack", {}):
            if "@" not in call:  # a later call of the same module
                graph.nodes[call] = node
    return graph


def _on_picture(field: Sequence[float], window: Window) -> tuple[int, int, int, int]:
    """A box of the network's input in whole pixels of the picture."""
    width, height = window.photo
    edges = []
    for low, high, start, scale, most in (
        (field[0], field[2], window.left, window.scale_x, width),
        (field[1], field[3], window.top, window.scale_y, height),
    ):
        first = min(max(int(np.floor(start + low * scale)), 0), most - 1)
        edges.append((first, min(max(int(np.ceil(start + high * scale)), first + 1), most)))
    (x1, x2), (y1, y2) = edges
    return x1, y1, x2, y2


def strongest(
    model: Any,
    pictures: Sequence[Photo],
    found: LayerVectors,
    channel: int,
    count: int = 12,
    fields: Fields | None = None,
) -> list[Patch]:
    """The patches that excite a channel most, strongest first; one for each picture at most.

    Args:
        model: the network that made ``found``.
        pictures: the gallery.
        found: what the layer made of it.
        channel: from 0.
        count: of patches.
        fields: kept from an earlier call for the same network.

    Raises:
        UserError: there is no such channel, or the network cannot be followed to this layer.
    """
    if not 0 <= channel < found.peaks.shape[1]:
        raise UserError(
            f"There is no channel {channel}; the layer {found.layer} has {found.peaks.shape[1]}."
        )
    fields = fields or Fields(model)
    made = []
    for index in np.argsort(-found.peaks[:, channel], kind="stable")[:count]:
        row, column = (int(v) for v in found.places[index, channel])
        x1, y1, x2, y2 = box = fields.on(pictures[index], found.layer, row, column)
        pixels = pictures[index].pixels[y1:y2, x1:x2]
        value = float(found.peaks[index, channel])
        made.append(Patch(int(index), value, row, column, box, pixels))
    return made
