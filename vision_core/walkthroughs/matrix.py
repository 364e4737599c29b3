"""Convolution as a matrix: C row by row, C times x, and C transposed times y."""

from __future__ import annotations

from typing import Any

import numpy as np

from vision_core.errors import UserError
from vision_core.walkthroughs import params
from vision_core.walkthroughs.layer import Layer, conv_size, make_layer, places, volume
from vision_core.walkthroughs.record import (
    NOTHING,
    RawTerm,
    Recorder,
    at,
    check_terms,
    listed,
    signed,
    summed,
)
from vision_core.walkthroughs.types import Array, Cell, Role, Walkthrough

VIEWS = ("matrix", "forward", "transposed")


def convolution_matrix(
    input: Any,
    weight: Any,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    view: Any = "matrix",
    grad_output: Any = None,
) -> Walkthrough:
    """A convolution on one channel written as y = C x, where x is the padded input as a column.

    Args:
        input: L or H x W numbers.
        weight: K or K x K numbers.
        stride, padding, dilation: a whole number, or one per axis.
        view: ``matrix`` builds C, a row a step (reduction ``keep``); ``forward`` computes C x, an
            output cell a step; ``transposed`` computes C^T g, a cell of the padded input a step
            (both ``sum``), which is the backward pass for the gradient g and also the transposed
            convolution of g.
        grad_output: g, in the shape of y; ones where left out. Only ``transposed`` takes it.

    Returns:
        ``output`` is C, y as a column, or the gradient of the padded input as a column; ``facts``:
        ``output_size``, ``padded_size``, ``rows``, ``columns``, ``nonzero`` (entries of C that
        hold a weight), and for ``transposed`` also ``cropped``, without the padding.

    Raises:
        UserError: shapes or numbers that do not fit, or more than one channel.
    """
    chosen = params.choice(view, "view", VIEWS)
    layer = make_layer(input, weight, None, stride, padding, dilation, 1, False)
    if not (layer.plain_x and layer.plain_w):
        raise UserError(
            "The matrix is shown for one channel; give input and weight without channel axes."
        )
    if grad_output is not None and chosen != "transposed":
        raise UserError("grad_output belongs to the view transposed; leave it out here.")
    size, formula, _ = conv_size(layer)
    padded = tuple(n + 2 * p for n, p in zip(layer.size, layer.padding, strict=True))
    check_terms(volume(size) * volume(padded))
    entries = _entries(layer, size, padded)
    facts: dict[str, Any] = {
        "view": chosen,
        "output_size": list(size),
        "padded_size": list(padded),
        "rows": volume(size),
        "columns": volume(padded),
        "nonzero": sum(len(row) for row in entries),
    }
    formula += (
        f"C has {volume(size)} rows (outputs) and {volume(padded)} columns (padded inputs)",
    )
    if chosen == "matrix":
        recorder, operands = _build_rows(layer, entries, volume(padded))
    elif chosen == "forward":
        recorder, operands = _forward(layer, entries, padded)
    else:
        given = np.ones(size) if grad_output is None else grad_output
        recorder, operands = _transposed(layer, entries, size, padded, given)
        crop = tuple(slice(p, p + n) for p, n in zip(layer.padding, layer.size, strict=True))
        facts["cropped"] = recorder.output.reshape(padded)[crop].tolist()
    return recorder.finish("convolution_matrix", operands, formula, facts)


def _entries(layer: Layer, size: Cell, padded: Cell) -> list[dict[int, Cell]]:
    """Per row of C, the tap of the kernel that stands in each column that has one."""
    rows = []
    for place in places(size):
        row = {}
        for tap in places(layer.kernel):
            read = tuple(
                i * s + u * d
                for i, s, u, d in zip(place, layer.stride, tap, layer.dilation, strict=True)
            )
            row[int(np.ravel_multi_index(read, padded))] = tap
        rows.append(row)
    return rows


_Made = tuple[Recorder, dict[str, tuple[Role, Array]]]


def _build_rows(layer: Layer, entries: list[dict[int, Cell]], columns: int) -> _Made:
    recorder = Recorder((len(entries), columns), "keep")
    for r, row in enumerate(entries):
        writes = []
        for column in range(columns):
            tap = row.get(column)
            source = NOTHING if tap is None else _weight(layer, tap)
            writes.append(((r, column), [source]))
        columns_of = listed([str(column) for column in sorted(row)], ", ")
        recorder.step(
            writes,
            f"row {r} of C: the kernel's weights stand in columns {columns_of}; all else is 0",
        )
    return recorder, layer.operands()


def _weight(layer: Layer, tap: Cell) -> RawTerm:
    return RawTerm(float(layer.w[0, 0][tap]), (("weight", tap),))


def _forward(layer: Layer, entries: list[dict[int, Cell]], padded: Cell) -> _Made:
    column_x = np.zeros(padded)
    column_x[tuple(slice(p, p + n) for p, n in zip(layer.padding, layer.size, strict=True))] = (
        layer.x[0]
    )
    flat = column_x.ravel()
    matrix = _filled(layer, entries, flat.size)
    recorder = Recorder((len(entries),), "sum")
    for r, row in enumerate(entries):
        sources, words = [], []
        for column in sorted(row):
            value, factor = float(matrix[r, column]), float(flat[column])
            reads = (("matrix", (r, column)), ("column", (column,)))
            sources.append(RawTerm(value * factor, reads))
            words.append(f"{signed(value)}·{signed(factor)}")
        recorder.step(
            [((r,), sources)],
            summed(words),
        )
    return recorder, {**layer.operands(), "matrix": ("kernel", matrix), "column": ("input", flat)}


def _transposed(
    layer: Layer, entries: list[dict[int, Cell]], size: Cell, padded: Cell, given: Any
) -> _Made:
    gradient = params.numbers(given, "grad_output", (len(size),))
    if gradient.shape != size:
        raise UserError(
            f"grad_output must have the output's shape {list(size)}, not {list(gradient.shape)}."
        )
    flat = gradient.ravel()
    matrix = _filled(layer, entries, volume(padded))
    recorder = Recorder((volume(padded),), "sum")
    for column in range(volume(padded)):
        rows = [r for r, row in enumerate(entries) if column in row]
        sources = [
            RawTerm(
                float(matrix[r, column] * flat[r]), (("matrix", (r, column)), ("grad_output", (r,)))
            )
            for r in rows
        ]
        words = [f"{signed(float(matrix[r, column]))}·{signed(float(flat[r]))}" for r in rows]
        where = at(tuple(int(i) for i in np.unravel_index(column, padded)))
        recorder.step(
            [((column,), sources or [NOTHING])],
            summed(words, f"padded input {where}: "),
        )
    return recorder, {
        **layer.operands(),
        "matrix": ("kernel", matrix),
        "grad_output": ("input", flat),
    }


def _filled(layer: Layer, entries: list[dict[int, Cell]], columns: int) -> Array:
    matrix = np.zeros((len(entries), columns))
    for r, row in enumerate(entries):
        for column, tap in row.items():
            matrix[r, column] = layer.w[0, 0][tap]
    return matrix
