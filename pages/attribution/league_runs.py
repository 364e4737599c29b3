"""The league's computing: once for all who ask the same, its cost, and what is there so far."""

from __future__ import annotations

import time
from collections.abc import Generator, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import streamlit as st
import torch

from pages.shared import engine
from pages.shared.runs import Runs
from vision_core import devices
from vision_core.attribution import Question, Target, ask
from vision_core.attribution.gradients import BATCH
from vision_core.images import Photo
from vision_core.inference import Trace
from vision_core.inference.cache import ByteLRU
from vision_core.league import Progressing, Terms, compete, cost
from vision_core.models import Model


@dataclass(frozen=True, eq=False)
class Match:
    """Who competes on what.

    Attributes:
        model, photo, trace, target: what is explained.
        names: of the methods.
        terms: what all are asked alike.
    """

    model: Model
    photo: Photo
    trace: Trace
    target: Target
    names: tuple[str, ...]
    terms: Terms = field(default_factory=Terms)

    @property
    def key(self) -> Hashable:
        """The same for all who ask the same; the box is no part of it."""
        return (*self._who, self.names, *_of(self.terms))

    @property
    def _who(self) -> tuple[Hashable, ...]:
        return (*engine.key_of(self.model, self.photo), self.trace.info.id, str(self.target))

    def question(self) -> Question:
        """The target as a function of the input."""
        return ask(self.model, self.photo, self.trace, self.target)

    def costs(self, names: Sequence[str]) -> Mapping[str, int]:
        """Passes of each method; 0 where it means nothing here."""
        return _costs((*self._who, tuple(names), *_of(self.terms)), self, names)

    def seconds(self, passes: int) -> float:
        """How long so many passes take, from a few that are timed once."""
        return passes * _pace(self._who, self)


def _of(terms: Terms) -> tuple[Hashable, ...]:
    told = tuple((n, tuple(sorted(s.items()))) for n, s in sorted(terms.settings.items()))
    return (terms.steps, terms.seed, told)


@st.cache_resource(max_entries=256, show_spinner=False)
def _costs(key: Hashable, _match: Match, _names: Sequence[str]) -> dict[str, int]:
    question = _match.question()
    return {name: cost(question, name, _match.terms) for name in _names}


@st.cache_resource(max_entries=256, show_spinner=False)
def _pace(key: Hashable, _match: Match) -> float:
    """Seconds of a pass as the curves run it: several pictures at once."""
    question = _match.question()
    batch = question.input.repeat(BATCH, 1, 1, 1)
    with torch.inference_mode(False), torch.no_grad(), devices.forward_slot():
        question.run(batch[:1])
        began = time.perf_counter()
        question.run(batch)
        return (time.perf_counter() - began) / BATCH


@st.cache_resource(show_spinner=False)
def _kept() -> ByteLRU[Progressing]:
    return ByteLRU(128 * 2**20, _bytes, "leagues")


def _bytes(step: Progressing) -> int:
    return 4096 + sum(2048 + (c.map.values.nbytes if c.map else 0) for c in step.competitors)


@st.cache_resource(show_spinner=False)
def _runs() -> Runs[Progressing]:
    return Runs()


def so_far(match: Match) -> Progressing | None:
    """What is known, whole or not."""
    return _kept().get(match.key)


def whole(step: Progressing | None) -> bool:
    """Whether nothing is left to do."""
    return step is not None and not step.doing


def forget(match: Match) -> None:
    """Run it anew next time."""
    _kept().drop(match.key)


def follow(match: Match) -> Generator[Progressing, None, None]:
    """Step by step, from where others are with it; what is there is kept when one leaves."""

    def begin() -> Iterator[Progressing]:
        known = so_far(match)
        if known is not None and whole(known):
            yield known
            return
        there = () if known is None else known.competitors
        yield from compete(match.question(), match.names, match.terms, known=there)

    for step in _runs().follow(match.key, begin):
        _kept().put(match.key, step)
        yield step


def settings_of(given: Mapping[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The settings of those methods that have any."""
    return {name: told for name, told in given.items() if told}
