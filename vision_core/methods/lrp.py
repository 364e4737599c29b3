"""Layer-wise relevance propagation: the score is shared out among the inputs, layer by layer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from vision_core.methods.method import SCORE, Method, Setting

if TYPE_CHECKING:
    from vision_core.attribution.estimates import Estimate
    from vision_core.attribution.question import Question

RULE = Setting(
    "lrp_rule",
    "rule",
    str,
    "composite",
    choices=("composite", "epsilon", "gamma", "zplus"),
    on_page="composite",
)
EPSILON = Setting("lrp_epsilon", "epsilon", float, 1e-6, 0.0, 10.0, 0.01)
GAMMA = Setting("lrp_gamma", "gamma", float, 0.25, 0.0, 2.0, 0.05, on_page=0.25)


def _run(question: Question, settings: Mapping[str, Any]) -> Iterator[Estimate]:
    from vision_core.attribution.lrp import lrp

    yield lrp(question, **{name.removeprefix("lrp_"): value for name, value in settings.items()})


METHODS = (
    Method(
        "lrp",
        "LRP",
        "The score, shared out from layer to layer among the inputs that made it.",
        "Bach et al. 2015",
        SCORE,
        _run,
        settings=(RULE, EPSILON, GAMMA),
        order=57,
    ),
)
