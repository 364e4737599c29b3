"""Guided backpropagation and DeconvNet: other backward rules of the ReLU."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from vision_core.methods.method import PER_INPUT, Method

if TYPE_CHECKING:
    from vision_core.attribution.estimates import Estimate
    from vision_core.attribution.question import Question


def _by(name: str, rule: str) -> Callable[[Question, Mapping[str, Any]], Iterator[Estimate]]:
    def run(question: Question, _: Mapping[str, Any]) -> Iterator[Estimate]:
        from vision_core.attribution.estimates import Estimate, relu_notes

        found = question.own_gradients(rule)
        notes = relu_notes(name, found.activations)
        yield Estimate(found.grads[0], float(found.scores[0]), notes=notes)

    return run


METHODS = (
    Method(
        "guided_backprop",
        "Guided backprop",
        "The gradient without what lowers the score at any ReLU; it hardly depends on the weights.",
        "Springenberg et al. 2015",
        PER_INPUT,
        _by("guided_backprop", "guided"),
        needs=("target", "relu"),
        order=60,
    ),
    Method(
        "deconvnet",
        "DeconvNet",
        "The gradient with the ReLU applied on the way back in place of its own derivative.",
        "Zeiler and Fergus 2014",
        PER_INPUT,
        _by("deconvnet", "deconvnet"),
        needs=("target", "relu"),
        order=70,
    ),
)
