"""Score-CAM: the channels of a layer, weighted by the score of the photo that each lets through."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from vision_core.methods.cams import RELU
from vision_core.methods.method import Method

if TYPE_CHECKING:
    from vision_core.attribution.estimates import Estimate
    from vision_core.attribution.question import Question


def _run(question: Question, settings: Mapping[str, Any]) -> Iterator[Estimate]:
    from vision_core.attribution.score_cam import score_cam

    yield from score_cam(question, **settings)


METHODS = (
    Method(
        "scorecam",
        "Score-CAM",
        "A layer's channels, weighted by the score of the photo seen through each of them.",
        "Wang et al. 2020",
        "mean activation, weighted",
        _run,
        needs=("target", "layer"),
        settings=(RELU,),
        in_parts=True,
        order=92,
    ),
)
