"""What shall be done to a network, as a plain value that can be compared, hashed and written down.

No PyTorch here: the command line checks its arguments before it is imported.
"""

from __future__ import annotations

import dataclasses
import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vision_core.errors import UserError
from vision_core.surgery.operations import Kernel, Noise, Quantise, Round, Scale, Skip, Swap

Operation = Skip | Scale | Swap | Kernel | Noise | Quantise | Round
_ORDER = (Skip, Scale, Swap, Kernel, Noise, Quantise, Round)
_ONCE = (Swap, Noise, Quantise, Round)


@dataclass(frozen=True)
class Plan:
    """All that shall be done to a network, in one order however it was given.

    What changes nothing (a factor of 1, no noise, ReLU for ReLU) is left out. Factors of the same
    channel multiply. Other numbers in a kernel come first, then noise, quantising and rounding.

    Raises:
        UserError: there are two activations, noises, numbers of bits or precisions, or the numbers
            of one kernel are set twice.
    """

    operations: tuple[Operation, ...] = ()

    def __post_init__(self) -> None:
        kept: list[Operation] = [o for o in self.operations if not _nothing(o)]
        kept = [o for i, o in enumerate(kept) if not isinstance(o, Skip) or o not in kept[:i]]
        kept.sort(key=lambda o: (_ORDER.index(type(o)), dataclasses.astuple(o)))
        object.__setattr__(self, "operations", tuple(kept))
        for kind in _ONCE:
            if len(self.of(kind)) > 1:
                both = " and ".join(o.words for o in self.of(kind))
                raise UserError(f"Only one of these can be done at a time: {both}.")
        kernels = [(o.layer, o.filter, o.channel) for o in self.of(Kernel)]
        if len(set(kernels)) < len(kernels):
            raise UserError("The numbers of one kernel are set twice; keep one of them.")

    def of(self, kind: type) -> tuple[Any, ...]:
        """The operations of one kind."""
        return tuple(o for o in self.operations if isinstance(o, kind))

    def one(self, kind: type) -> Any:
        """The operation of a kind of which there is one at most; ``None`` without it."""
        return next(iter(self.of(kind)), None)

    def __bool__(self) -> bool:
        return bool(self.operations)

    @property
    def digest(self) -> str:
        """Sixteen hexadecimal digits that another plan does not have."""
        return hashlib.sha256(repr(self.operations).encode()).hexdigest()[:16]

    @property
    def words(self) -> str:
        """All operations in words."""
        return "; ".join(o.words for o in self.operations) or "nothing"

    def record(self) -> list[dict[str, Any]]:
        """The operations as plain values."""
        return [
            {"operation": type(o).__name__.lower(), **dataclasses.asdict(o), "text": o.words}
            for o in self.operations
        ]


def _nothing(operation: Operation) -> bool:
    """Whether an operation changes nothing whatever the network."""
    return (
        (isinstance(operation, Scale) and operation.factor == 1)
        or (isinstance(operation, Swap) and operation.activation == "relu")
        or (isinstance(operation, Noise) and operation.spread == 0)
        or (isinstance(operation, Round) and operation.precision == "float32")
    )


def silenced(text: str) -> Scale:
    """``LAYER:CHANNEL`` or ``LAYER:FIRST-LAST`` as channels that are silenced.

    Raises:
        UserError: the text has another form.
    """
    return _scaled(text, text, 0.0)


def amplified(text: str) -> Scale:
    """``LAYER:CHANNEL:FACTOR`` or ``LAYER:FIRST-LAST:FACTOR`` as channels with a factor.

    Raises:
        UserError: the text has another form, or the factor lies outside 0 to 4.
    """
    place, _, factor = text.rpartition(":")
    try:
        value = float(factor)
    except ValueError:
        value = math.nan
    if not place or math.isnan(value):
        raise UserError(f"An amplified channel is written LAYER:CHANNEL:FACTOR, not {text!r}.")
    return _scaled(place, text, value)


def _scaled(place: str, text: str, factor: float) -> Scale:
    layer, _, channels = place.rpartition(":")
    ends = channels.split("-")
    if not layer or len(ends) > 2 or not all(end.isdecimal() for end in ends):
        raise UserError(f"A channel is written LAYER:CHANNEL or LAYER:FIRST-LAST, not {text!r}.")
    return Scale(layer, int(ends[0]), int(ends[-1]), factor)


def planned(
    skip: Sequence[str] = (),
    scale: Sequence[Scale] = (),
    activation: str = "relu",
    noise: tuple[float, int] = (0.0, 0),
    bits: int | None = None,
    precision: str = "float32",
    kernels: Sequence[Kernel] = (),
) -> Plan:
    """A plan from what a person sets.

    Args:
        skip: names of blocks.
        scale: channels with their factors.
        activation: in place of ReLU.
        noise: spread and seed.
        bits: of the weights; ``None`` leaves them as they are.
        precision: of weights and outputs.
        kernels: other numbers in kernels.

    Raises:
        UserError: a value outside its range.
    """
    grid = () if bits is None else (Quantise(bits),)
    skips = [Skip(name) for name in skip]
    rest = (Swap(activation), Noise(*noise), *grid, Round(precision))
    return Plan((*skips, *scale, *kernels, *rest))


def rewritten(text: str) -> Kernel:
    """``LAYER:FILTER:CHANNEL=NUMBERS`` as a kernel with other numbers, row by row, with commas.

    Raises:
        UserError: the text has another form, or a number lies outside its range.
    """
    place, _, numbers = text.partition("=")
    parts = place.rsplit(":", 2)
    try:
        values = tuple(float(number) for number in numbers.split(","))
    except ValueError:
        values = ()
    if len(parts) < 3 or not parts[0] or not values or not all(p.isdecimal() for p in parts[1:]):
        raise UserError(
            f"A kernel is written LAYER:FILTER:CHANNEL=NUMBERS, with commas between, not {text!r}."
        )
    return Kernel(parts[0], int(parts[1]), int(parts[2]), values)


def kernel_text(kernel: Kernel) -> str:
    """A kernel as ``rewritten`` reads it, with all digits of a float32."""
    numbers = ",".join(f"{value:.9g}" for value in kernel.values)
    return f"{kernel.layer}:{kernel.filter}:{kernel.channel}={numbers}"
