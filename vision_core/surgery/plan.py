"""What shall be done to a network, as plain values that can be compared, hashed and written down.

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

ACTIVATIONS = {
    "relu": "ReLU",
    "leaky_relu": "leaky ReLU, slope 0.1",
    "elu": "ELU",
    "gelu": "GELU",
    "silu": "SiLU",
    "tanh": "tanh",
    "sigmoid": "sigmoid",
    "identity": "identity (none)",
}
"""What may stand in place of a ReLU, with its name in words."""
PRECISIONS = ("float32", "bfloat16", "float16")
MOST_FACTOR = 4.0
MOST_NOISE = 2.0
BITS = (2, 16)
MOST_SEED = 2**31 - 1


@dataclass(frozen=True)
class Skip:
    """Remove the residual branch of a block: what is left is its shortcut and its last ReLU.

    Attributes:
        block: name of a ``BasicBlock`` or ``Bottleneck`` of torchvision.
    """

    block: str

    @property
    def words(self) -> str:
        """In words."""
        return f"skip block {self.block}"


@dataclass(frozen=True)
class Scale:
    """Multiply channels of what a layer puts out; 0 silences them.

    Attributes:
        layer: name of the layer.
        first, last: channels, counted from 0, both included.
        factor: 0 to 4.

    Raises:
        UserError: the factor or the channels lie outside their range.
    """

    layer: str
    first: int
    last: int
    factor: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.first <= self.last:
            raise UserError(
                f"Channels count from 0 and a range rises, so {self.first}-{self.last} is none."
            )
        if not 0 <= self.factor <= MOST_FACTOR:
            raise UserError(f"A channel's factor must lie between 0 and 4, not {self.factor:g}.")

    @property
    def channels(self) -> str:
        """``3``, or ``0-15`` for several."""
        return f"{self.first}" if self.first == self.last else f"{self.first}-{self.last}"

    @property
    def words(self) -> str:
        """In words."""
        several = "" if self.first == self.last else "s"
        what = f"channel{several} {self.channels} of {self.layer}"
        return f"silence {what}" if self.factor == 0 else f"{what} times {self.factor:g}"


@dataclass(frozen=True)
class Swap:
    """Another activation in place of every ReLU.

    Attributes:
        activation: a key of ``ACTIVATIONS``.

    Raises:
        UserError: there is no such activation.
    """

    activation: str

    def __post_init__(self) -> None:
        if self.activation not in ACTIVATIONS:
            raise UserError(
                f"There is no activation {self.activation!r}; choose {', '.join(ACTIVATIONS)}."
            )

    @property
    def words(self) -> str:
        """In words."""
        return f"{ACTIVATIONS[self.activation]} in place of ReLU"


@dataclass(frozen=True)
class Noise:
    """Gaussian noise on the weights of convolutions and linear layers.

    Attributes:
        spread: standard deviation of the noise as a share of that of the layer's weights, 0 to 2.
        seed: of the noise; the same seed gives the same noise on every device.

    Raises:
        UserError: the spread or the seed lies outside its range.
    """

    spread: float
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.spread <= MOST_NOISE:
            raise UserError(f"Noise must lie between 0 and 2, not {self.spread:g}.")
        if not 0 <= self.seed <= MOST_SEED:
            raise UserError(f"The seed must be a whole number from 0 on, not {self.seed}.")

    @property
    def words(self) -> str:
        """In words."""
        return f"noise of {self.spread:g} standard deviations on the weights, seed {self.seed}"


@dataclass(frozen=True)
class Quantise:
    """The weights of convolutions and linear layers on a grid of few values.

    Attributes:
        bits: 2 to 16; there are ``2**bits - 1`` values, evenly spaced around 0, for each layer.

    Raises:
        UserError: another number of bits.
    """

    bits: int

    def __post_init__(self) -> None:
        if not BITS[0] <= self.bits <= BITS[1]:
            raise UserError(f"Weights are quantised to 2 to 16 bits, not {self.bits}.")

    @property
    def words(self) -> str:
        """In words."""
        return f"weights of {self.bits} bits"


@dataclass(frozen=True)
class Round:
    """Weights and the output of every layer rounded to a shorter floating-point format.

    Sums inside a layer stay in float32, as on the matrix units of graphics cards.

    Attributes:
        precision: one of ``PRECISIONS``.

    Raises:
        UserError: there is no such precision.
    """

    precision: str

    def __post_init__(self) -> None:
        if self.precision not in PRECISIONS:
            raise UserError(
                f"There is no precision {self.precision!r}; choose {', '.join(PRECISIONS)}."
            )

    @property
    def words(self) -> str:
        """In words."""
        return f"rounded to {self.precision}"


Operation = Skip | Scale | Swap | Noise | Quantise | Round
_ORDER = (Skip, Scale, Swap, Noise, Quantise, Round)
_ONCE = (Swap, Noise, Quantise, Round)


@dataclass(frozen=True)
class Plan:
    """All that shall be done to a network, in one order however it was given.

    What changes nothing (a factor of 1, no noise, ReLU for ReLU) is left out. Factors of the same
    channel multiply. Noise comes before quantising, and rounding comes last.

    Raises:
        UserError: there are two activations, noises, numbers of bits or precisions.
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
) -> Plan:
    """A plan from what a person sets.

    Args:
        skip: names of blocks.
        scale: channels with their factors.
        activation: in place of ReLU.
        noise: spread and seed.
        bits: of the weights; ``None`` leaves them as they are.
        precision: of weights and outputs.

    Raises:
        UserError: a value outside its range.
    """
    grid = () if bits is None else (Quantise(bits),)
    skips = [Skip(name) for name in skip]
    rest = (Swap(activation), Noise(*noise), *grid, Round(precision))
    return Plan((*skips, *scale, *rest))
