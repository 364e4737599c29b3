"""Occlusion: hide a patch and see how much the score falls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from vision_core.methods.baselines import baseline
from vision_core.methods.method import SCORE, Method, Setting

if TYPE_CHECKING:
    from vision_core.attribution.estimates import Estimate
    from vision_core.attribution.question import Question

PATCH = Setting("patch", "patch, input pixels", int, 32, 4, 128, on_page=32, in_input=True)
STRIDE = Setting("stride", "stride, half a patch if left out", int, None, 1, 128)
BASELINE = baseline("mean")


def _run(question: Question, settings: Mapping[str, Any]) -> Iterator[Estimate]:
    from vision_core.attribution.estimates import Estimate
    from vision_core.attribution.occlusion import estimate, passes, sweep

    size = {name: settings[name] for name in ("patch", "stride") if name in settings}
    yield Estimate.cost(passes(question, **size))
    for part in sweep(question, **settings):
        yield estimate(question, part, settings)


METHODS = (
    Method(
        "occlusion",
        "Occlusion",
        "How much the score falls when a patch of the photo is hidden.",
        "Zeiler and Fergus 2014",
        SCORE,
        _run,
        settings=(PATCH, STRIDE, BASELINE),
        in_parts=True,
        order=110,
    ),
)
