"""Integrated gradients: the gradients on the straight way from a baseline to the input."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from vision_core.methods.baselines import baseline
from vision_core.methods.method import SCORE, Method, Setting

if TYPE_CHECKING:
    from vision_core.attribution.estimates import Estimate
    from vision_core.attribution.question import Question

STEPS = Setting("steps", "steps", int, 32, 2, 256, on_page=32)
BASELINE = baseline("black")


def _run(question: Question, settings: Mapping[str, Any]) -> Iterator[Estimate]:
    from vision_core.attribution.estimates import Estimate, scored
    from vision_core.attribution.gradients import integrated_gradients

    yield Estimate.cost(settings.get("steps", STEPS.default))
    yield from scored(question, settings, integrated_gradients(question, **settings))


METHODS = (
    Method(
        "integrated_gradients",
        "Integrated gradients",
        "Each pixel's share of what the photo adds to the score of an empty picture.",
        "Sundararajan et al. 2017",
        SCORE,
        _run,
        settings=(STEPS, BASELINE),
        in_parts=True,
        order=50,
    ),
)
