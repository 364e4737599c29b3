"""Attribution maps, computed once for all who ask the same question."""

from __future__ import annotations

from collections.abc import Callable, Generator, Hashable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import Any

import streamlit as st
from torch import nn

from pages.shared import serving, sweeps
from pages.shared.asked import Asked, RandomLayers, settings_key, who_is
from pages.shared.runs import Runs
from vision_core import methods
from vision_core.attribution import Attribution, Question, Target, ask, explained, in_steps
from vision_core.attribution.cam import map_layers
from vision_core.attribution.explain import Progress, of_sweep
from vision_core.attribution.occlusion import passes
from vision_core.attribution.sanity import layers_on_the_way as on_the_way
from vision_core.attribution.sanity import randomised
from vision_core.attribution.shadow import shadow
from vision_core.images import Photo
from vision_core.inference import Trace
from vision_core.inference.cache import ByteLRU
from vision_core.models import Model
from vision_core.records.targets import ClassTarget

MAP_BYTES = 192 * 2**20
Say = Callable[[float, str], Any]


@st.cache_resource(show_spinner=False)
def _held() -> ByteLRU[Attribution]:
    return ByteLRU(MAP_BYTES, lambda a: a.values.nbytes, "attribution maps")


@st.cache_resource(show_spinner=False)
def _known() -> ByteLRU[dict[str, Any]]:
    # three rules at the most, of inputs that rarely exceed a megapixel
    return ByteLRU(192 * 2**20, lambda _: 12 * 2**20, "recorded passes")


def layers_on_the_way(model: Model, photo: Photo, trace: Trace, target: Target) -> tuple[str, ...]:
    """The layers that the target depends on, from the target back; one pass finds them."""
    # the logits of all classes come from the same layers
    which = "all classes" if isinstance(target, ClassTarget) else str(target)
    return _on_the_way((*who_is(model, trace), which), model, photo, trace, target)


@st.cache_resource(max_entries=128, show_spinner=False)
def _on_the_way(
    who: tuple[str, ...], _model: Model, _photo: Photo, _trace: Trace, _target: Target
) -> tuple[str, ...]:
    return on_the_way(ask(_model, _photo, _trace, _target))


@st.cache_resource(max_entries=4, show_spinner=False)
def _random(
    who: tuple[str, ...], layers: tuple[str, ...], seed: int, _question: Question
) -> nn.Module:
    return randomised(_question, layers, seed).module


def _ask(model: Asked, photo: Photo, trace: Trace, target: Target) -> Question:
    """The question to the trained network, or the same one to its copy with random layers."""
    if not isinstance(model, RandomLayers):
        return ask(model, photo, trace, target)
    question = ask(model.trained, photo, trace, target)
    layers = layers_on_the_way(model.trained, photo, trace, target)[: model.count]
    # joints and boxes of a pose model belong to two networks
    who = (*who_is(model, trace), type(target).__name__)
    random = _random(who, layers, model.seed, question)
    return replace(question, module=shadow(random))


def _question(model: Asked, photo: Photo, trace: Trace, target: Target) -> Question:
    known = _known().get_or_make((*who_is(model, trace), str(target)), dict)
    return replace(_ask(model, photo, trace, target), known=known)


def of(
    model: Asked,
    photo: Photo,
    trace: Trace,
    target: Target,
    method: str,
    settings: Mapping[str, Any],
    say: Say,
) -> Attribution:
    """The map of a method, from the cache or computed now.

    Args:
        model: the network, maybe with random layers.
        photo: the photo.
        trace: what the trained network said of it; tells where a box lies.
        target: what is explained.
        method: the name of one of ``vision_core.methods``.
        settings: of the method.
        say: hears how far a long method is, 0 to 1, in words.

    Raises:
        UserError: the method means nothing for this target.
    """
    found = at_once(model, photo, trace, target, method, settings)
    if found is not None:
        return found
    with closing(growing(model, photo, trace, target, method, settings)) as steps:
        for step in steps:
            say(step.done / step.total, f"{method}: {step.done} of {step.total} passes")
    assert step.draw is not None
    return step.draw()


