"""What a method makes on the way, and the map on the photo that becomes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vision_core.attribution.question import Question
from vision_core.errors import UserError


@dataclass(frozen=True, eq=False)
class Estimate:
    """A method's map over the input as it is so far.

    Attributes:
        values: ``[C, h, w]`` of any resolution, covering the whole input; a function where it
            takes time to make; ``None`` before the first pass.
        score: the target's score on the photo.
        done, total: passes so far and in all; for a method with a map for each layer, maps.
        gap: of integrated gradients: the sum of the map, less the rise of the score.
        settings: those that were used.
        notes: what a reader must know, sentences.
    """

    values: Tensor | Callable[[], Tensor] | None
    score: float = 0.0
    done: int = 1
    total: int = 1
    gap: float | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @classmethod
    def cost(cls, total: int) -> Estimate:
        """How many passes it will take, before any of them."""
        return cls(None, done=0, total=total)


@dataclass(frozen=True, eq=False)
class Attribution:
    """A map over the photo, in the units of the score: nothing is scaled or clipped.

    Attributes:
        method: the name of one of ``vision_core.methods``.
        target: what is explained, as text.
        score: the target's score on the photo.
        values: float32, read-only, ``[H, W, 3]`` for gradients by colour, else ``[H, W]``; 0
            outside the part of the photo that the network saw.
        seen: (x1, y1, x2, y2) of that part, photo pixels.
        settings: of the method.
        notes: what a reader must know, sentences.
        done, total: passes so far and in all; a partial result has fewer.
        gap: integrated gradients: sum of the map over the input, less the rise of the score.
    """

    method: str
    target: str
    score: float
    values: np.ndarray
    seen: tuple[float, float, float, float]
    settings: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    done: int = 1
    total: int = 1
    gap: float | None = None

    @property
    def signed(self) -> np.ndarray:
        """``[H, W]``: the sum over the colours."""
        return self.values if self.values.ndim == 2 else self.values.sum(2)

    @property
    def empty(self) -> bool:
        """Whether nothing speaks for the target: no value above zero."""
        return not bool((self.values > 0).any())


def on_photo(
    question: Question, method: str, estimate: Estimate, notes: tuple[str, ...] = ()
) -> Attribution:
    """Carry an estimate to the photo; ``notes`` come before its own."""
    values = estimate.values() if callable(estimate.values) else estimate.values
    assert values is not None, "an estimate before the first pass has no map"
    array = question.on_photo(values)
    array.setflags(write=False)
    return Attribution(
        method,
        str(question.target),
        estimate.score,
        array,
        question.window.box,
        dict(estimate.settings),
        (*question.notes, *notes, *estimate.notes),
        estimate.done,
        estimate.total,
        estimate.gap,
    )


def scored(
    question: Question, settings: Mapping[str, Any], parts: Iterable[Estimate]
) -> Iterator[Estimate]:
    """The estimates with the target's score, which one pass finds, and the settings."""
    with torch.inference_mode(False), torch.no_grad():
        score = float(question.run(question.input)[0][0])
    for part in parts:
        yield replace(part, score=score, settings=settings)


def relu_notes(method: str, activations: Mapping[str, int]) -> tuple[str, ...]:
    """What to say about a method that changes the backward pass of ReLUs.

    Args:
        method: its name.
        activations: how often the network called each activation function on the way.

    Raises:
        UserError: it called no ReLU.
    """
    relus = activations.get("ReLU", 0) + activations.get("ReLU6", 0)
    others = {n: c for n, c in activations.items() if not n.startswith("ReLU")}
    named = ", ".join(f"{c} {n}" for n, c in others.items()) or "no activation function"
    if not relus:
        raise UserError(
            f"{method} changes how ReLUs pass the gradient, and this network calls "
            f"none on the way to the target ({named})."
        )
    if others:
        return (f"The rule acts on {relus} ReLUs; {named} keep their own gradient.",)
    return ()
