"""Passes of a network, counted as they happen."""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor, nn

from vision_core.attribution import Question
from vision_core.attribution.question import Recorded


@dataclass
class Tally:
    """How many pictures went through a network.

    Attributes:
        forward: pictures that were run.
        backward: pictures of which a gradient, or relevance, went back.
    """

    forward: int = 0
    backward: int = 0


def tallied(question: Question) -> tuple[Question, Tally]:
    """The same question with its passes counted, and without any that is known already."""
    tally = Tally()

    def counted(out: Tensor) -> Tensor:
        tally.forward += len(out)
        if out.requires_grad:
            out.register_hook(lambda grad: _back(tally, len(grad)))
        return out

    def score(module: nn.Module, batch: Tensor, recorded: Recorded) -> Tensor:
        return counted(question.score(module, batch, recorded))

    def logits(module: nn.Module, batch: Tensor) -> Tensor:
        assert question.logits is not None
        return counted(question.logits(module, batch))

    own = None if question.logits is None else logits
    return replace(question, score=score, logits=own, known={}), tally


def _back(tally: Tally, count: int) -> None:
    tally.backward += count
