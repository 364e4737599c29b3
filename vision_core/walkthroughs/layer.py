"""What convolution and transposed convolution share: operands, channels, groups and sizes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from vision_core.errors import UserError
from vision_core.walkthroughs import params
from vision_core.walkthroughs.record import RawTerm
from vision_core.walkthroughs.types import Array, Cell, Role


@dataclass(frozen=True, eq=False)
class Layer:
    """A checked layer in PyTorch's layout, and where its cells are in what the user gave.

    Attributes:
        x: input, C x size.
        w: weight, O x C/groups x kernel, or C x O/groups x kernel where transposed.
        bias: O numbers or none.
        stride, padding, dilation: one number per axis.
        plain_x, plain_w: the user gave no channel axes, so none are shown.
    """

    x: Array
    w: Array
    bias: Array | None
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]
    groups: int
    plain_x: bool
    plain_w: bool
    transposed: bool

    @property
    def axes(self) -> int:
        return self.x.ndim - 1

    @property
    def size(self) -> tuple[int, ...]:
        """Of the input, without channels."""
        return self.x.shape[1:]

    @property
    def kernel(self) -> tuple[int, ...]:
        return self.w.shape[2:]

    @property
    def reach(self) -> tuple[int, ...]:
        """Cells from the kernel's first to its last tap: dilation * (kernel - 1) + 1."""
        return tuple(d * (k - 1) + 1 for d, k in zip(self.dilation, self.kernel, strict=True))

    @property
    def out_channels(self) -> int:
        return self.w.shape[1] * self.groups if self.transposed else self.w.shape[0]

    def x_cell(self, channel: int, place: Cell) -> Cell:
        return place if self.plain_x else (channel, *place)

    def w_cell(self, first: int, second: int, tap: Cell) -> Cell:
        return tap if self.plain_w else (first, second, *tap)

    def y_cell(self, channel: int, place: Cell) -> Cell:
        return place if self.plain_x and self.plain_w else (channel, *place)

    def output_shape(self, size: tuple[int, ...]) -> tuple[int, ...]:
        return size if self.plain_x and self.plain_w else (self.out_channels, *size)

    def geometry(self) -> dict[str, list[int]]:
        """Stride, padding and dilation per axis, as a walkthrough's ``facts`` tell them."""
        return {
            "stride": list(self.stride),
            "padding": list(self.padding),
            "dilation": list(self.dilation),
        }

    def start(self, channel: int) -> list[RawTerm]:
        """The bias as a term; nothing without one."""
        if self.bias is None:
            return []
        return [RawTerm(float(self.bias[channel]), (("bias", (channel,)),))]

    def operands(self) -> dict[str, tuple[Role, Array]]:
        """In the shapes in which they were given."""
        found: dict[str, tuple[Role, Array]] = {
            "input": ("input", self.x[0] if self.plain_x else self.x),
            "weight": ("kernel", self.w[0, 0] if self.plain_w else self.w),
        }
        if self.bias is not None:
            found["bias"] = ("kernel", self.bias)
        return found


def make_layer(
    input: Any,
    weight: Any,
    bias: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: Any,
    transposed: bool,
) -> Layer:
    """Check the parameters of a layer; see ``convolution`` for what they are.

    Raises:
        UserError: shapes that do not fit each other, or bad numbers.
    """
    w = params.numbers(weight, "weight", (1, 2, 3, 4))
    plain_w = w.ndim <= 2
    axes = w.ndim if plain_w else w.ndim - 2
    w = w[None, None] if plain_w else w
    x = params.numbers(input, "input", (axes, axes + 1))
    plain_x = x.ndim == axes
    x = x[None] if plain_x else x
    count = params.whole(groups, "groups", 1)
    _check_channels(x.shape[0], w, count, transposed)
    out = w.shape[1] * count if transposed else w.shape[0]
    offset = None if bias is None else params.numbers(bias, "bias", (1,))
    if offset is not None and offset.shape != (out,):
        raise UserError(f"bias needs one number per output channel, {out}, not {offset.size}.")
    return Layer(
        x,
        w,
        offset,
        params.sizes(stride, "stride", axes, 1),
        params.sizes(padding, "padding", axes, 0),
        params.sizes(dilation, "dilation", axes, 1),
        count,
        plain_x,
        plain_w,
        transposed,
    )


def _check_channels(channels: int, w: Array, groups: int, transposed: bool) -> None:
    per_group = w.shape[0] if transposed else w.shape[0] // groups
    if channels % groups or w.shape[0] % groups or not per_group:
        raise UserError(
            f"groups must divide the channels of the input ({channels}) and of the weight "
            f"({w.shape[0]}), and {groups} does not."
        )
    needed = w.shape[0] if transposed else w.shape[1] * groups
    if needed != channels:
        raise UserError(
            f"The weight is made for {needed} input channels, and the input has {channels}."
        )


def places(size: tuple[int, ...]) -> list[Cell]:
    """All cells of a size, row by row."""
    return [tuple(int(i) for i in cell) for cell in np.ndindex(*size)]


def inside(place: Cell, size: tuple[int, ...]) -> bool:
    """Whether a cell lies in an array of this size."""
    return all(0 <= i < n for i, n in zip(place, size, strict=True))


def conv_size(layer: Layer) -> tuple[tuple[int, ...], tuple[str, ...], list[int]]:
    """Output size of a convolution: sizes, their derivation, and padded cells left over.

    Raises:
        UserError: the kernel is larger than the padded input.
    """
    found, lines, left = [], [], []
    names = params.axis_names(layer.axes)
    for axis, (n, k) in enumerate(zip(layer.size, layer.kernel, strict=True)):
        s, p, d = layer.stride[axis], layer.padding[axis], layer.dilation[axis]
        room = n + 2 * p - layer.reach[axis]
        if room < 0:
            raise UserError(
                f"The kernel spans {layer.reach[axis]} cells and the padded input has only "
                f"{n + 2 * p} along its {names[axis]}; make the kernel smaller or pad more."
            )
        size, rest = divmod(room, s)
        head = f"({n} + 2·{p} - {d}·({k} - 1) - 1) / {s} + 1"
        line = f"{names[axis]}: {head} = {size + 1}"
        if rest:
            line = (
                f"{names[axis]}: {head} = {room / s + 1:.6g}, floored to {size + 1}: "
                f"the last {rest} of {n + 2 * p} padded cells are not reached"
            )
        found.append(size + 1)
        lines.append(line)
        left.append(rest)
    return tuple(found), tuple(lines), left


def volume(size: tuple[int, ...]) -> int:
    """Number of cells."""
    return math.prod(size)
