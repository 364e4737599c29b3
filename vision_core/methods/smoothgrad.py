"""SmoothGrad: the mean gradient over noisy copies of the input."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from vision_core.methods.method import PER_INPUT, Method, Setting

if TYPE_CHECKING:
    from vision_core.attribution.estimates import Estimate
    from vision_core.attribution.question import Question

SAMPLES = Setting("samples", "samples", int, 32, 1, 128, on_page=16)
LEVEL = Setting("level", "noise level", float, 0.15, 0.0, 1.0, 0.01, on_page=0.15)
SEED = Setting("seed", "seed", int, 0, 0, 10**6, on_page=0, label="Seed")


def _run(question: Question, settings: Mapping[str, Any]) -> Iterator[Estimate]:
    from vision_core.attribution.estimates import Estimate, scored
    from vision_core.attribution.gradients import smoothgrad

    yield Estimate.cost(settings.get("samples", SAMPLES.default))
    yield from scored(question, settings, smoothgrad(question, **settings))


METHODS = (
    Method(
        "smoothgrad",
        "SmoothGrad",
        "The mean gradient over copies of the photo with noise.",
        "Smilkov et al. 2017",
        PER_INPUT,
        _run,
        settings=(SAMPLES, LEVEL, SEED),
        in_parts=True,
        order=40,
    ),
)
