"""Windows of pooling: sizes and cells as PyTorch counts them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product
from typing import Any

from vision_core.errors import UserError
from vision_core.walkthroughs import params
from vision_core.walkthroughs.layer import places
from vision_core.walkthroughs.record import check_terms
from vision_core.walkthroughs.types import Array, Cell


@dataclass(frozen=True, eq=False)
class Pooling:
    """A checked pooling layer.

    Attributes:
        x: input, C x size.
        plain: the user gave no channel axis, so none is shown.
        size: of the output, without channels.
        formula: how that size comes about.
    """

    x: Array
    plain: bool
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]
    size: tuple[int, ...]
    formula: tuple[str, ...]

    @property
    def input_size(self) -> tuple[int, ...]:
        return self.x.shape[1:]

    def cell(self, channel: int, place: Cell) -> Cell:
        return place if self.plain else (channel, *place)

    @property
    def output_shape(self) -> tuple[int, ...]:
        return self.size if self.plain else (self.x.shape[0], *self.size)

    def window(self, place: Cell) -> list[Cell]:
        """Cells of the input under the window of an output place, row by row."""
        ranges = []
        for axis, i in enumerate(place):
            start = i * self.stride[axis] - self.padding[axis]
            taps = (start + u * self.dilation[axis] for u in range(self.kernel[axis]))
            ranges.append([t for t in taps if 0 <= t < self.input_size[axis]])
        return list(product(*ranges))

    def padding_cells(self, place: Cell) -> int:
        """Cells of the window on the padding, as ``avg_pool2d`` counts them."""
        full = 1
        for axis, i in enumerate(place):
            start = i * self.stride[axis] - self.padding[axis]
            # A last window that ceil_mode let over the padded edge is cut off there.
            edge = self.input_size[axis] + self.padding[axis]
            full *= min(start + self.kernel[axis], edge) - start
        return full - len(self.window(place))

    def geometry(self) -> dict[str, list[int]]:
        """Window, stride, padding and dilation per axis, for a walkthrough's ``facts``."""
        return {
            "kernel_size": list(self.kernel),
            "stride": list(self.stride),
            "padding": list(self.padding),
            "dilation": list(self.dilation),
        }

    def places(self) -> list[tuple[int, Cell]]:
        """(channel, place) of every output cell."""
        return [(c, place) for c in range(self.x.shape[0]) for place in places(self.size)]


def picture(value: Any, name: str) -> tuple[Array, bool]:
    """Numbers as C x size; without a channel axis where they have at most two dimensions."""
    x = params.numbers(value, name, (1, 2, 3))
    return (x[None], True) if x.ndim <= 2 else (x, False)


def make_pooling(
    input: Any, kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: Any
) -> Pooling:
    """Check the parameters; see ``max_pool`` for what they are.

    Raises:
        UserError: numbers that do not fit.
    """
    x, plain = picture(input, "input")
    axes = x.ndim - 1
    kernel = params.sizes(kernel_size, "kernel_size", axes, 1)
    steps = kernel if stride is None else params.sizes(stride, "stride", axes, 1)
    pads = params.sizes(padding, "padding", axes, 0)
    gaps = params.sizes(dilation, "dilation", axes, 1)
    up = params.flag(ceil_mode, "ceil_mode")
    found, lines = [], []
    for axis, name in enumerate(params.axis_names(axes)):
        size, line = _axis(x.shape[axis + 1], kernel[axis], steps[axis], pads[axis], gaps[axis], up)
        found.append(size)
        lines.append(f"{name}: {line}")
    check_terms(math.prod(found) * math.prod(kernel) * x.shape[0])
    pool = Pooling(x, plain, kernel, steps, pads, gaps, tuple(found), tuple(lines))
    # PyTorch gives minus infinity there, and a switch outside the input.
    if not all(pool.window(place) for place in places(pool.size)):
        raise UserError(
            "A pooling window falls between the cells, wholly on the padding; use less padding or "
            "dilation."
        )
    return pool


def _axis(n: int, k: int, s: int, p: int, d: int, up: bool) -> tuple[int, str]:
    """Output size along one axis and its derivation."""
    if p > k // 2:
        raise UserError(f"padding may be at most half of kernel_size ({k // 2}), and {p} is more.")
    room = n + 2 * p - d * (k - 1) - 1
    # With ceil_mode the last window may stand over the edge, and it may be the only one.
    if room < 0 and not (up and room + s - 1 >= 0):
        raise UserError(
            f"The pooling window spans {d * (k - 1) + 1} cells and the padded input has only "
            f"{n + 2 * p}; make the window smaller."
        )
    line = f"({n} + 2·{p} - {d}·({k} - 1) - 1) / {s} + 1 = {room / s + 1:.6g}"
    if room % s == 0:
        return room // s + 1, line
    size = room // s + 1 + int(up)
    if up and (size - 1) * s >= n + p:
        # A window must start inside the input or its left padding.
        return size - 1, f"{line}, {size - 1} as a further window would start beyond the input"
    return size, f"{line}, rounded {'up' if up else 'down'} to {size}"
