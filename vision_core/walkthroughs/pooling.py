"""Maximum and average pooling, one output cell a step, and the way back through the maximum."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from vision_core.errors import UserError
from vision_core.walkthroughs import params
from vision_core.walkthroughs.record import NOTHING, RawTerm, Recorder, at, listed, num
from vision_core.walkthroughs.types import Cell, Walkthrough, Write
from vision_core.walkthroughs.windows import Pooling, make_pooling


def max_pool(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: Any = False,
) -> Walkthrough:
    """``max_pool1d`` or ``max_pool2d`` with ``return_indices``.

    Args:
        input: L, H x W or C x H x W numbers.
        kernel_size, stride, padding, dilation: a whole number, or one per axis; the stride is
            the kernel size where left out. Padding never wins.
        ceil_mode: round the output size up.

    Returns:
        reduction ``max``; ``facts``: ``switches``, for every output cell the place of its
        maximum as an index into the flattened input of its channel, as PyTorch counts it; of
        equal values the first, row by row.

    Raises:
        UserError: numbers that do not fit.
    """
    pool = make_pooling(input, kernel_size, stride, padding, dilation, ceil_mode)
    recorder = Recorder(pool.output_shape, "max")
    switches = np.zeros((pool.x.shape[0], *pool.size), dtype=int)
    for channel, place in pool.places():
        window = pool.window(place)
        values = [float(pool.x[channel][cell]) for cell in window]
        winner = _winner(pool, channel, place)
        switches[(channel, *place)] = np.ravel_multi_index(winner, pool.input_size)
        sources = [
            RawTerm(v, (("input", pool.cell(channel, cell)),))
            for v, cell in zip(values, window, strict=True)
        ]
        body = f"max({listed([num(v) for v in values], ', ')}) = {num(max(values))}"
        target = pool.cell(channel, place)
        recorder.step([(target, sources)], f"y{at(target)} = {body}, from x{at(winner)}")
    x, shown = (pool.x[0], switches[0]) if pool.plain else (pool.x, switches)
    facts = {"output_size": list(pool.size), "switches": shown.tolist(), **pool.geometry()}
    return recorder.finish("max_pool", {"input": ("input", x)}, pool.formula, facts)


def _winner(pool: Pooling, channel: int, place: Cell) -> Cell:
    """The place of the maximum; of equal ones the first."""
    return max(pool.window(place), key=lambda cell: pool.x[channel][cell])


def avg_pool(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: Any = False,
    count_include_pad: Any = True,
) -> Walkthrough:
    """``avg_pool1d`` or ``avg_pool2d``.

    Args:
        input, kernel_size, stride, padding, ceil_mode: as in ``max_pool``.
        count_include_pad: zeros of the padding count as values.

    Returns:
        reduction ``average``; a term without reads is a zero of the padding.

    Raises:
        UserError: numbers that do not fit.
    """
    pool = make_pooling(input, kernel_size, stride, padding, 1, ceil_mode)
    counted = params.flag(count_include_pad, "count_include_pad")
    recorder = Recorder(pool.output_shape, "average")
    for channel, place in pool.places():
        sources = [
            RawTerm(float(pool.x[channel][cell]), (("input", pool.cell(channel, cell)),))
            for cell in pool.window(place)
        ]
        if counted:
            sources += [NOTHING] * pool.padding_cells(place)
        body = listed([num(s.value) for s in sources])
        target = pool.cell(channel, place)
        recorder.step(
            [(target, sources)],
            _mean_text(f"({body}) / {len(sources)}"),
        )
    x = pool.x[0] if pool.plain else pool.x
    facts = {"output_size": list(pool.size), **pool.geometry()}
    return recorder.finish("avg_pool", {"input": ("input", x)}, pool.formula, facts)


def _mean_text(body: str) -> Callable[[list[Write]], str]:
    return lambda done: f"y{at(done[0].cell)} = {body} = {num(done[0].value)}"


def max_pool_backward(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: Any = False,
    grad_output: Any = None,
) -> Walkthrough:
    """The gradient of the input of ``max_pool``: every output's gradient goes to its switch.

    Args:
        grad_output: numbers in the shape of the output of ``max_pool``; ones where left out.

    Returns:
        reduction ``sum``: overlapping windows may share a switch; ``facts``: ``switches``.

    Raises:
        UserError: numbers that do not fit.
    """
    pool = make_pooling(input, kernel_size, stride, padding, dilation, ceil_mode)
    given = np.ones(pool.output_shape) if grad_output is None else grad_output
    gradient = params.numbers(given, "grad_output", (len(pool.output_shape),))
    if gradient.shape != pool.output_shape:
        raise UserError(
            f"grad_output must have the output's shape {list(pool.output_shape)}, "
            f"not {list(gradient.shape)}."
        )
    x = pool.x[0] if pool.plain else pool.x
    recorder = Recorder(x.shape, "sum")
    everywhere = [(tuple(int(i) for i in cell), [NOTHING]) for cell in np.ndindex(*x.shape)]
    recorder.step(everywhere, "every gradient of the input starts at 0")
    switches = np.zeros((pool.x.shape[0], *pool.size), dtype=int)
    for channel, place in pool.places():
        winner = _winner(pool, channel, place)
        switches[(channel, *place)] = np.ravel_multi_index(winner, pool.input_size)
        read, target = pool.cell(channel, place), pool.cell(channel, winner)
        value = float(gradient[read])
        recorder.step(
            [(target, [RawTerm(value, (("grad_output", read),))])],
            _routed_text(f"gradient {num(value)} of y{at(read)}"),
        )
    shown = switches[0] if pool.plain else switches
    return recorder.finish(
        "max_pool_backward",
        {"input": ("input", x), "grad_output": ("input", gradient)},
        pool.formula,
        {"switches": shown.tolist(), **pool.geometry()},
    )


def _routed_text(what: str) -> Callable[[list[Write]], str]:
    return lambda done: f"{what} goes to x{at(done[0].cell)}, which now has {num(done[0].value)}"
