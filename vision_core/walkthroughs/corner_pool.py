"""Corner pooling: two running maxima whose sum tells where the corner of an object is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vision_core.errors import UserError
from vision_core.walkthroughs import params
from vision_core.walkthroughs.record import RawTerm, Recorder, at, num
from vision_core.walkthroughs.types import Array, Cell, Walkthrough

CORNERS = ("top_left", "bottom_right")


def corner_pool(input: Any, input_horizontal: Any = None, corner: Any = "top_left") -> Walkthrough:
    """Corner pooling of one channel (Law and Deng 2018, CornerNet, arXiv:1808.01244).

    For a top-left corner every cell gets the maximum of the cells from it downwards plus that of
    the cells from it to the right, so that a cell level with an object's top edge and in line
    with its left edge lights up. Each maximum is a scan that starts at the far end.

    Args:
        input: H x W numbers, scanned vertically.
        input_horizontal: H x W numbers, scanned horizontally; as ``input`` where left out (the
            network has a map of its own for each).
        corner: ``top_left``, or ``bottom_right`` (upwards and to the left).

    Returns:
        reduction ``sum`` of the two maxima; a term reads the cell where its maximum stands.

    Raises:
        UserError: numbers that do not fit.
    """
    down = params.numbers(input, "input", (2,))
    across = (
        down
        if input_horizontal is None
        else params.numbers(input_horizontal, "input_horizontal", (2,))
    )
    if across.shape != down.shape:
        raise UserError("input_horizontal must have the shape of the input.")
    backwards = params.choice(corner, "corner", CORNERS) == "top_left"
    recorder = Recorder(down.shape, "sum")
    height, width = down.shape
    for column in range(width):
        line = [(row, column) for row in range(height)]
        _scan(recorder, down, "input", line[::-1] if backwards else line)
    second = "input" if input_horizontal is None else "input_horizontal"
    for row in range(height):
        line = [(row, column) for column in range(width)]
        _scan(recorder, across, second, line[::-1] if backwards else line)
    operands: dict[str, Any] = {"input": ("input", down)}
    if input_horizontal is not None:
        operands["input_horizontal"] = ("input", across)
    ways = ("down", "right") if backwards else ("up", "left")
    formula = (f"y = largest of the cells {ways[0]} from here + largest of those {ways[1]}",)
    return recorder.finish("corner_pool", operands, formula, {"corner": corner})


def _scan(recorder: Recorder, values: Array, name: str, line: Sequence[Cell]) -> None:
    """One column or row, from the far end; the largest so far is added to every cell."""
    best = line[0]
    for cell in line:
        now, before = float(values[cell]), float(values[best])
        if now > before:
            best = cell
        largest = float(values[best])
        recorder.step(
            [(cell, [RawTerm(largest, ((name, best),))])],
            f"largest so far: max({num(before)}, {num(now)}) = {num(largest)}, "
            f"added to y{at(cell)}",
        )
