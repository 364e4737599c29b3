"""Several facets of a unit on the Activations page: each grows from the mean of other pictures."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from pages.shared import downloads, engine, galleries, shell
from vision_core import devices
from vision_core.attribution import Question
from vision_core.features.maximise import Regularisers, as_picture, maximise
from vision_core.figures import facets as figures
from vision_core.figures.encode import png
from vision_core.figures.space import thumbnail
from vision_core.images import Photo
from vision_core.models import Model
from vision_core.space.facets import COUNTS, Excited, Facet, Gallery
from vision_core.space.pictures import SmallPicture

_KEPT = "climbed_facets"
_STRIP = 10
_SIDE = 96
Field = tuple[int, int, int, int] | None
"""What the unit can see, x1, y1, x2, y2 of the input; ``None`` for all of it."""


@dataclass(frozen=True)
class Climb:
    """How a picture grows.

    Attributes:
        steps, rate, seed, keep: as of ``maximise``.
    """

    steps: int
    rate: float
    seed: int
    keep: Regularisers


@dataclass(frozen=True)
class Wanted:
    """Which facets are asked for; others are not shown.

    Attributes:
        of: what is maximised.
        gallery: key of its pictures.
        count: of facets.
    """

    of: Hashable
    gallery: str
    count: int


@dataclass(frozen=True, eq=False)
class View:
    """What does not change while a facet grows.

    Attributes:
        start: uint8 ``[h, w, 3]``, what the unit can see of it.
        group: small pictures with their names, closest to the centre first.
        size: pictures of the group.
        used: of them, in the start.
    """

    start: np.ndarray
    group: list[tuple[np.ndarray, str]]
    size: int
    used: int


@dataclass(frozen=True, eq=False)
class Grown:
    """A facet as it is shown.

    Attributes:
        view: its start and its group.
        picture: uint8 ``[h, w, 3]``, what the unit can see of it.
        scores: frame by frame.
        step, total: how far it is.
    """

    view: View
    picture: np.ndarray
    scores: list[float]
    step: int
    total: int


def dials(photo: Photo) -> tuple[int, list[SmallPicture]]:
    """Draw the number of facets and the gallery; return both."""
    first, second = st.columns([2, 3], vertical_alignment="bottom")
    count = first.slider("Facets", *COUNTS, 3, key="climb_facets")
    with second:
        return count, galleries.pick(photo)


def cost(
    who: Hashable, make: Callable[[], Question], climb: Climb, count: int = 1, pictures: int = 0
) -> str:
    """What it costs, a sentence; with no pictures that of a single climb from noise.

    Args:
        who: the network and how deep its target lies, for the cache of the pace.
        make: the question.
        climb: how each grows.
        count: of climbs.
        pictures: that go through the network first.
    """
    forward, both = _pace(who, make)
    seconds = pictures * forward + count * climb.steps * (both + forward / 4)
    about = f"{seconds / 60:.0f} min" if seconds >= 90 else f"{max(1, round(seconds))} s"
    each = f"{climb.steps} steps forward and back"
    told = f"{count} times {each}" if pictures else each
    search = f"{pictures} pictures through the network, then " if pictures else ""
    return f"Cost: {search}{told}, about {about} on this machine{engine.queue_words()}."


@st.cache_resource(max_entries=64, show_spinner=False)
def _pace(who: Hashable, _make: Callable[[], Question]) -> tuple[float, float]:
    """Seconds of a pass, and of a pass forward and back, the quickest of three."""
    question = _make()
    forward, both = [], []
    for _ in range(3):
        began = time.perf_counter()
        question.run(question.input)
        middle = time.perf_counter()
        question.gradients(question.input)
        forward.append(middle - began)
        both.append(time.perf_counter() - middle)
    return min(forward), min(both)


def grow(
    wanted: Wanted,
    question: Question,
    model: Model,
    pictures: list[SmallPicture],
    climb: Climb,
    field: Field,
) -> None:
    """Search the gallery, then let each facet grow; what is there stays in the session.

    Raises:
        UserError: too few pictures excite the unit.
    """
    bar = st.progress(0.0, "Running the network on the pictures …")
    gallery = Gallery(question, model, [p.photo for p in pictures])
    excited: Excited | None = None
    with devices.patiently():
        for step in gallery.search():
            excited = step.excited
            bar.progress(step.done / step.total, f"{step.done} of {step.total} pictures")
        assert excited is not None, "a gallery that is asked about is not empty"
        found = gallery.facets(excited, wanted.count, climb.seed)
        places, made = [st.empty() for _ in found], list[Grown]()
        for at, facet in enumerate(found):
            view = _view(gallery, excited, facet, pictures, field)
            for one in _climbing(question, facet, view, climb, field):
                st.session_state[_KEPT] = (wanted, [*made, one])
                with places[at].container():
                    _draw(at, one)
                words = f"Facet {at + 1} of {len(found)}, step {one.step} of {one.total}"
                bar.progress((at + one.step / one.total) / len(found), words)
            made.append(one)
    bar.empty()


def _climbing(
    question: Question, facet: Facet, view: View, climb: Climb, field: Field
) -> Iterator[Grown]:
    scores: list[float] = []
    how = (climb.steps, climb.rate, climb.seed, climb.keep)
    for frame in maximise(question, *how, start=facet.start):
        scores.append(frame.score)
        picture = seen(frame.picture, field)
        yield Grown(view, picture, list(scores), frame.step, frame.total)


def kept(wanted: Wanted) -> list[Grown]:
    """What this session grew of it, stopped or not."""
    held: tuple[Wanted, list[Grown]] | None = st.session_state.get(_KEPT)
    return held[1] if held is not None and held[0] == wanted else []


def show(found: list[Grown]) -> None:
    """The facets that are there."""
    for at, one in enumerate(found):
        _draw(at, one)


def files(found: list[Grown], stem: str) -> None:
    """The facets as one picture, and their numbers."""
    downloads.buttons(
        stem,
        {
            "Facets (PNG)": ("_facets.png", lambda: png(_sheet(found)), "image/png"),
            "Numbers": (
                "_facets.json",
                lambda: downloads.as_json([_record(one) for one in found]),
                "application/json",
            ),
        },
    )


def _view(
    gallery: Gallery, excited: Excited, facet: Facet, pictures: list[SmallPicture], field: Field
) -> View:
    """A group's pictures; for a unit with a small field the patches that it sees."""
    group = []
    for member, row in zip(facet.members[:_STRIP], facet.rows[:_STRIP], strict=True):
        pixels = pictures[row].photo.pixels
        if field is not None:
            pixels = seen(
                as_picture(gallery.question, gallery.aligned(excited, member)[None]), field
            )
        group.append((thumbnail(pixels, _SIDE), pictures[row].name))
    start = seen(as_picture(gallery.question, facet.start), field)
    return View(start, group, len(facet.rows), facet.used)


