"""Layer conductance: integrated gradients that flow through a layer, by Captum."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from vision_core.methods.baselines import baseline
from vision_core.methods.method import SCORE, Method, Setting

if TYPE_CHECKING:
    from vision_core.attribution.estimates import Estimate
    from vision_core.attribution.question import Question

STEPS = Setting("steps", "steps", int, 16, 2, 256)
BASELINE = baseline("black")


def _run(question: Question, settings: Mapping[str, Any]) -> Iterator[Estimate]:
    from vision_core.attribution.captum_methods import conductance

    yield from conductance(question, **settings)


METHODS = (
    Method(
        "layer_conductance",
        "Layer conductance",
        "How much of the score's rise from an empty picture passes each position of a layer.",
        "Dhamdhere et al. 2018",
        SCORE,
        _run,
        needs=("target", "layer"),
        settings=(STEPS, BASELINE),
        order=95,
    ),
)
