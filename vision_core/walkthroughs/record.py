"""The recorder that every operator writes its steps with, and the words of a step."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vision_core.errors import UserError
from vision_core.walkthroughs.types import (
    Array,
    Cell,
    Operand,
    Reduction,
    Role,
    Step,
    Term,
    Walkthrough,
    Write,
)

MAX_TERMS = 50_000  # about 0.3 s and 30 MB; nobody steps through more
_SHOWN_TERMS = 12


@dataclass(frozen=True)
class RawTerm:
    """A term before it is known which write it goes to; see ``Term``."""

    value: float
    reads: tuple[tuple[str, Cell], ...] = ()
    weights: tuple[float, ...] = ()


NOTHING = RawTerm(0.0)  # what an output cell gets to which no input cell contributes


def check_terms(count: float) -> None:
    """Refuse what is too large to step through, before any memory is taken.

    Raises:
        UserError: more than ``MAX_TERMS`` terms or output cells.
    """
    if count > MAX_TERMS:
        raise UserError(
            f"This is too large to step through ({count:.0f} terms, at most {MAX_TERMS}); "
            "make the input, the kernel or the output smaller."
        )


class Recorder:
    """Collects steps and keeps every output cell's value by the operator's reduction."""

    def __init__(self, shape: Sequence[int], reduction: Reduction) -> None:
        check_terms(math.prod(shape))
        self.reduction: Reduction = reduction
        self.steps: list[Step] = []
        self.output: Array = np.full(tuple(shape), np.nan)
        self._sums = np.zeros(tuple(shape))
        self._counts = np.zeros(tuple(shape), dtype=np.int64)

    def step(
        self,
        writes: Iterable[tuple[Cell, Sequence[RawTerm]]],
        text: str | Callable[[list[Write]], str],
    ) -> None:
        """Record one step: per output cell the terms that it gets now."""
        terms: list[Term] = []
        done: list[Write] = []
        for cell, sources in writes:
            for source in sources:
                self._combine(cell, source.value)
                terms.append(Term(source.value, len(done), source.reads, source.weights))
            done.append(Write(cell, float(self.output[cell])))
        line = text if isinstance(text, str) else text(done)
        self.steps.append(Step(tuple(terms), tuple(done), line))

    def _combine(self, cell: Cell, value: float) -> None:
        self._sums[cell] += value
        self._counts[cell] += 1
        if self.reduction == "sum":
            self.output[cell] = self._sums[cell]
        elif self.reduction == "average":
            self.output[cell] = self._sums[cell] / self._counts[cell]
        elif self.reduction == "max":
            self.output[cell] = np.fmax(self.output[cell], value)
        else:
            self.output[cell] = value

    def finish(
        self,
        name: str,
        operands: Mapping[str, tuple[Role, Array]],
        formula: Sequence[str] = (),
        facts: Mapping[str, Any] | None = None,
        result_names: Sequence[str] = (),
    ) -> Walkthrough:
        """The walkthrough; every output cell must have been written."""
        assert not np.isnan(self.output).any(), f"{name} left an output cell unwritten"
        named = {key: Operand(key, role, array) for key, (role, array) in operands.items()}
        named["output"] = Operand("output", "output", self.output)
        return Walkthrough(
            name,
            named,
            tuple(self.steps),
            self.reduction,
            tuple(formula),
            dict(facts or {}),
            tuple(result_names),
        )


def num(value: float) -> str:
    """A number as on a slide: six digits at most, no needless zeros."""
    return f"{value + 0.0:.6g}"


def signed(value: float) -> str:
    """A number as a factor: in brackets where it is negative."""
    return f"({num(value)})" if value < 0 else num(value)


def at(cell: Cell) -> str:
    """A cell as an index, e.g. ``[0,2]``."""
    return "[" + ",".join(str(i) for i in cell) + "]"


def listed(parts: Sequence[str], joint: str = " + ") -> str:
    """Parts joined; where there are many, the first ones and how many more there are."""
    if len(parts) <= _SHOWN_TERMS:
        return joint.join(parts)
    shown = joint.join(parts[:_SHOWN_TERMS])
    return f"{shown}{joint}... ({len(parts) - _SHOWN_TERMS} more)"


def summed(words: Sequence[str], before: str = "") -> Callable[[list[Write]], str]:
    """The line of a step that sums terms into one output cell."""
    return lambda done: before + equation(done[0].cell, words or ["0"], done[0].value)


def equation(cell: Cell, parts: Sequence[str], value: float) -> str:
    """``y[0,1] = 2·3 + 1·4 = 10``."""
    body = listed(parts)
    end = "" if body == num(value) else f" = {num(value)}"
    return f"y{at(cell)} = {body}{end}"
