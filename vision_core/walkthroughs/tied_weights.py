"""A down and an up layer with the same weights: the convolution C and its transpose."""

from __future__ import annotations

from typing import Any

import numpy as np

from vision_core.errors import UserError
from vision_core.walkthroughs import params
from vision_core.walkthroughs.layer import places
from vision_core.walkthroughs.record import (
    NOTHING,
    RawTerm,
    Recorder,
    at,
    check_terms,
    listed,
    num,
    signed,
)
from vision_core.walkthroughs.types import Array, Cell, Role, Walkthrough, Write

_Product = tuple[Cell, Cell, Cell]  # cells of y, weight and x that are multiplied


def tied_weights(input: Any, weight: Any, y: Any, stride: Any = 1, padding: Any = 0) -> Walkthrough:
    """The inner products <C x, y> and <x, Cᵀ y>, term by term: they are the same terms.

    C is a convolution (down), and Cᵀ the transposed convolution with the same weights (up), its
    adjoint: a decoder with tied weights has no weights of its own. Each term is an x, a weight and
    a y; the first sum takes them output by output, the second one input by input.

    Args:
        input: x, L or H x W numbers.
        weight: K or K x K numbers.
        y: numbers in the size of C x.
        stride, padding: a whole number, or one per axis.

    Returns:
        reduction ``sum``; the result is ``down``, <C x, y>, and ``up``, <x, Cᵀ y>. Operands
        ``c_x`` and ``ct_y`` hold C x and Cᵀ y. ``facts``: ``output_size``, ``stride``, ``padding``.

    Raises:
        UserError: shapes or numbers that do not fit.
    """
    x = params.numbers(input, "input", (1, 2))
    w = params.numbers(weight, "weight", (x.ndim,))
    v = params.numbers(y, "y", (x.ndim,))
    steps = params.sizes(stride, "stride", x.ndim, 1)
    pads = params.sizes(padding, "padding", x.ndim, 0)
    size = tuple(
        (n + 2 * p - k) // s + 1 for n, k, s, p in zip(x.shape, w.shape, steps, pads, strict=True)
    )
    if min(size) < 1:
        raise UserError("The kernel is larger than the padded input; make it smaller.")
    if v.shape != size:
        raise UserError(f"y must have the size of C x, {'x'.join(map(str, size))}.")
    check_terms(2 * v.size * w.size)
    products = _products(x, w, size, steps, pads)
    recorder = Recorder((2,), "sum")
    down, up = np.zeros(size), np.zeros(x.shape)
    for of_y, tap, read in products:
        down[of_y] += x[read] * w[tap]
        up[read] += v[of_y] * w[tap]
    arrays = {"y": v, "weight": w, "input": x}
    for cell in places(size):
        own = [p for p in products if p[0] == cell]
        before = f"y{at(cell)} = {num(float(v[cell]))} times (C x){at(cell)} = {_sum(down, cell)}"
        _add(recorder, 0, own, arrays, before)
    for cell in places(x.shape):
        own = [p for p in products if p[2] == cell]
        before = f"x{at(cell)} = {num(float(x[cell]))} times (Cᵀ y){at(cell)} = {_sum(up, cell)}"
        _add(recorder, 1, own, arrays, before)
    operands: dict[str, tuple[Role, Array]] = {
        "input": ("input", x),
        "weight": ("kernel", w),
        "c_x": ("output", down),
        "y": ("input", v),
        "ct_y": ("output", up),
    }
    formula = (
        f"<C x, y> = {num(float((down * v).sum()))} = <x, Cᵀ y> = {num(float((x * up).sum()))}",
    )
    facts = {"output_size": list(size), "stride": list(steps), "padding": list(pads)}
    return recorder.finish("tied_weights", operands, formula, facts, ("down", "up"))


def _sum(array: Array, cell: Cell) -> str:
    return num(float(array[cell]))


def _products(
    x: Array, w: Array, size: Cell, steps: tuple[int, ...], pads: tuple[int, ...]
) -> list[_Product]:
    """Every (cell of y, tap, cell of x) that the convolution multiplies."""
    found = []
    for cell in places(size):
        for tap in places(w.shape):
            read = tuple(i * s - p + u for i, s, p, u in zip(cell, steps, pads, tap, strict=True))
            if all(0 <= r < n for r, n in zip(read, x.shape, strict=True)):
                found.append((cell, tap, read))
    return found


def _add(
    recorder: Recorder, to: int, products: list[_Product], arrays: dict[str, Array], before: str
) -> None:
    sources, words = [], []
    for cells in products:
        factors = [float(array[c]) for array, c in zip(arrays.values(), cells, strict=True)]
        reads = tuple((name, c) for name, c in zip(arrays, cells, strict=True))
        sources.append(RawTerm(float(np.prod(factors)), reads))
        words.append("·".join(signed(f) for f in factors))

    def text(done: list[Write]) -> str:
        return f"{before}: {listed(words or ['0'])}, so far {num(done[0].value)}"

    recorder.step([((to,), sources or [NOTHING])], text)
