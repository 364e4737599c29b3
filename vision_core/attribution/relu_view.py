"""One ReLU of a network on a photo: what went in, what came from above, what each rule passes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from vision_core.attribution.question import Question, differentiable
from vision_core.attribution.rules import RULES, apply_rule, watched_relus
from vision_core.errors import UserError


@dataclass(frozen=True, eq=False)
class ReluView:
    """Arrays float32 ``[C, h, w]``, read-only.

    Attributes:
        forward: the input of the ReLU.
        above: the plain gradient of the score with respect to its output.
        passed: by rule, what goes on to its input.
        index, count: which of the network's ReLU calls this is, from 0, and how many there are.
    """

    forward: np.ndarray
    above: np.ndarray
    passed: dict[str, np.ndarray]
    index: int
    count: int

    def liveliest(self) -> int:
        """The channel whose gradient from above is largest in sum of magnitudes."""
        return int(np.abs(self.above).sum((1, 2)).argmax())


def relu_view(question: Question, index: int) -> ReluView:
    """Look at one call of a ReLU on the way to the target.

    Args:
        question: a target of a network on a photo.
        index: which call, in the order of the forward pass; negative ones count from the end.

    Raises:
        UserError: the network calls no ReLU with feature maps, or not so many.
    """
    with differentiable():
        x = question.input.detach().clone().requires_grad_(True)
        with watched_relus() as seen:
            scores, _ = question.run(x)
        maps = [(before, out) for before, out in seen if before.ndim == 4]
        if not maps:
            raise UserError(
                "This network calls no ReLU with feature maps on the way to the target."
            )
        if not -len(maps) <= index < len(maps):
            raise UserError(f"There is no ReLU {index}; {len(maps)} are called, counted from 0.")
        before, out = maps[index]
        (above,) = torch.autograd.grad(scores.sum(), out, allow_unused=True)
    above = torch.zeros_like(before) if above is None else above
    arrays = [_array(before), _array(above)]
    passed = {rule: _array(apply_rule(above, before > 0, rule)) for rule in RULES}
    return ReluView(arrays[0], arrays[1], passed, index % len(maps), len(maps))


def _array(values: torch.Tensor) -> np.ndarray:
    array = values[0].detach().float().cpu().numpy().copy()
    array.setflags(write=False)
    return array
