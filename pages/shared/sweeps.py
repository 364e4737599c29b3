"""Occlusion sweeps, computed once for all who ask about the same input."""

from __future__ import annotations

from collections.abc import Generator, Hashable, Iterator, Mapping
from contextlib import closing
from typing import Any

import streamlit as st

from pages.shared import serving
from pages.shared.asked import Asked, settings_key, who_is
from pages.shared.runs import Runs
from vision_core.attribution import Question
from vision_core.attribution.occlusion import Sweep, sweep
from vision_core.images import Photo
from vision_core.inference import Trace
from vision_core.inference.cache import ByteLRU


@st.cache_resource(show_spinner=False)
def _swept() -> ByteLRU[Sweep]:
    return ByteLRU(32 * 2**20, lambda s: s.drops.nbytes + s.corners.nbytes, "occlusion sweeps")


def known(
    model: Asked, trace: Trace, question: Question, settings: Mapping[str, Any]
) -> Sweep | None:
    """The whole sweep behind an occlusion map, if there is one already."""
    return _swept().get(_key_of(model, trace, question, settings))


def swept(
    model: Asked, photo: Photo, trace: Trace, question: Question, settings: Mapping[str, Any]
) -> Sweep:
    """The sweep behind an occlusion map; a classifier's holds all classes, computed once."""
    found = known(model, trace, question, settings)
    if found is None:
        with closing(sweeping(model, photo, trace, question, settings)) as parts:
            *_, found = parts
    return found


def _key_of(
    model: Asked, trace: Trace, question: Question, settings: Mapping[str, Any]
) -> Hashable:
    target = "all classes" if question.logits is not None else str(question.target)
    return (*who_is(model, trace), target, settings_key(settings))


def sweeping(
    model: Asked, photo: Photo, trace: Trace, question: Question, settings: Mapping[str, Any]
) -> Generator[Sweep, None, None]:
    """A sweep part by part, from where others are with it."""
    key = _key_of(model, trace, question, settings)

    def begin() -> Iterator[Sweep]:
        known = _swept().get(key)
        parts: Iterator[Sweep]
        if known is not None:
            parts = iter([known])
        elif (there := serving.at_service(model)) is not None:
            parts = there.sweep(photo, trace, question.target, settings)
        else:
            parts = sweep(question, **settings)
        for part in parts:
            if part.done == part.total:
                _swept().put(key, part)
            yield part

    return _sweeps().follow(key, begin)


@st.cache_resource(show_spinner=False)
def _sweeps() -> Runs[Sweep]:
    return Runs()