def _draw(at: int, one: Grown) -> None:
    title, view = f"Facet {at + 1}", one.view
    count = f"{view.size} picture{'s' * (view.size > 1)}"
    st.markdown(
        f"**{title}**, {count}: score {one.scores[0]:.3g} at its start, **{one.scores[-1]:.3g}** "
        f"after {one.step} steps"
    )
    scale = 1.7 if shell.presenting() else 1
    st.html(figures.row(view.start, one.picture, view.group, view.used, title, scale))


def _sheet(found: list[Grown]) -> np.ndarray:
    """Starts and grown pictures below each other, uint8 ``[h, w, 3]``."""
    return np.concatenate([np.concatenate([f.view.start, f.picture], 1) for f in found])


def _record(one: Grown) -> dict[str, Any]:
    names = [name for _, name in one.view.group]
    counts = {"pictures": one.view.size, "in_start": one.view.used, "closest": names}
    return {**counts, "steps": one.step, "scores": one.scores}


def seen(picture: np.ndarray, field: Field) -> np.ndarray:
    """What the unit can see of a picture, with each pixel as a square of whole pixels."""
    if field is None:
        return picture
    x1, y1, x2, y2 = field
    part = picture[y1:y2, x1:x2]
    times = max(1, 360 // max(part.shape[:2]))
    return part.repeat(times, 0).repeat(times, 1)
