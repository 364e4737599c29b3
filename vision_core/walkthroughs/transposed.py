"""Transposed convolution, 1-D and 2-D, in two views on one index of steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from vision_core.errors import UserError
from vision_core.walkthroughs import params
from vision_core.walkthroughs.layer import Layer, inside, make_layer, places, volume
from vision_core.walkthroughs.record import (
    NOTHING,
    RawTerm,
    Recorder,
    at,
    check_terms,
    equation,
    listed,
    num,
    signed,
)
from vision_core.walkthroughs.types import Array, Cell, Walkthrough, Write

VIEWS = ("scatter", "gather")


def transposed_convolution(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: Any = 1,
    dilation: Any = 1,
    view: Any = "scatter",
) -> Walkthrough:
    """``torch.nn.functional.conv_transpose1d`` or ``conv_transpose2d`` on one picture.

    Step 0 says where the output starts; step 1 + i belongs to the i-th place of the input, row by
    row, in both views. ``scatter``: the place stamps the kernel, weighted with its value, on the
    output, and overlapping stamps add up. ``gather``: an ordinary convolution with the kernel
    turned round, stride 1, over the input with zeros inserted between its cells (operand
    ``stretched``); the step writes those output cells for which this place is the last to
    contribute, so that each is at once what the scatter view has just completed.

    Args:
        input: L or H x W numbers, or C x L, C x H x W.
        weight: K or K x K for one channel, or C x O/groups x K (x K).
        bias: O numbers.
        stride, padding, output_padding, dilation: a whole number, or one per axis.
        groups: splits input and output channels.
        view: ``scatter`` or ``gather``.

    Returns:
        reduction ``sum``; ``facts``: ``output_size``, ``overlap`` (how many places of the input
        reach each output place), ``inserted_zeros`` and ``stretched_padding`` per axis
        (dilation * (kernel - 1) - padding, negative where it crops), ``stride``, ``padding`` and
        ``dilation`` per axis.

    Raises:
        UserError: shapes or numbers that do not fit.
    """
    layer = make_layer(input, weight, bias, stride, padding, dilation, groups, True)
    extra = params.sizes(output_padding, "output_padding", layer.axes, 0)
    chosen = params.choice(view, "view", VIEWS)
    size, formula = _size(layer, extra)
    check_terms(volume(layer.size) * layer.w.size)
    check_terms(volume(size) * layer.out_channels)
    reached = {place: _stamp(layer, place, size) for place in places(layer.size)}
    overlap = np.zeros(size, dtype=int)
    for stamp in reached.values():
        for _, target in stamp:
            overlap[target] += 1
    recorder = Recorder(layer.output_shape(size), "sum")
    operands = layer.operands()
    if chosen == "scatter":
        _scatter(recorder, layer, size, reached)
    else:
        stretched = _stretch(layer, size)
        operands["stretched"] = ("input", stretched[0] if layer.plain_x else stretched)
        _gather(recorder, layer, size, reached)
    facts = {
        "view": chosen,
        "output_size": list(size),
        "overlap": overlap.tolist(),
        **layer.geometry(),
        "inserted_zeros": [s - 1 for s in layer.stride],
        "stretched_padding": [r - 1 - p for r, p in zip(layer.reach, layer.padding, strict=True)],
    }
    return recorder.finish("transposed_convolution", operands, formula, facts)


def _size(layer: Layer, extra: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Output size and its derivation."""
    found, lines = [], []
    names = params.axis_names(layer.axes)
    for axis, (n, k) in enumerate(zip(layer.size, layer.kernel, strict=True)):
        s, p, d = layer.stride[axis], layer.padding[axis], layer.dilation[axis]
        if extra[axis] >= max(s, d):
            raise UserError(
                f"output_padding must be smaller than the stride ({s}) or the dilation ({d}), "
                f"and {extra[axis]} is not."
            )
        size = (n - 1) * s - 2 * p + layer.reach[axis] + extra[axis]
        line = f"({n} - 1)·{s} - 2·{p} + {d}·({k} - 1) + {extra[axis]} + 1 = {size}"
        if size < 1:
            raise UserError(
                f"Nothing is left of the output's {names[axis]}: {line}; use less padding."
            )
        found.append(size)
        lines.append(f"{names[axis]}: {line}")
    return tuple(found), tuple(lines)


def _stamp(layer: Layer, place: Cell, size: tuple[int, ...]) -> list[tuple[Cell, Cell]]:
    """(tap of the kernel, output place) of every tap of one input place that lands inside."""
    steps = tuple(zip(place, layer.stride, layer.padding, layer.dilation, strict=True))
    found = []
    for tap in places(layer.kernel):
        target = tuple(i * s - p + u * d for u, (i, s, p, d) in zip(tap, steps, strict=True))
        if inside(target, size):
            found.append((tap, target))
    return found


