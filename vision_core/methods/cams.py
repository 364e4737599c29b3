"""Maps from what a layer outputs: Grad-CAM, guided Grad-CAM, Eigen-CAM."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from vision_core.methods.method import Method, Setting

if TYPE_CHECKING:
    from torch import Tensor

    from vision_core.attribution.estimates import Estimate
    from vision_core.attribution.question import Question

RELU = Setting("relu", "drop what is below zero", bool, True, option="signed")


def _gradcam(question: Question, settings: Mapping[str, Any]) -> Iterator[Estimate]:
    from vision_core.attribution.cam import record, weighed

    relu = bool(settings.get("relu", True))
    found = record(question, settings.get("layers") or ())
    maps = {name: weighed(found, name, relu) for name in found.maps}
    yield from strip(maps, found.score, relu)


def _guided(question: Question, settings: Mapping[str, Any]) -> Iterator[Estimate]:
    from vision_core.attribution.cam import record, weighed
    from vision_core.attribution.estimates import relu_notes

    guided = question.own_gradients("guided")
    notes = relu_notes("guided_gradcam", guided.activations)
    found = record(question, settings.get("layers") or ())
    grad = guided.grads[0]
    maps = {name: grad * _as_large(weighed(found, name, True), grad) for name in found.maps}
    yield from strip(maps, found.score, True, notes)


def _eigencam(question: Question, settings: Mapping[str, Any]) -> Iterator[Estimate]:
    from vision_core.attribution.cam import projected, record

    relu = bool(settings.get("relu", True))
    found = record(question, settings.get("layers") or (), gradients=False)
    maps = {name: projected(found, name, relu) for name in found.maps}
    yield from strip(maps, found.score, relu)


def _as_large(values: Tensor, like: Tensor) -> Tensor:
    from torch.nn.functional import interpolate

    return interpolate(values[None], size=like.shape[-2:], mode="bilinear", align_corners=False)[0]


def strip(
    maps: Mapping[str, Any], score: float, relu: bool, notes: tuple[str, ...] = ()
) -> Iterator[Estimate]:
    """One estimate for each layer."""
    from vision_core.attribution.estimates import Estimate

    for at, (name, values) in enumerate(maps.items(), 1):
        told = {"layer": name, "relu": relu}
        yield Estimate(values, score, at, len(maps), settings=told, notes=notes)


METHODS = (
    Method(
        "gradcam",
        "Grad-CAM",
        "The channels of a layer, weighted by how much the score rises with each of them.",
        "Selvaraju et al. 2017",
        "mean gradient x activation",
        _gradcam,
        needs=("target", "layer"),
        settings=(RELU,),
        order=80,
    ),
    Method(
        "guided_gradcam",
        "Guided Grad-CAM",
        "Guided backprop times Grad-CAM.",
        "Selvaraju et al. 2017",
        "guided gradient x Grad-CAM",
        _guided,
        needs=("target", "layer", "relu"),
        order=90,
    ),
    Method(
        "eigencam",
        "Eigen-CAM",
        "The first principal component of a layer's channels; it asks for no target.",
        "Muhammad and Yeasin 2020",
        "activation",
        _eigencam,
        needs=("layer",),
        settings=(RELU,),
        order=100,
    ),
)
