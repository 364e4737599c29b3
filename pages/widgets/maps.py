"""Attribution maps, computed once for all who ask the same question."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from vision_core.attribution import Attribution, Question, Target, ask, explained
from vision_core.attribution.cam import map_layers
from vision_core.attribution.explain import of_sweep
from vision_core.attribution.occlusion import Sweep, sweep
from vision_core.attribution.sanity import randomised, weighted_layers
from vision_core.images import Photo
from vision_core.inference import Trace
from vision_core.inference.cache import ByteLRU
from vision_core.models import Model

MAP_BYTES = 192 * 2**20
Say = Callable[[float, str], Any]


@st.cache_resource(show_spinner=False)
def _held() -> ByteLRU[Attribution]:
    return ByteLRU(MAP_BYTES, size=lambda a: a.values.nbytes)


@st.cache_resource(show_spinner=False)
def _known() -> ByteLRU[dict[str, Any]]:
    # three rules at the most, of inputs that rarely exceed a megapixel
    return ByteLRU(192 * 2**20, size=lambda _: 12 * 2**20)


@st.cache_resource(show_spinner=False)
def _swept() -> ByteLRU[Sweep]:
    return ByteLRU(32 * 2**20, size=lambda s: s.drops.nbytes + s.corners.nbytes)


@st.cache_resource(max_entries=4, show_spinner=False)
def _random(
    name: str, fingerprint: str, device: str, count: int, seed: int, _model: Model
) -> Model:
    mark = f"{fingerprint[:12]}-top{count}-seed{seed}"
    return replace(_model, module=randomised(_model.module, count, seed), fingerprint=mark)


def with_random_layers(model: Model, count: int, seed: int) -> Model:
    """The model with its top ``count`` layers initialised afresh; the model itself for 0."""
    if not count:
        return model
    return _random(model.name, model.fingerprint, str(model.device), count, seed, model)


def random_layers(model: Model) -> int:
    """How many layers can be initialised afresh."""
    return len(weighted_layers(model.module))


def of(
    model: Model, photo: Photo, trace: Trace, target: Target, method: str,
    settings: Mapping[str, Any], say: Say,
) -> Attribution:
    """The map of a method, from the cache or computed now.

    Args:
        model: the network, maybe with random layers.
        photo: the photo.
        trace: what the trained network said of it; tells where a box lies.
        target: what is explained.
        method: of ``vision_core.attribution.METHODS``.
        settings: of the method.
        say: hears how far a long method is, 0 to 1, in words.

    Raises:
        UserError: the method means nothing for this target.
    """
    who = (model.name, model.fingerprint, str(model.device), trace.info.id)
    chosen = tuple(sorted(settings.items()))
    key = (*who, str(target), method, chosen)

    def make() -> Attribution:
        known = _known().get_or_make((*who, str(target)), dict)
        question = replace(ask(model, photo, trace, target), known=known)
        if method == "occlusion":
            return of_sweep(question, swept(model, trace, question, settings, say), settings)
        last = None
        for last in explained(question, method, **settings):
            say(last.done / last.total, f"{method}: {last.done} of {last.total}")
        assert last is not None
        return last

    return _held().get_or_make(key, make)


@st.cache_resource(max_entries=128, show_spinner=False)
def _layer_names(
    who: tuple[str, ...], _model: Model, _photo: Photo, _trace: Trace, _target: Target
) -> tuple[str, ...]:
    return map_layers(ask(_model, _photo, _trace, _target))


def layer_names(model: Model, photo: Photo, trace: Trace, target: Target) -> tuple[str, ...]:
    """The layers that a CAM can take for a target; the network runs once to find them."""
    who = (model.name, model.fingerprint, str(model.device), trace.info.id, str(target))
    return _layer_names(who, model, photo, trace, target)


def film_strip(
    model: Model, photo: Photo, trace: Trace, target: Target, method: str, layers: Sequence[str],
) -> list[Attribution]:
    """Grad-CAM or Eigen-CAM at several layers from one pass; the usual layer for none."""
    who = (model.name, model.fingerprint, str(model.device), trace.info.id)

    def make() -> tuple[Attribution, ...]:
        given = {"layers": tuple(layers)} if layers else {}
        return tuple(explained(ask(model, photo, trace, target), method, **given))

    return list(_strips().get_or_make((*who, str(target), method, tuple(layers)), make))


@st.cache_resource(show_spinner=False)
def _strips() -> ByteLRU[tuple[Attribution, ...]]:
    return ByteLRU(MAP_BYTES // 2, size=lambda strip: sum(a.values.nbytes for a in strip))


def swept(
    model: Model, trace: Trace, question: Question, settings: Mapping[str, Any], say: Say
) -> Sweep:
    """The sweep behind an occlusion map; a classifier's holds all classes, computed once."""
    who = (model.name, model.fingerprint, str(model.device), trace.info.id)
    target = "all classes" if question.logits is not None else str(question.target)

    def make() -> Sweep:
        last = None
        for last in sweep(question, **settings):
            say(last.done / last.total, f"occlusion: {last.done} of {last.total} patches")
        assert last is not None
        return last

    return _swept().get_or_make((*who, target, tuple(sorted(settings.items()))), make)
