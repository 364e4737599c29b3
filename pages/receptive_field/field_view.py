"""What the receptive-field page shows: a network's graph, a unit's box and its gradient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st
import torch
from torch import Tensor, nn

from pages.components import canvas
from vision_core.attribution.geometry import Window
from vision_core.features import receptive
from vision_core.features.activations import view_of
from vision_core.figures import png
from vision_core.figures.colours import INPUT, YELLOW, rgb
from vision_core.images import Photo
from vision_core.inference.cache import ByteLRU
from vision_core.models import Model

Unit = tuple[int, int]
_VEIL = 120  # how dark the photo is where the unit does not listen, of 255


@dataclass(frozen=True, eq=False)
class Layers:
    """A network as a graph, on one photo.

    Attributes:
        sizes: side of the theoretical receptive field of each layer's middle unit, input pixels.
        window: where the network's input lies on the photo.
    """

    graph: receptive.Graph
    module: nn.Module
    x: Tensor
    window: Window
    sizes: dict[str, int]

    def unit_at(self, layer: str, x: float, y: float) -> Unit:
        """The unit whose cell lies under a pixel of the photo."""
        _, high, wide = self.graph.layers()[layer]
        height, width = self.graph.size
        column = (x + 0.5 - self.window.left) / self.window.scale_x * wide / width
        row = (y + 0.5 - self.window.top) / self.window.scale_y * high / height
        return (int(min(max(row, 0), high - 1)), int(min(max(column, 0), wide - 1)))

    def box(self, layer: str, unit: Unit) -> list[float]:
        """The theoretical field in pixels of the photo, not clipped."""
        x1, y1, x2, y2 = self.graph.field(layer, *unit)
        w = self.window
        return [
            w.left + x1 * w.scale_x,
            w.top + y1 * w.scale_y,
            w.left + x2 * w.scale_x,
            w.top + y2 * w.scale_y,
        ]

    def first(self) -> str:
        """The layer that opens: its field covers about a third of the input."""
        third = self.graph.size[1] / 3
        return min(self.sizes, key=lambda name: abs(self.sizes[name] - third))

    def table(self) -> list[dict[str, Any]]:
        """One row a layer."""
        rows = []
        for name, (channels, high, wide) in self.graph.layers().items():
            part = self.graph.traced.get_submodule(name)
            rows.append(
                {
                    "layer": name,
                    "kind": type(part).__name__,
                    "channels": channels,
                    "map": f"{high} x {wide}",
                    "pixels between units": self.graph.size[1] / wide,
                    "receptive field (pixels)": self.sizes[name],
                }
            )
        return rows


@st.cache_resource(show_spinner=False)
def _held() -> ByteLRU[Any]:
    return ByteLRU(64 * 2**20, lambda made: getattr(made, "nbytes", 4 * 2**20), "receptive fields")


def network(model: Model, photo: Photo) -> Layers:
    """The graph of a model for a photo; made once for all who ask.

    Raises:
        UserError: the network cannot be followed.
    """
    key = ("graph", model.name, model.fingerprint, photo.sha256)
    return _held().get_or_make(key, lambda: _network(model, photo))


def _network(model: Model, photo: Photo) -> Layers:
    module, x, window, _ = view_of(model, photo)
    if model.card.task in ("detection", "instance", "keypoint"):
        module = module.backbone  # type: ignore[assignment]
    graph = receptive.Graph(module.eval(), x)
    sizes = {}
    for name, (_, high, wide) in graph.layers().items():
        x1, y1, x2, y2 = graph.field(name, high // 2, wide // 2)
        sizes[name] = max(x2 - x1, y2 - y1)
    return Layers(graph, module, x, window, sizes)


def effective(model: Model, photo: Photo, layer: str, unit: Unit) -> np.ndarray:
    """The gradient of the unit in the network's input, float32 [h, w]."""
    made = network(model, photo)
    key = ("gradient", model.name, model.fingerprint, photo.sha256, layer, unit)
    return _held().get_or_make(key, lambda: receptive.effective(made.module, made.x, layer, *unit))


def scene(photo: Photo, made: Layers, layer: str, unit: Unit, heat: np.ndarray) -> canvas.Scene:
    """The box of the theoretical field, the gradient as a tint, the unit's place."""
    box = made.box(layer, unit)
    seen = [max(box[0], 0), max(box[1], 0), min(box[2], photo.width), min(box[3], photo.height)]
    name = f"{photo.sha256[:12]}-{layer}-{unit}"
    return canvas.Scene(
        boxes=[seen],
        ids=[0],
        labels=["theoretical"],
        scores=[None],
        colours=[INPUT],
        dashes=[()],
        captions=False,
        picks="pixels",
        overlay=canvas.Overlay(name, lambda: png(_tint(made, heat))),
        description=f"receptive field of unit {unit} of {layer}",
    )


def _tint(made: Layers, heat: np.ndarray) -> np.ndarray:
    """RGBA over the photo: a dark veil, and the square root of the gradient as light on it."""
    top = float(np.quantile(heat, 0.999)) or 1.0
    spread = made.window.to_photo(_seen(made, np.sqrt(np.minimum(heat / top, 1))))
    picture = np.empty((*spread.shape, 4), np.uint8)
    picture[..., :3] = (spread[..., None] * np.array(rgb(YELLOW))).astype(np.uint8)
    picture[..., 3] = (_VEIL + (235 - _VEIL) * spread).astype(np.uint8)
    return picture


def _seen(made: Layers, values: np.ndarray) -> Tensor:
    """Without what a batch was padded with to the right and below."""
    part = values[: made.window.height, : made.window.width]
    return torch.from_numpy(np.ascontiguousarray(part))[None]


def words(made: Layers, layer: str, unit: Unit, box: list[float], heat: np.ndarray) -> None:
    """The figures of one unit."""
    _, high, wide = made.graph.layers()[layer]
    x1, y1, x2, y2 = made.graph.field(layer, *unit)
    height, width = made.graph.size
    inside = max(min(x2, width) - max(x1, 0), 0) * max(min(y2, height) - max(y1, 0), 0)
    half = np.sort(heat.ravel())[::-1]
    few = int(np.searchsorted(np.cumsum(half), 0.5 * half.sum())) + 1
    st.html(f"<span data-field='{x1},{y1},{x2},{y2}'></span>")
    st.markdown(
        f"**{layer}**, unit at row {unit[0]}, column {unit[1]} of {high} x {wide}\n\n"
        f"- theoretical field: **{x2 - x1} x {y2 - y1} pixels** of the network's {width} x "
        f"{height} input, {box[2] - box[0]:.0f} x {box[3] - box[1]:.0f} of the photo\n"
        f"- {100 * inside / (width * height):.0f} % of the input lie in it\n"
        f"- **half of the gradient** lies on {few:,} pixels: "
        f"{100 * few / max(inside, 1):.1f} % of the field\n"
        f"- neighbouring units are {width / wide:g} input pixels apart"
    )
    pooled = made.graph.global_pooling(layer, *unit)
    if pooled is not None:
        st.markdown(
            f"**The whole picture:** on the way, `{pooled}` averages a whole map (global pooling, "
            "as in squeeze-and-excitation). Each unit after it depends on that average, and so on "
            "every pixel."
        )
    st.caption(
        "The tint is the square root of the absolute gradient of the unit, all channels "
        "added up, for this photo."
    )
