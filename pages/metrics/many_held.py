"""What a session holds of many photos: the files on disk, a truth, and the runs over them.

A press on the page starts a new run of its script at once; the one before it still ends its step in
a thread of its own. Locks keep the two apart.
"""

from __future__ import annotations

import hashlib
import threading
import time
import weakref
from collections import OrderedDict
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import streamlit as st

from pages.shared import caps, engine
from vision_core import devices
from vision_core.comparison.annotations import CocoFile
from vision_core.errors import UserError
from vision_core.gallery.index import Index
from vision_core.gallery.run import Progress, run
from vision_core.gallery.uploads import PhotoBox, Taken

_KEY = "_many_photos"
_PAUSE = 10.0
"""Seconds without a step after which a run begins anew, so that its time to go is right."""
_PICTURES = 96
"""Small pictures that a session keeps."""


@st.cache_resource(show_spinner=False)
def _boxes() -> weakref.WeakSet[PhotoBox]:
    """The photos of all sessions, for their bytes alone: each session has its own only."""
    return weakref.WeakSet()


@dataclass(frozen=True)
class GivenTruth:
    """A COCO file: its name, its bytes, what is in it, and the start of its hash."""

    name: str
    data: bytes
    file: CocoFile
    mark: str


@dataclass
class Held:
    """The many photos of one session.

    Attributes:
        box: the photos.
        truth: the COCO file, if one was given.
        given: how often files were given, for the uploaders' keys: each starts empty again.
        running: whether a run goes on.
        progress: of the last photo of this run.
        pictures: small pictures by network and photo.
    """

    box: PhotoBox = field(default_factory=PhotoBox)
    truth: GivenTruth | None = None
    given: int = 0
    running: bool = False
    progress: Progress | None = None
    pictures: OrderedDict[tuple[str, ...], str] = field(default_factory=OrderedDict)
    _indices: dict[Path, Index] = field(default_factory=dict)
    _steps: Generator[Progress, None, None] | None = None
    _of: tuple[Path, str] | None = None
    _last: float = 0.0
    _stepping: threading.RLock = field(default_factory=threading.RLock)
    _reading: threading.Lock = field(default_factory=threading.Lock)

    def take(self, name: str, data: bytes) -> Taken:
        """Store a photo or a zip file.

        Raises:
            UserError: see ``PhotoBox.add``.
        """
        self.halt()
        return self.box.add(name, data, caps.galleries() - sum(b.nbytes for b in _boxes()))

    def judge_by(self, name: str, data: bytes) -> None:
        """Take a COCO file as the truth.

        Raises:
            UserError: it is none.
        """
        self.truth = GivenTruth(name, data, CocoFile(data), hashlib.sha256(data).hexdigest()[:16])
        self.halt()

    def index(self, models: Sequence[str]) -> Index:
        """The records of these networks and this truth so far."""
        path = self._path(models)
        with self._reading:
            found = self._indices.setdefault(path, Index(path, models))
            found.update()
        return found

    def _path(self, models: Sequence[str]) -> Path:
        mark = "" if self.truth is None else self.truth.mark
        return self.box.folder / f"{'+'.join(models)}-{mark}.jsonl"

    def step(self, models: Sequence[str], device: str) -> Progress | None:
        """Run the networks on the next photo; ``None`` if all are done.

        Raises:
            UserError: the photos are gone, or a network cannot be loaded.
        """
        wanted = (self._path(models), device)
        with self._stepping:
            if self._steps is None or self._of != wanted or time.monotonic() - self._last > _PAUSE:
                self._close()
                self._steps, self._of = self._begin(models, device), wanted
            try:
                with devices.patiently():
                    self.progress = next(self._steps, None)
            except Exception:
                self.halt()
                raise
            self._last = time.monotonic()
            return self.progress

    def _begin(self, models: Sequence[str], device: str) -> Generator[Progress, None, None]:
        loaded = [engine.load_model(name, device) for name in models]
        truth = None if self.truth is None else self.truth.data
        with self.box.photos() as photos:
            yield from run(photos, loaded, self._path(models), truth)

    def halt(self) -> None:
        """Stop, after the photo that is being looked at; what was done stays in its file."""
        self.running = False
        with self._stepping:
            self.progress = None
            self._close()

    def _close(self) -> None:
        if self._steps is not None:
            self._steps.close()
        self._steps = None


def held() -> Held:
    """The many photos of this session."""
    found: Held | None = st.session_state.get(_KEY)
    if found is None:
        st.session_state[_KEY] = found = Held()
        _boxes().add(found.box)
    return found


def forget() -> None:
    """Throw the photos and all records away; for callbacks."""
    old = held()
    old.halt()
    new = Held(given=old.given + 1)
    _boxes().discard(old.box)
    old.box.close()
    _boxes().add(new.box)
    st.session_state[_KEY] = new


def keep_picture(mine: Held, key: tuple[str, ...], make: Callable[[], str]) -> str:
    """A small picture, made once and kept while there is room; no picture for a photo that is gone.

    Args:
        mine: the photos of this session.
        key: of the picture.
        make: gives it as a ``data:`` URL.
    """
    if key not in mine.pictures:
        try:
            mine.pictures[key] = make()
        except UserError:
            return ""
    mine.pictures.move_to_end(key)
    while len(mine.pictures) > _PICTURES:
        mine.pictures.popitem(last=False)
    return mine.pictures[key]