def _products(layer: Layer, channel: int, place: Cell, tap: Cell) -> list[RawTerm]:
    """The products of one input place with one tap, over the input channels of the group."""
    outs, ins = layer.w.shape[1], layer.x.shape[0] // layer.groups
    group, o = divmod(channel, outs)
    found = []
    for c in range(group * ins, (group + 1) * ins):
        value = float(layer.x[c][place]) * float(layer.w[c, o][tap])
        cells = (("input", layer.x_cell(c, place)), ("weight", layer.w_cell(c, o, tap)))
        found.append(RawTerm(value, cells))
    return found


def _scatter(
    recorder: Recorder,
    layer: Layer,
    size: tuple[int, ...],
    reached: dict[Cell, list[tuple[Cell, Cell]]],
) -> None:
    everything = [(o, place) for o in range(layer.out_channels) for place in places(size)]
    start = "0" if layer.bias is None else "the bias of its channel"
    recorder.step(
        [(layer.y_cell(o, place), layer.start(o) or [NOTHING]) for o, place in everything],
        f"every output cell starts at {start}",
    )
    for place, stamp in reached.items():
        values = [num(float(plane[place])) for plane in layer.x]
        shown = values[0] if layer.plain_x else f"({listed(values, ', ')})"
        recorder.step(
            [
                (layer.y_cell(o, target), _products(layer, o, place, tap))
                for o in range(layer.out_channels)
                for tap, target in stamp
            ],
            f"x{at(place)} = {shown} times the kernel is added {_where(stamp)}",
        )


def _where(stamp: list[tuple[Cell, Cell]]) -> str:
    if not stamp:
        return "nowhere: all of it falls on the cropped padding"
    return f"from y{at(stamp[0][1])} to y{at(stamp[-1][1])}"


def _stretch(layer: Layer, size: tuple[int, ...]) -> Array:
    """The input with zeros inserted and padded, so that an ordinary convolution gives ``size``."""
    full = tuple(n + r - 1 for n, r in zip(size, layer.reach, strict=True))
    check_terms(volume(full) * layer.x.shape[0])
    stretched = np.zeros((layer.x.shape[0], *full))
    for place in places(layer.size):
        target = _stretched_place(layer, place)
        if inside(target, full):  # more padding than dilation * (kernel - 1) crops the input
            for channel, plane in enumerate(layer.x):
                stretched[(channel, *target)] = plane[place]
    return stretched


def _stretched_place(layer: Layer, place: Cell) -> Cell:
    return tuple(
        i * s + r - 1 - p
        for i, s, r, p in zip(place, layer.stride, layer.reach, layer.padding, strict=True)
    )


def _gather(
    recorder: Recorder,
    layer: Layer,
    size: tuple[int, ...],
    reached: dict[Cell, list[tuple[Cell, Cell]]],
) -> None:
    feeds: dict[Cell, list[tuple[Cell, Cell]]] = {place: [] for place in places(size)}
    last: dict[Cell, Cell | None] = dict.fromkeys(feeds)
    for place, stamp in reached.items():
        for tap, target in stamp:
            feeds[target].append((place, tap))
            last[target] = place
    for now in (None, *reached):
        cells = [target for target, final in last.items() if final == now]
        writes, words = [], []
        for o in range(layer.out_channels):
            for target in cells:
                sources = _gathered(layer, o, feeds[target])
                writes.append((layer.y_cell(o, target), sources or [NOTHING]))
                words.append([_product_words(layer, s) for s in sources] or ["0"])
        recorder.step(writes, _gather_text(words))


def _gathered(layer: Layer, o: int, feeds: list[tuple[Cell, Cell]]) -> list[RawTerm]:
    found = []
    for place, tap in feeds:
        spot = _stretched_place(layer, place)
        for source in _products(layer, o, place, tap):
            channel = source.reads[0][1][0]
            read = ("stretched", layer.x_cell(channel, spot))
            found.append(RawTerm(source.value, (*source.reads, read)))
    return found + layer.start(o)


def _product_words(layer: Layer, source: RawTerm) -> str:
    """``2·3``, or the bias alone."""
    if len(source.reads) == 1:
        return num(source.value)
    (_, cell), (_, tap) = source.reads[:2]
    x = layer.x[0] if layer.plain_x else layer.x
    w = layer.w[0, 0] if layer.plain_w else layer.w
    return f"{signed(float(x[cell]))}·{signed(float(w[tap]))}"


def _gather_text(words: list[list[str]]) -> Callable[[list[Write]], str]:
    def text(done: list[Write]) -> str:
        if not done:
            return "no output cell becomes complete here"
        parts = [equation(w.cell, body, w.value) for w, body in zip(done, words, strict=True)]
        return listed(parts, "; ")

    return text