def at_once(
    model: Asked,
    photo: Photo,
    trace: Trace,
    target: Target,
    method: str,
    settings: Mapping[str, Any],
) -> Attribution | None:
    """A map that needs no waiting, made by one pass or known already; else ``None``."""
    key = (*who_is(model, trace), str(target), method, settings_key(settings))

    def make() -> Attribution:
        if (there := serving.at_service(model)) is not None:
            return there.maps(photo, trace, target, method, settings)[-1]
        *_, last = explained(_question(model, photo, trace, target), method, **settings)
        return last

    if not methods.method(method).in_parts:
        return _held().get_or_make(key, make)
    found = _held().get(key)
    if found is None and method == "occlusion":
        question = _question(model, photo, trace, target)
        done = sweeps.known(model, trace, question, settings)
        if done is not None:
            found = of_sweep(question, done, settings)
            _held().put(key, found)
    return found


def growing(
    model: Asked,
    photo: Photo,
    trace: Trace,
    target: Target,
    method: str,
    settings: Mapping[str, Any],
) -> Generator[Progress, None, None]:
    """A map of many passes step by step, from where others are with it; the first tells the cost.

    Only the whole map is kept. Close the generator to stop.

    Args and errors as of ``of``, for a method that comes in parts.
    """
    key = (*who_is(model, trace), str(target), method, settings_key(settings))
    if method == "occlusion":
        return _occluding(
            key, _question(model, photo, trace, target), model, photo, trace, settings
        )

    def begin() -> Iterator[Progress]:
        known = _held().get(key)  # somebody may have ended it a moment ago
        if known is not None:
            yield Progress(known.total, known.total, lambda: known)
            return
        with closing(_steps(model, photo, trace, target, method, settings)) as steps:
            for step in steps:
                yield _kept(key, step)

    return _growing().follow(key, begin)


def _steps(
    model: Asked,
    photo: Photo,
    trace: Trace,
    target: Target,
    method: str,
    settings: Mapping[str, Any],
) -> Generator[Progress, None, None]:
    """The steps of a method, here or at the service."""
    if (there := serving.at_service(model)) is not None:
        yield from there.steps(photo, trace, target, method, settings)
    else:
        yield from in_steps(_question(model, photo, trace, target), method, **settings)


def _occluding(
    key: Hashable,
    question: Question,
    model: Asked,
    photo: Photo,
    trace: Trace,
    settings: Mapping[str, Any],
) -> Generator[Progress, None, None]:
    places = {name: settings[name] for name in ("patch", "stride") if name in settings}
    yield Progress(0, passes(question, **places))
    with closing(sweeps.sweeping(model, photo, trace, question, settings)) as parts:
        for part in parts:
            draw = partial(of_sweep, question, part, settings)
            yield _kept(key, Progress(part.done, part.total, draw))


def _kept(key: Hashable, step: Progress) -> Progress:
    """The step; if it is the last one, with its map in the cache."""
    if step.done < step.total or step.draw is None:
        return step
    whole = step.draw()
    _held().put(key, whole)
    return replace(step, draw=lambda: whole)


@st.cache_resource(show_spinner=False)
def _growing() -> Runs[Progress]:
    return Runs()


@st.cache_resource(max_entries=128, show_spinner=False)
def _layer_names(
    who: tuple[str, ...], _model: Model, _photo: Photo, _trace: Trace, _target: Target
) -> tuple[str, ...]:
    return map_layers(ask(_model, _photo, _trace, _target))


def layer_names(model: Model, photo: Photo, trace: Trace, target: Target) -> tuple[str, ...]:
    """The layers that a CAM can take for a target; the network runs once to find them."""
    who = (*who_is(model, trace), str(target))
    return _layer_names(who, model, photo, trace, target)


def film_strip(
    model: Asked,
    photo: Photo,
    trace: Trace,
    target: Target,
    method: str,
    layers: Sequence[str],
    settings: Mapping[str, Any] | None = None,
) -> list[Attribution]:
    """A layered method at several layers from one pass; the default layer for none."""
    told = dict(settings or {})

    def make() -> tuple[Attribution, ...]:
        given = told | ({"layers": tuple(layers)} if layers else {})
        if (there := serving.at_service(model)) is not None:
            return tuple(there.maps(photo, trace, target, method, given))
        return tuple(explained(_ask(model, photo, trace, target), method, **given))

    key = (*who_is(model, trace), str(target), method, tuple(layers), settings_key(told))
    return list(_strips().get_or_make(key, make))


@st.cache_resource(show_spinner=False)
def _strips() -> ByteLRU[tuple[Attribution, ...]]:
    return ByteLRU(MAP_BYTES // 2, lambda strip: sum(a.values.nbytes for a in strip), "film strips")
