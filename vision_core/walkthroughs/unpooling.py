"""Unpooling: nearest neighbour, bed of nails, and maximum unpooling with remembered switches."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from vision_core.errors import UserError
from vision_core.walkthroughs import params
from vision_core.walkthroughs.layer import places
from vision_core.walkthroughs.record import NOTHING, RawTerm, Recorder, at, check_terms, num
from vision_core.walkthroughs.types import Walkthrough
from vision_core.walkthroughs.windows import picture


def nearest_unpool(input: Any, scale_factor: Any = 2) -> Walkthrough:
    """Nearest-neighbour unpooling: every value fills a block (``F.interpolate`` mode nearest).

    Args:
        input: L, H x W or C x H x W numbers.
        scale_factor: side of the block, a whole number or one per axis.

    Returns:
        reduction ``keep``.

    Raises:
        UserError: numbers that do not fit.
    """
    return _blocks("nearest_unpool", input, scale_factor, fill=True)


def bed_of_nails(input: Any, scale_factor: Any = 2) -> Walkthrough:
    """Bed of nails: every value stands in the first cell of its block, zeros in the others.

    Args, result and errors: as ``nearest_unpool``.
    """
    return _blocks("bed_of_nails", input, scale_factor, fill=False)


def _blocks(name: str, input: Any, scale_factor: Any, fill: bool) -> Walkthrough:
    x, plain = picture(input, "input")
    scale = params.sizes(scale_factor, "scale_factor", x.ndim - 1, 1)
    size = tuple(n * s for n, s in zip(x.shape[1:], scale, strict=True))
    check_terms(x.shape[0] * math.prod(size))
    recorder = Recorder(size if plain else (x.shape[0], *size), "keep")
    for cell in places(x.shape):
        channel, place = cell[0], cell[1:]
        read = place if plain else cell
        source = RawTerm(float(x[cell]), (("input", read),))
        writes = []
        for inner in places(scale):
            target = tuple(i * s + u for i, s, u in zip(place, scale, inner, strict=True))
            shown = source if fill or not any(inner) else NOTHING
            writes.append((target if plain else (channel, *target), [shown]))
        deed = "fills" if fill else "stands first in"
        recorder.step(
            writes,
            f"x{at(read)} = {num(source.value)} {deed} the block "
            f"y{at(writes[0][0])} to y{at(writes[-1][0])}",
        )
    lines = [
        f"{axis}: {n}·{s} = {n * s}"
        for axis, n, s in zip(params.axis_names(len(scale)), x.shape[1:], scale, strict=True)
    ]
    facts = {"output_size": list(size)}
    return recorder.finish(name, {"input": ("input", x[0] if plain else x)}, lines, facts)


def max_unpool(
    input: Any,
    indices: Any,
    kernel_size: Any = 2,
    stride: Any = None,
    padding: Any = 0,
    output_size: Any = None,
) -> Walkthrough:
    """``max_unpool1d`` or ``max_unpool2d``: every value goes to its switch, zeros elsewhere.

    Args:
        input: L, H x W or C x H x W numbers.
        indices: in the same shape, the switches that ``max_pool`` remembered: indices into the
            flattened output of their channel. Where two are equal the later value stays.
        kernel_size, stride, padding: of the pooling that is undone.
        output_size: height and width (or length), where the pooling had cut something off.

    Returns:
        reduction ``keep``.

    Raises:
        UserError: numbers that do not fit.
    """
    x, plain = picture(input, "input")
    axes = x.ndim - 1
    size, formula = _unpooled_size(x.shape[1:], kernel_size, stride, padding, output_size)
    check_terms(x.shape[0] * math.prod(size))
    switches = params.numbers(indices, "indices", (axes if plain else axes + 1,))
    switches = switches[None] if plain else switches
    if switches.shape != x.shape:
        raise UserError("indices must have the shape of the input, one switch for every value.")
    last = math.prod(size) - 1
    if (switches % 1 != 0).any() or (switches < 0).any() or (switches > last).any():
        raise UserError(
            f"indices must be whole numbers from 0 to {last}, the last cell of the output."
        )
    recorder = Recorder(size if plain else (x.shape[0], *size), "keep")
    recorder.step(
        [(cell, [NOTHING]) for cell in places(recorder.output.shape)],
        "every output cell starts at 0",
    )
    for cell in places(x.shape):
        place = tuple(int(i) for i in np.unravel_index(int(switches[cell]), size))
        read = cell[1:] if plain else cell
        target = place if plain else (cell[0], *place)
        source = RawTerm(float(x[cell]), (("input", read), ("indices", read)))
        recorder.step(
            [(target, [source])],
            f"x{at(read)} = {num(source.value)} goes to its switch "
            f"{int(switches[cell])}, y{at(target)}",
        )
    shown = (x[0], switches[0]) if plain else (x, switches)
    operands: dict[str, Any] = {"input": ("input", shown[0]), "indices": ("kernel", shown[1])}
    return recorder.finish("max_unpool", operands, formula, {"output_size": list(size)})


def _unpooled_size(
    shape: tuple[int, ...], kernel_size: Any, stride: Any, padding: Any, output_size: Any
) -> tuple[tuple[int, ...], list[str]]:
    """The output's size and its derivation; the user's may differ by less than a stride."""
    axes = len(shape)
    kernel = params.sizes(kernel_size, "kernel_size", axes, 1)
    steps = kernel if stride is None else params.sizes(stride, "stride", axes, 1)
    pads = params.sizes(padding, "padding", axes, 0)
    found, lines = [], []
    wanted = None if output_size is None else params.sizes(output_size, "output_size", axes, 1)
    for axis, name in enumerate(params.axis_names(axes)):
        n, k, s, p = shape[axis], kernel[axis], steps[axis], pads[axis]
        size = (n - 1) * s - 2 * p + k
        line = f"{name}: ({n} - 1)·{s} - 2·{p} + {k} = {size}"
        if wanted is not None:
            if not size - s < wanted[axis] < size + s:
                raise UserError(
                    f"output_size must lie between {size - s + 1} and {size + s - 1} along "
                    f"the {name}, not {wanted[axis]}."
                )
            size, line = wanted[axis], f"{line}, {wanted[axis]} as output_size asks"
        if size < 1:
            raise UserError(f"Nothing is left of the unpooled {name}: {line}; use less padding.")
        found.append(size)
        lines.append(line)
    return tuple(found), lines
