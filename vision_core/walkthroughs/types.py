"""What a walkthrough is: operands, steps and the result, with nothing else needed to play it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from vision_core.errors import UserError

Cell = tuple[int, ...]
Array = NDArray[np.float64]
Role = Literal["input", "kernel", "output"]
Reduction = Literal["sum", "max", "average", "keep"]


@dataclass(frozen=True, eq=False)
class Operand:
    """An array that the steps read or write.

    Attributes:
        name: how the steps call it, e.g. ``input``, ``weight``, ``bias``, ``output``.
        role: which colour it has: ``input``, ``kernel`` or ``output``.
        array: float64, read-only, in the shape in which cells are counted.
    """

    name: str
    role: Role
    array: Array

    def __post_init__(self) -> None:
        array = np.array(self.array, dtype=np.float64)
        array.setflags(write=False)
        object.__setattr__(self, "array", array)


@dataclass(frozen=True)
class Term:
    """One thing that is combined into an output cell.

    Attributes:
        value: the product, or the value that competes for the maximum or is kept.
        to: index into the step's ``writes``.
        reads: (operand, cell) of everything that it is made of; empty for the zero of padding.
        weights: bilinear weight of each read, where the term is their weighted sum.
    """

    value: float
    to: int
    reads: tuple[tuple[str, Cell], ...] = ()
    weights: tuple[float, ...] = ()


@dataclass(frozen=True)
class Write:
    """An output cell and its value after the step."""

    cell: Cell
    value: float


@dataclass(frozen=True)
class Step:
    """One step: what is read, which terms it makes, what is written, in one line of mathematics.

    A step may write nothing, where it only works out sizes (the rounding of a RoI).
    """

    terms: tuple[Term, ...]
    writes: tuple[Write, ...]
    text: str

    @property
    def reads(self) -> dict[str, tuple[Cell, ...]]:
        """Per operand the cells read, each once, in the order of the terms."""
        found: dict[str, dict[Cell, None]] = {}
        for term in self.terms:
            for name, cell in term.reads:
                found.setdefault(name, {})[cell] = None
        return {name: tuple(cells) for name, cells in found.items()}


@dataclass(frozen=True, eq=False)
class Walkthrough:
    """An operator on given numbers, step by step.

    Attributes:
        name: of the operator.
        operands: by name, the result among them as ``output``.
        steps: in order; the last frame is the result.
        reduction: how all terms of one output cell, over all steps, give its value: ``sum``,
            ``max``, ``average`` or ``keep`` (the last one stays).
        formula: lines that derive the size of the output, or say what is computed.
        facts: what else there is to tell (counts, switches, the overlap map), as plain data.
        result_names: of the output's cells, where each is a quantity of its own.
    """

    name: str
    operands: Mapping[str, Operand]
    steps: tuple[Step, ...]
    reduction: Reduction
    formula: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    result_names: tuple[str, ...] = ()

    def plain_result(self) -> Any:
        """The result as nested lists, or by name where its cells have names."""
        values = self.result.tolist()
        return dict(zip(self.result_names, values, strict=True)) if self.result_names else values

    @property
    def result(self) -> Array:
        """The output after the last step: float64, read-only."""
        return self.operands["output"].array

    def frame(self, step: int) -> Array:
        """The output after step ``step`` (0 is the first), NaN where nothing is written yet.

        Args:
            step: from -1, before anything, to ``len(steps) - 1``.

        Raises:
            UserError: there is no such step.
        """
        if not -1 <= step < len(self.steps):
            raise UserError(
                f"There is no step {step}; this walkthrough has steps 0 to {len(self.steps) - 1}."
            )
        shown = np.full(self.result.shape, np.nan)
        for done in self.steps[: step + 1]:
            for write in done.writes:
                shown[write.cell] = write.value
        return shown

    def to_json(self) -> dict[str, Any]:
        """Plain lists, numbers and strings; never NaN or infinity.

        Returns:
            ``name, reduction, formula, facts, operands {name: {role, shape, values}},
            steps [{reads, terms, writes, text}], result``. A term holds ``value``, ``to`` (index
            into the step's writes), ``reads`` (operand to cells) and, where it is interpolated,
            ``weights``; a write holds ``cell`` and ``value``.
        """
        return {
            "name": self.name,
            "reduction": self.reduction,
            "formula": list(self.formula),
            "facts": dict(self.facts),
            "operands": {name: _operand_json(o) for name, o in self.operands.items()},
            "steps": [_step_json(step) for step in self.steps],
            "result": self.plain_result(),
        }


def _operand_json(operand: Operand) -> dict[str, Any]:
    array = operand.array
    return {"role": operand.role, "shape": list(array.shape), "values": array.tolist()}


def _step_json(step: Step) -> dict[str, Any]:
    return {
        "reads": {name: [list(c) for c in cells] for name, cells in step.reads.items()},
        "terms": [_term_json(term) for term in step.terms],
        "writes": [{"cell": list(w.cell), "value": w.value} for w in step.writes],
        "text": step.text,
    }


def _term_json(term: Term) -> dict[str, Any]:
    reads: dict[str, list[list[int]]] = {}
    for name, cell in term.reads:
        reads.setdefault(name, []).append(list(cell))
    found: dict[str, Any] = {"value": term.value, "to": term.to, "reads": reads}
    if term.weights:
        found["weights"] = list(term.weights)
    return found
