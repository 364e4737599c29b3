"""What can be done to a network, each as a plain value.

No PyTorch here: the command line checks its arguments before it is imported.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

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
MOST_WEIGHT = 1000.0


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
class Kernel:
    """Other numbers in one kernel: what a filter multiplies one input channel with.

    Attributes:
        layer: name of a convolution.
        filter: number of the filter (output channel), counted from 0.
        channel: input channel among those that the filter reads, counted from 0.
        values: the numbers, row by row; each between -1000 and 1000.

    Raises:
        UserError: a number that is none or too large, or a negative position.
    """

    layer: str
    filter: int
    channel: int
    values: tuple[float, ...]

    def __post_init__(self) -> None:
        if self.filter < 0 or self.channel < 0:
            raise UserError("Filters and channels of a kernel count from 0.")
        if not all(math.isfinite(v) and abs(v) <= MOST_WEIGHT for v in self.values):
            raise UserError("The numbers of a kernel must lie between -1000 and 1000.")

    @property
    def words(self) -> str:
        """In words."""
        shown = self.values[:1] if len(set(self.values)) == 1 else self.values[:9]
        numbers = ", ".join(f"{value:.3g}" for value in shown)
        more = ", ..." if 1 < len(shown) < len(self.values) else ""
        where = f"filter {self.filter}, input channel {self.channel} of {self.layer}"
        return f"kernel of {where} set to {numbers}{more}"


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
