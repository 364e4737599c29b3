"""DeepLIFT: how the difference to a baseline reaches the score, by Captum."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from vision_core.methods.baselines import baseline
from vision_core.methods.method import SCORE, Method

if TYPE_CHECKING:
    from vision_core.attribution.estimates import Estimate
    from vision_core.attribution.question import Question

BASELINE = baseline("black")


def _run(question: Question, settings: Mapping[str, Any]) -> Iterator[Estimate]:
    from vision_core.attribution.captum_methods import deep_lift

    yield deep_lift(question, **settings)


METHODS = (
    Method(
        "deep_lift",
        "DeepLIFT",
        "Each pixel's share of the score's rise from an empty picture, passed back rule by rule.",
        "Shrikumar et al. 2017",
        SCORE,
        _run,
        settings=(BASELINE,),
        order=55,
    ),
)
