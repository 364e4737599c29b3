"""The picture that a session grows: in one bounded store, under a key that only it knows."""

from __future__ import annotations

import secrets
import weakref
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

import streamlit as st

from pages.shared import caps, state
from vision_core.environment import MEGABYTE
from vision_core.inference.cache import ByteLRU
from vision_core.style.transfer import StyleRun

SLICE = 0.6
"""Seconds for which a picture grows between two drawings, about."""
EVERY = 0.4
"""Seconds after which a page whose picture grows is drawn again."""
_KEY = "_style_picture"


@st.cache_resource(show_spinner=False)
def _store() -> ByteLRU[StyleRun]:
    return ByteLRU(caps.style(), lambda run: run.nbytes, "style pictures")


@dataclass
class OwnPicture:
    """What a session knows of its picture.

    Attributes:
        token: its key in the store, in a list that the store's finalizer knows.
        of: what it was begun with.
        until: step at which it stops by itself; ``None`` while it stands still.
        wish: what Start was pressed for, and until which step; the page begins it.
    """

    token: list[str] = field(default_factory=list)
    of: Hashable = None
    until: int | None = None
    wish: tuple[Hashable, int] | None = None


def own() -> OwnPicture:
    """What this session holds."""
    found: OwnPicture | None = st.session_state.get(_KEY)
    if found is None:
        st.session_state[_KEY] = found = OwnPicture()
        weakref.finalize(found, _drop, _store(), found.token)
    return found


def _drop(store: ByteLRU[StyleRun], token: list[str]) -> None:
    for one in token:
        store.drop(one)
    token.clear()


def run_of(key: Hashable) -> StyleRun | None:
    """The session's picture, if it was begun with these photos and settings."""
    mine = own()
    if not mine.token or mine.of != key:
        return None
    found = _store().get(mine.token[0])
    if found is None:
        forget()
        state.note(
            "The server no longer holds your picture: it keeps "
            f"{caps.style() // MEGABYTE} MB of them for everybody. Start it again."
        )
    return found


def begin(key: Hashable, make: Callable[[], StyleRun]) -> StyleRun:
    """The picture under a key, made if there is none; it takes the place of another."""
    found = run_of(key)
    if found is None:
        forget()
        found = make()
        mine = own()
        mine.token.append(secrets.token_hex(16))
        mine.of = key
        grown(found)
    return found


def grown(run: StyleRun) -> None:
    """Count its bytes anew."""
    _store().put(own().token[0], run)


def forget() -> None:
    """Drop the session's picture."""
    mine = own()
    _drop(_store(), mine.token)
    mine.of = mine.until = None


def stop() -> None:
    """It grows no more, until somebody goes on."""
    own().until = None
