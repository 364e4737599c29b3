"""The runs of a session: they lie in one bounded store, and only the session has the key."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from pages.shared import caps, state
from vision_core.environment import MEGABYTE
from vision_core.figures.teaching import MOST_RUNS, Track
from vision_core.inference.cache import ByteLRU
from vision_core.teaching.run import LearningRun

SLICE = 0.6
"""Seconds for which a run learns between two drawings, at most."""
EVERY = 0.4
"""Seconds after which a page that runs is drawn again."""


@st.cache_resource(show_spinner=False)
def _store() -> ByteLRU[LearningRun]:
    """Networks that are taught, by a key that nobody can guess: nobody asks for another's."""
    return ByteLRU(caps.teaching(), lambda run: run.nbytes, "taught networks")


@dataclass
class OwnRuns:
    """What a session knows of its runs in one section.

    Attributes:
        tokens: key of each run in the store, by what was learned and how; the oldest first.
        on: which one learns now.
    """

    tokens: dict[Any, str] = field(default_factory=dict)
    on: Any = None


def runs(section: str) -> OwnRuns:
    """The session's runs of a section."""
    return st.session_state.setdefault(f"_runs_{section}", OwnRuns())


def run_of(section: str, key: Hashable) -> LearningRun | None:
    """A run, ``None`` where there is none; one that had to go is told and forgotten."""
    token = runs(section).tokens.get(key)
    if token is None:
        return None
    found = _store().get(token)
    if found is None:
        del runs(section).tokens[key]
        state.note(
            "The server no longer holds one of your runs: it keeps "
            f"{caps.teaching() // MEGABYTE} MB for everybody. Start it again; the same seed "
            "gives the same numbers."
        )
    return found


def begin(section: str, key: Hashable, make: Callable[[], LearningRun]) -> LearningRun:
    """The run under a key, made if there is none; the oldest of too many goes."""
    found = run_of(section, key)
    if found is not None:
        return found
    own = runs(section).tokens
    while len(own) >= MOST_RUNS:
        forget(section, next(iter(own)))
    made, token = make(), secrets.token_hex(16)
    _store().put(token, made)
    own[key] = token
    return made


def grown(section: str, key: Hashable) -> None:
    """Count a run's bytes anew, after it has learned."""
    token = runs(section).tokens.get(key)
    run = None if token is None else _store().get(token)
    if token is not None and run is not None:
        _store().put(token, run)


def forget(section: str, key: Hashable) -> None:
    """Drop a run."""
    _store().drop(runs(section).tokens.pop(key))


def stop(section: str) -> None:
    """No run of a section learns any more."""
    runs(section).on = None


def track(name: str, run: LearningRun) -> Track:
    """A run as it stands in a chart."""
    return Track(name, tuple(run.history))
