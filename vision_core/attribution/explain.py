"""All methods behind one door: a question in, a signed map on the photo out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from vision_core import methods
from vision_core.attribution import occlusion
from vision_core.attribution.estimates import Attribution, on_photo
from vision_core.attribution.question import Question
from vision_core.methods.method import Method

_NO_TARGET = (
    "It does not depend on the target: it shows where the layer answers most strongly "
    "to the photo, whatever is predicted."
)


@dataclass(frozen=True, eq=False)
class Progress:
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


def every_map(question: Question, method: str, **settings: Any) -> list[Attribution]:
    """The whole maps of a method: one for each layer of a layered one, else one.

    Args and errors as of ``in_steps``.
    """
    chosen = methods.method(method)
    layers = settings.get("layers") or ()
    if not chosen.layered:
        return [explain(question, method, **settings)]
    if not chosen.in_parts:
        return list(explained(question, method, **settings))
    one_by_one = [settings | {"layers": (layer,)} for layer in layers] or [settings]
    return [explain(question, method, **told) for told in one_by_one]


def explained(question: Question, method: str, **settings: Any) -> Iterator[Attribution]:
    """Answer by answer, each better than the one before; quick methods give one.

    Args and errors as of ``in_steps``.
    """
    steps = in_steps(question, method, **settings)
    return (step.draw() for step in steps if step.draw is not None)


def in_steps(question: Question, method: str, **settings: Any) -> Iterator[Progress]:
    """A method step by step; those ``in_parts`` first tell their cost, before any pass.

    Args:
        question: a target of a network on a photo.
        method: the name of one of ``vision_core.methods``.
        settings: what that method takes; a layered one also takes ``layers``, names of layers.

    Raises:
        UserError: no such method or setting, or the method means nothing on this network.
    """
    chosen = methods.method(method)
    chosen.check(settings)
    return _progress(question, chosen, settings)


def _progress(
    question: Question, method: Method, settings: Mapping[str, Any]
) -> Iterator[Progress]:
    notes = () if "target" in method.needs else (_NO_TARGET,)
    for estimate in method.run(question, settings):
        drawn = partial(on_photo, question, method.name, estimate, notes)
        yield Progress(estimate.done, estimate.total, None if estimate.values is None else drawn)


def of_sweep(
    question: Question, sweep: occlusion.Sweep, settings: Mapping[str, Any] | None = None
) -> Attribution:
    """The map of the question's target from a sweep over its input; no network runs."""
    return on_photo(question, "occlusion", occlusion.estimate(question, sweep, settings or {}))
