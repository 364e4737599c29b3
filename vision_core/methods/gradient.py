"""The gradient of the score at the input, and what is made of it without another pass."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from vision_core.methods.method import PER_INPUT, SCORE, Method

if TYPE_CHECKING:
    from torch import Tensor

    from vision_core.attribution.estimates import Estimate
    from vision_core.attribution.question import Question


def _plain(question: Question) -> tuple[float, Tensor]:
    found = question.own_gradients()
    return float(found.scores[0]), found.grads[0]


def _gradient(question: Question, _: Mapping[str, Any]) -> Iterator[Estimate]:
    from vision_core.attribution.estimates import Estimate

    score, grad = _plain(question)
    yield Estimate(grad, score)


def _absolute(question: Question, _: Mapping[str, Any]) -> Iterator[Estimate]:
    from vision_core.attribution.estimates import Estimate
    from vision_core.attribution.gradients import absolute

    score, grad = _plain(question)
    yield Estimate(absolute(grad), score)


def _times_input(question: Question, _: Mapping[str, Any]) -> Iterator[Estimate]:
    from vision_core.attribution.estimates import Estimate
    from vision_core.attribution.gradients import input_x_gradient

    score, grad = _plain(question)
    yield Estimate(input_x_gradient(question, grad), score)


METHODS = (
    Method(
        "gradient",
        "Gradient",
        "How much the score rises when a pixel rises a little.",
        "Simonyan et al. 2014",
        PER_INPUT,
        _gradient,
        order=10,
    ),
    Method(
        "gradient_abs",
        "Gradient, absolute",
        "The largest magnitude of the gradient over the three colours.",
        "Simonyan et al. 2014",
        PER_INPUT,
        _absolute,
        order=20,
    ),
    Method(
        "input_x_gradient",
        "Input x gradient",
        "The gradient times the normalised input.",
        "Shrikumar et al. 2016",
        SCORE,
        _times_input,
        order=30,
    ),
)
