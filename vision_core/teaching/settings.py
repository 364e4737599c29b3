"""How a network is taught: plain values, checked, for which PyTorch is not imported."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

from vision_core.errors import UserError

OPTIMISERS = {"sgd": "SGD with momentum", "adam": "Adam"}
DEPTHS = (1, 2, 3, 4)
WIDTHS = (4, 8, 16, 32)
BATCHES = (8, 16, 32, 64, 128)
RATES = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
MOST_EPOCHS = 200

_RANGES: dict[str, tuple[float, float, str]] = {
    "rate": (1e-6, 10.0, "The learning rate"),
    "momentum": (0.0, 0.99, "The momentum"),
    "width": (1, 64, "The width"),
    "depth": (1, 4, "The depth"),
    "dropout": (0.0, 0.9, "The dropout probability"),
    "decay": (0.0, 1.0, "The weight decay"),
    "batch": (2, 2048, "The batch size"),
    "seed": (0, 2**31 - 1, "The seed"),
}


@dataclass(frozen=True)
class LearningSettings:
    """Everything that a run depends on, beside its pictures.

    Attributes:
        optimiser: ``sgd`` (momentum, Polyak 1964) or ``adam`` (Kingma and Ba 2015).
        rate: learning rate, 1e-6 to 10.
        momentum: of SGD, 0 to 0.99; Adam has its own 0.9 and 0.999.
        width: filters of the first layer, 1 to 64; each later layer has twice as many.
        depth: convolution layers, 1 to 4.
        dropout: probability with which a feature before the last layer is set to zero.
        batch_norm: BatchNorm behind every convolution (Ioffe and Szegedy 2015).
        augment: pictures moved by up to an eighth of their side, photos also mirrored.
        decay: L2 penalty, ``decay / 2`` times the sum of all squared weights, biases left out.
        batch: pictures in one step.
        seed: of the first weights, the order of the pictures, dropout and augmentation.

    Raises:
        UserError: a value outside its range.
    """

    optimiser: str = "sgd"
    rate: float = 0.03
    momentum: float = 0.9
    width: int = 8
    depth: int = 2
    dropout: float = 0.0
    batch_norm: bool = False
    augment: bool = False
    decay: float = 0.0
    batch: int = 32
    seed: int = 0

    def __post_init__(self) -> None:
        if self.optimiser not in OPTIMISERS:
            raise UserError(
                f"There is no optimiser {self.optimiser!r}; choose {' or '.join(OPTIMISERS)}."
            )
        for name, (low, high, words) in _RANGES.items():
            value = getattr(self, name)
            if not low <= value <= high:  # NaN too
                raise UserError(f"{words} must lie from {low:g} to {high:g}, not {value:g}.")

    def record(self) -> dict[str, Any]:
        """Name to value, for JSON."""
        return asdict(self)


def differing(settings: LearningSettings, base: LearningSettings) -> str:
    """What makes a run differ from another one, in words; ``the usual settings`` for nothing."""
    words = []
    for one in fields(LearningSettings):
        value, usual = getattr(settings, one.name), getattr(base, one.name)
        if value != usual:
            words.append(_WORDS[one.name](value))
    return ", ".join(words) or "the usual settings"


_WORDS: dict[str, Any] = {
    "optimiser": OPTIMISERS.__getitem__,
    "rate": "rate {:g}".format,
    "momentum": "momentum {:g}".format,
    "width": "width {}".format,
    "depth": lambda n: f"{n} convolution{'s' if n > 1 else ''}",
    "dropout": "dropout {:g}".format,
    "batch_norm": lambda on: "BatchNorm" if on else "no BatchNorm",
    "augment": lambda on: "augmentation" if on else "no augmentation",
    "decay": "weight decay {:g}".format,
    "batch": "batch {}".format,
    "seed": "seed {}".format,
}
