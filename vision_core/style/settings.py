"""The settings of style transfer and of DeepDream, with their ranges. No PyTorch here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from vision_core.errors import UserError

OPTIMISERS = {"lbfgs": "L-BFGS", "adam": "Adam"}
STARTS = {"content": "the content photo", "noise": "noise"}
SIDES = (128, 192, 256, 320, 384)
"""Pixels of the longer side."""
MOST_STEPS = 2000
CONTENT_LAYERS = ("relu4_2",)
STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
"""Those of the paper; every network of the VGG family has them."""
_RANGES = {
    "style_weight": (0.0, 1e8, "The weight of the style"),
    "content_weight": (0.0, 1e8, "The weight of the content"),
    "smoothness": (0.0, 1e6, "The weight of total variation"),
    "rate": (1e-4, 1.0, "The learning rate"),
    "side": (32, 1024, "The longer side"),
    "seed": (0, 10**9, "The seed"),
}


@dataclass(frozen=True)
class StyleSettings:
    """What a picture is made to match, and how.

    Attributes:
        content_layers, style_layers: such as ``relu4_2``, the second ReLU of the fourth stack.
        layer_weights: weight of each style layer; 1 for one that is left out.
        content_weight, style_weight, smoothness: weights of the two losses and of total variation.
        optimiser: one of ``OPTIMISERS``.
        rate: step of Adam, in units of the picture's range 0 to 1.
        start: one of ``STARTS``.
        seed: of the noise.
        average: average pooling in place of max pooling.
        side: pixels of the picture's longer side.
    """

    content_layers: tuple[str, ...] = CONTENT_LAYERS
    style_layers: tuple[str, ...] = STYLE_LAYERS
    layer_weights: Mapping[str, float] = field(default_factory=dict, hash=False)
    content_weight: float = 1.0
    style_weight: float = 100.0
    smoothness: float = 0.0
    optimiser: str = "lbfgs"
    rate: float = 0.02
    start: str = "content"
    seed: int = 0
    average: bool = True
    side: int = 256

    def __post_init__(self) -> None:
        for value, known, words in (
            (self.optimiser, OPTIMISERS, "optimiser"),
            (self.start, STARTS, "start"),
        ):
            if value not in known:
                raise UserError(f"There is no {words} {value!r}; choose {' or '.join(known)}.")
        for name, (low, high, words) in _RANGES.items():
            value = getattr(self, name)
            if not low <= value <= high:  # NaN too
                raise UserError(f"{words} must lie from {low:g} to {high:g}, not {value:g}.")
        if any(not 0 <= weight <= 1e6 for weight in self.layer_weights.values()):
            raise UserError("The weight of a layer must lie from 0 to 1e+06.")
        if not self.content_layers and not self.style_layers:
            raise UserError("Choose at least one layer for the content or the style.")

    def record(self) -> dict[str, Any]:
        """Name to value, for JSON."""
        return {
            **asdict(self),
            "content_layers": list(self.content_layers),
            "style_layers": list(self.style_layers),
            "layer_weights": dict(self.layer_weights),
        }


@dataclass(frozen=True)
class DreamSettings:
    """How a photo is changed so that a layer, or one channel of it, is more active.

    Attributes:
        octaves: sizes at which it is done, small to large.
        scale: of the sides from one octave to the next.
        steps: in each octave.
        rate: mean change of a value in one step, in units of the range 0 to 1.
        jitter: the picture is rolled by up to so many pixels in each step.
        side: pixels of the picture's longer side.
        seed: of the jitter.
    """

    octaves: int = 4
    scale: float = 1.4
    steps: int = 10
    rate: float = 0.01
    jitter: int = 16
    side: int = 384
    seed: int = 0

    def __post_init__(self) -> None:
        for name, low, high in (
            ("octaves", 1, 10),
            ("scale", 1.1, 2.0),
            ("steps", 1, 200),
            ("rate", 0.0, 0.2),
            ("jitter", 0, 64),
            ("side", 32, 1024),
            ("seed", 0, 10**9),
        ):
            value = getattr(self, name)
            if not low <= value <= high:  # NaN too
                raise UserError(f"{name} must lie from {low:g} to {high:g}, not {value:g}.")

    def record(self) -> dict[str, Any]:
        """Name to value, for JSON."""
        return asdict(self)
