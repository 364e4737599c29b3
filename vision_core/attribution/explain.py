"""All methods behind one door: a question in, a signed map on the photo out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vision_core.arguments.methods import IN_PARTS as IN_PARTS
from vision_core.arguments.methods import LAYERED as LAYERED
from vision_core.arguments.methods import METHODS as METHODS
from vision_core.arguments.methods import RULE_OF, check
from vision_core.arguments.methods import SETTINGS as SETTINGS
from vision_core.attribution import cam, gradients, occlusion
from vision_core.attribution.question import Question, differentiable
from vision_core.attribution.rules import counted_activations
from vision_core.errors import UserError

_NO_TARGET = (
    "It does not depend on the target: it shows where the layer answers most strongly "
    "to the photo, whatever is predicted."
)


@dataclass(frozen=True, eq=False)
class Attribution:
    """A map over the photo, in the units of the score: nothing is scaled or clipped.

    Attributes:
        method: one of ``METHODS``.
        target: what is explained, as text.
        score: the target's score on the photo.
        values: float32, read-only, ``[H, W, 3]`` for gradients by colour, else ``[H, W]``; 0
            outside the part of the photo that the network saw.
        seen: (x1, y1, x2, y2) of that part, photo pixels.
        settings: of the method.
        notes: what a reader must know, sentences.
        done, total: passes so far and in all; a partial result has fewer.
        gap: integrated gradients: sum of the map over the input, less the rise of the score.
    """

    method: str
    target: str
    score: float
    values: np.ndarray
    seen: tuple[float, float, float, float]
    settings: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    done: int = 1
    total: int = 1
    gap: float | None = None

    @property
    def signed(self) -> np.ndarray:
        """``[H, W]``: the sum over the colours."""
        return self.values if self.values.ndim == 2 else self.values.sum(2)

    @property
    def empty(self) -> bool:
        """Whether nothing speaks for the target: no value above zero."""
        return not bool((self.values > 0).any())


@dataclass(frozen=True, eq=False)
class Step:
    """How far a method is.

    Attributes:
        done, total: passes of the network so far and in all; for a method with a map for each
            layer, maps.
        draw: makes the map so far. Carrying a map to a large photo may take longer than a pass,
            so that only what is looked at should be drawn. ``None`` before the first pass.
    """

    done: int
    total: int
    draw: Callable[[], Attribution] | None = None


def explain(question: Question, method: str, **settings: Any) -> Attribution:
    """The whole answer of a method; settings and errors as of ``in_steps``."""
    for step in in_steps(question, method, **settings):
        last = step
    assert last.draw is not None, "a method ends with its map"
    return last.draw()


def explained(question: Question, method: str, **settings: Any) -> Iterator[Attribution]:
    """Answer by answer, each better than the one before; quick methods give one.

    Args and errors as of ``in_steps``.
    """
    steps = in_steps(question, method, **settings)
    return (step.draw() for step in steps if step.draw is not None)


def in_steps(question: Question, method: str, **settings: Any) -> Iterator[Step]:
    """A method step by step; those ``IN_PARTS`` first tell their cost, before any pass.

    Args:
        question: a target of a network on a photo.
        method: one of ``METHODS``.
        settings: ``samples``, ``level``, ``seed`` (SmoothGrad); ``steps``, ``baseline``
            (integrated gradients); ``layers``, ``relu`` (Grad-CAM, Eigen-CAM); ``patch``,
            ``stride``, ``baseline`` (occlusion).

    Raises:
        UserError: no such method or setting, or the method means nothing on this network.
    """
    check(method, settings)
    return _RUNNERS.get(method, _one_pass)(question, method, settings)


def applicability(question: Question) -> tuple[int, Mapping[str, int]]:
    """How many ReLUs the network calls on the way to the target, and all activations by name."""
    with differentiable(), counted_activations() as calls:
        question.run(question.input.detach().clone().requires_grad_(True))
    return calls["ReLU"] + calls["ReLU6"], dict(calls)


def _rule_notes(question: Question, method: str) -> tuple[str, ...]:
    """What to say about a method that changes the backward pass of ReLUs.

    Raises:
        UserError: the network calls no ReLU.
    """
    if method not in RULE_OF:
        return ()
    relus, calls = applicability(question)
    others = {n: c for n, c in calls.items() if not n.startswith("ReLU")}
    named = ", ".join(f"{c} {n}" for n, c in others.items()) or "no activation function"
    if not relus:
        raise UserError(
            f"{method} changes how ReLUs pass the gradient, and this network calls "
            f"none on the way to the target ({named})."
        )
    if others:
        return (f"The rule acts on {relus} ReLUs; {named} keep their own gradient.",)
    return ()


def _made(
    question: Question, method: str, score: float, values: Tensor, **more: Any
) -> Attribution:
    array = question.on_photo(values)
    array.setflags(write=False)
    box = question.window.box
    more["notes"] = (*question.notes, *more.get("notes", ()))
    return Attribution(method, str(question.target), score, array, box, **more)


def _score(question: Question) -> float:
    with torch.inference_mode(False), torch.no_grad():
        return float(question.run(question.input)[0][0])


def _one_pass(question: Question, method: str, _: Mapping[str, Any]) -> Iterator[Step]:
    notes = _rule_notes(question, method)
    scores, grads = question.own_gradients(RULE_OF.get(method, "plain"))
    values = grads[0]
    if method == "gradient_abs":
        values = gradients.absolute(values)
    elif method == "input_x_gradient":
        values = gradients.input_x_gradient(question, values)
    yield Step(1, 1, partial(_made, question, method, float(scores[0]), values, notes=notes))


def _in_parts(question: Question, method: str, settings: Mapping[str, Any]) -> Iterator[Step]:
    smooth = method == "smoothgrad"
    run: Callable[..., Iterator[gradients.Partial]] = (
        gradients.smoothgrad if smooth else gradients.integrated_gradients
    )
    yield Step(
        0,
        settings.get("samples", gradients.SAMPLES)
        if smooth
        else settings.get("steps", gradients.STEPS),
    )
    score = _score(question)
    for part in run(question, **settings):
        yield Step(
            part.done,
            part.total,
            partial(
                _made,
                question,
                method,
                score,
                part.values,
                settings=dict(settings),
                done=part.done,
                total=part.total,
                gap=None if smooth else part.gap,
            ),
        )


def _cams(question: Question, method: str, settings: Mapping[str, Any]) -> Iterator[Step]:
    notes = _rule_notes(question, method)
    layers: Sequence[str] = settings.get("layers") or (cam.default_layer(question),)
    relu = bool(settings.get("relu", True))
    if method == "eigencam":
        maps, notes = cam.eigencam(question, layers, relu), (_NO_TARGET,)
    else:
        maps = cam.gradcam(question, layers, relu or method == "guided_gradcam")
    score = _score(question)
    guided = gradients.gradient(question, "guided") if method == "guided_gradcam" else None
    for at, (name, values) in enumerate(maps.items()):
        if guided is not None:
            whole = torch.nn.functional.interpolate(
                values[None], size=guided.shape[-2:], mode="bilinear", align_corners=False
            )[0]
            values = guided * whole
        yield Step(
            at + 1,
            len(maps),
            partial(
                _made,
                question,
                method,
                score,
                values,
                settings={"layer": name, "relu": relu},
                notes=notes,
                done=at + 1,
                total=len(maps),
            ),
        )


def _occluded(question: Question, method: str, settings: Mapping[str, Any]) -> Iterator[Step]:
    places = {name: value for name, value in settings.items() if name != "baseline"}
    yield Step(0, occlusion.passes(question, **places))
    for part in occlusion.sweep(question, **settings):
        yield Step(part.done, part.total, partial(of_sweep, question, part, settings))


def of_sweep(
    question: Question, sweep: occlusion.Sweep, settings: Mapping[str, Any] | None = None
) -> Attribution:
    """The map of the question's target from a sweep over its input; no network runs."""
    label = str(question.target)
    values = sweep.values(label)
    score = float(sweep.own[sweep.labels.index(label)])
    return _made(
        question,
        "occlusion",
        score,
        values,
        settings=dict(settings or {}),
        done=sweep.done,
        total=sweep.total,
    )


_RUNNERS: Mapping[str, Callable[..., Iterator[Step]]] = {
    "smoothgrad": _in_parts,
    "integrated_gradients": _in_parts,
    "gradcam": _cams,
    "guided_gradcam": _cams,
    "eigencam": _cams,
    "occlusion": _occluded,
}
