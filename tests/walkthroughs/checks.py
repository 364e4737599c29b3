"""What every walkthrough must hold, worked out from its steps alone."""

from __future__ import annotations

import json

import numpy as np
from hypothesis import HealthCheck, settings

from vision_core.walkthroughs import Walkthrough

TOLERANCE = {"rtol": 1e-10, "atol": 1e-10}
REDUCE = {"sum": sum, "max": max, "average": np.mean, "keep": lambda values: values[-1]}
PROPERTY = settings(
    max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)


def check(walk: Walkthrough, expected) -> None:
    """The result is ``expected``, and steps, frames, terms and JSON agree with it."""
    expected = np.asarray(expected, dtype=np.float64)
    assert walk.result.shape == expected.shape
    np.testing.assert_allclose(walk.result, expected, **TOLERANCE)
    np.testing.assert_allclose(walk.frame(len(walk.steps) - 1), expected, **TOLERANCE)
    np.testing.assert_allclose(reduced(walk), expected, **TOLERANCE)
    assert np.isnan(walk.frame(-1)).all()
    check_reads(walk)
    record = json.loads(json.dumps(walk.to_json(), allow_nan=False))
    told = record["result"]
    told = list(told.values()) if isinstance(told, dict) else told
    np.testing.assert_allclose(told, expected, **TOLERANCE)
    assert record["operands"]["output"]["values"] == told


def reduced(walk: Walkthrough) -> np.ndarray:
    """Every output cell's terms combined by the walkthrough's own reduction."""
    terms: dict[tuple[int, ...], list[float]] = {}
    for step in walk.steps:
        for term in step.terms:
            terms.setdefault(step.writes[term.to].cell, []).append(term.value)
    found = np.full(walk.result.shape, np.nan)
    for cell, values in terms.items():
        found[cell] = REDUCE[walk.reduction](values)
    return found


def check_reads(walk: Walkthrough) -> None:
    """Reads and writes are cells of their operands; a term is what its reads make of it."""
    for step in walk.steps:
        assert step.text and "\n" not in step.text
        for write in step.writes:
            inside(walk, "output", write.cell)
        assert {term.to for term in step.terms} == set(range(len(step.writes)))
        for term in step.terms:
            for name, cell in term.reads:
                inside(walk, name, cell)
                assert cell in step.reads[name]
            np.testing.assert_allclose(made_of(walk, term), term.value, **TOLERANCE)


def inside(walk: Walkthrough, name: str, cell: tuple[int, ...]) -> None:
    shape = walk.operands[name].array.shape
    assert len(cell) == len(shape)
    assert all(0 <= i < n for i, n in zip(cell, shape, strict=True)), (name, cell, shape)


def made_of(walk: Walkthrough, term) -> float:
    """A term from the operands: a weighted sum, a product, or a copy; 0 without reads."""
    if walk.name == "nms" and term.reads[0][0] == "boxes":
        return 0.0  # a dropped box: what was compared is read, and nothing is left of it
    values = [walk.operands[name].array[cell] for name, cell in term.reads]
    if term.weights:
        return float(np.dot(values, term.weights))
    if not values:
        return 0.0
    if walk.name == "relu_backward":  # the sign of the input opens the gate, no more
        return float(walk.operands["grad_output"].array[term.reads[-1][1]])
    # The stretched input repeats the input, and switches say where, not how much.
    factors = [
        v
        for v, (name, _) in zip(values, term.reads, strict=True)
        if name not in ("stretched", "indices")
    ]
    return float(np.prod(factors))
