"""LayerCAM: each place of each channel, weighted by its own positive gradient."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from vision_core.methods.cams import RELU, strip
from vision_core.methods.method import Method

if TYPE_CHECKING:
    from vision_core.attribution.estimates import Estimate
    from vision_core.attribution.question import Question


def _run(question: Question, settings: Mapping[str, Any]) -> Iterator[Estimate]:
    from vision_core.attribution.cam import placed, record

    relu = bool(settings.get("relu", True))
    found = record(question, settings.get("layers") or ())
    maps = {name: placed(found, name, relu) for name in found.maps}
    yield from strip(maps, found.score, relu)


METHODS = (
    Method(
        "layercam",
        "LayerCAM",
        "Each place of a layer's channels, weighted by its own gradient where that is positive.",
        "Jiang et al. 2021",
        "gradient x activation",
        _run,
        needs=("target", "layer"),
        settings=(RELU,),
        order=85,
    ),
)
