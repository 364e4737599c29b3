"""What the layers of a network put out for a photo."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from vision_core import devices
from vision_core.attribution import heads
from vision_core.attribution.geometry import Window, of_preset
from vision_core.attribution.shadow import recording, shadow
from vision_core.errors import UserError
from vision_core.images import Photo
from vision_core.inference.families import Network, network
from vision_core.inference.presets import prepared
from vision_core.models.layout import not_maps

Run = Callable[[nn.Module, Tensor], Any]


@dataclass(frozen=True, eq=False)
class Activations:
    """Output of one layer for one photo.

    Attributes:
        layer: its name.
        values: float32, read-only: ``[C, h, w]``, or ``[C]`` for a layer without places.
        calls: how often the layer ran; the values are those of its first run.
        window: where the network's input lies on the photo; a map covers the whole input.
    """

    layer: str
    values: np.ndarray
    calls: int
    window: Window

    def strongest(self, count: int = 16) -> list[int]:
        """Channels with the largest activation anywhere, largest first."""
        peaks = self.values.reshape(len(self.values), -1).max(1)
        return [int(i) for i in np.argsort(-peaks, kind="stable")[:count]]


def view_of(
    model: Any, photo: Photo, module: nn.Module | None = None
) -> tuple[nn.Module, Tensor, Window, Run]:
    """A shadow of the network, its input ``[1, 3, h, w]``, where that lies, and how to run it.

    A top-down pose network is given its best person, or the whole photo where nobody is found;
    of a detector the backbone and the dense heads run.

    Args:
        model: a ``vision_core.models.Model``.
        photo: what it is given.
        module: a shadow of the same network that was made for another photo.
    """
    net = network(model)
    module = shadow(net.module) if module is None else module
    with torch.inference_mode(False), torch.no_grad():
        if net.detector is not None:
            x, window = _person(net, photo)
            return module, x, window, heads.preset_network
        if net.preset is not None:
            x = prepared(net, photo)
            window = of_preset(net.preset, x, (photo.width, photo.height))
            return module, x[None], window, heads.preset_network
        x, window, _ = heads.transformed(net, photo)
        return module, x, window, heads.dense_parts


def _person(net: Network, photo: Photo) -> tuple[Tensor, Window]:
    from vision_core.inference.persons import trace_persons

    return heads.best_person(net, photo, trace_persons(net, photo))


def activations(model: Any, photo: Photo, layer: str) -> Activations:
    """What a layer puts out for a photo; the first output where it runs several times.

    Raises:
        UserError: there is no such layer, or it does not run when the whole picture is seen.
    """
    module, x, window, run = view_of(model, photo)
    with torch.inference_mode(False), torch.no_grad(), devices.forward_slot():
        with recording(module, [layer]) as kept:
            run(module, x)
    calls = kept[layer]
    if not calls:
        raise UserError(
            f"The layer {layer} does not run when the whole picture is seen; "
            "choose one of the backbone or of the dense head."
        )
    values = calls[0][0].float().cpu().numpy().copy()
    values.setflags(write=False)
    return Activations(layer, values, len(calls), window)


def map_layers(model: Any, photo: Photo) -> dict[str, tuple[int, ...]]:
    """Layers that put out feature maps for a photo, with their shapes (C, h, w), as they run."""
    module, x, _, run = view_of(model, photo)
    seen: dict[str, tuple[int, ...]] = {}
    patches = not_maps(module)
    for name, part in module.named_modules():
        if name and name not in patches:
            part.register_forward_hook(_shape_hook(name, seen))
    with torch.inference_mode(False), torch.no_grad(), devices.forward_slot():
        run(module, x)
    return seen


def _shape_hook(name: str, seen: dict[str, tuple[int, ...]]) -> Any:
    def hook(_: nn.Module, __: Any, out: Any) -> None:
        if isinstance(out, Tensor) and out.ndim == 4:
            seen.setdefault(name, tuple(out.shape[1:]))

    return hook


def histogram(values: np.ndarray, bins: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """Counts and bin edges of all activations; the share at exactly 0 is what a ReLU shut off."""
    return np.histogram(values, bins=bins)


def grid(values: np.ndarray, channels: Sequence[int]) -> np.ndarray:
    """Some channels of ``[C, h, w]`` as ``[len(channels), h, w]``.

    Raises:
        UserError: there is no such channel.
    """
    wrong = [c for c in channels if not 0 <= c < len(values)]
    if wrong:
        raise UserError(f"There is no channel {wrong[0]}; the layer has {len(values)}.")
    return values[list(channels)]
