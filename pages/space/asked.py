"""What every section is asked about, and the vectors of gallery and photo."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st

from pages.shared import dragged
from pages.space import long_work
from vision_core.images import Photo
from vision_core.inference.cache import ByteLRU
from vision_core.models import Model
from vision_core.space.pictures import SmallPicture, cut
from vision_core.space.vectors import LayerVectors, Measured, measure, pixel_vectors

THUMB = 96
"""Side of a picture in a row, pixels."""


@dataclass(frozen=True, eq=False)
class Asking:
    """What a section is asked about.

    Attributes:
        model, photo, layer: as chosen.
        pictures: the gallery.
        gallery: its key.
        vectors: of the gallery at the layer.
    """

    model: Model
    photo: Photo
    layer: str
    pictures: list[SmallPicture]
    gallery: str
    vectors: LayerVectors | None = None

    @property
    def found(self) -> LayerVectors:
        """The vectors; only for sections, which are shown once they are there."""
        assert self.vectors is not None
        return self.vectors

    def with_vectors(self, vectors: LayerVectors) -> Asking:
        """The same with the gallery's vectors."""
        return replace(self, vectors=vectors)

    @property
    def labels(self) -> list[str]:
        """The classes of the gallery."""
        return [p.label for p in self.pictures]


@dataclass(frozen=True, eq=False)
class Query:
    """The picture whose neighbours are asked for.

    Attributes:
        picture: a picture of the gallery, the photo, or a part of it.
        words: what it is.
        item: its row in the gallery; ``None`` where it is the photo or a part of it.
        vector: float32 [C].
        pixels: float32 [3072].
    """

    picture: SmallPicture
    words: str
    item: int | None
    vector: np.ndarray
    pixels: np.ndarray


@st.cache_resource(show_spinner=False)
def _held() -> ByteLRU[LayerVectors]:
    """Numbers of galleries for everybody; no pixels."""
    return ByteLRU(128 * 2**20, lambda found: found.nbytes, "vectors of galleries")


@st.cache_resource(max_entries=64, show_spinner=False)
def _pace(who: tuple[str, ...], _model: Model, _photo: Photo, _layer: str) -> float:
    """Seconds of a pass, the quickest of a few; ``who`` names the network."""
    times = []
    for _ in range(4):
        began = time.perf_counter()
        list(measure(_model, [_photo], _layer))
        times.append(time.perf_counter() - began)
    return min(times)


@st.cache_resource(show_spinner=False)
def _pixels() -> ByteLRU[np.ndarray]:
    return ByteLRU(32 * 2**20, size=lambda found: found.nbytes)


def pixels_of(asking: Asking) -> np.ndarray:
    """The gallery as small pixels, [N, 3072]."""
    photos = [p.photo for p in asking.pictures]
    return _pixels().get_or_make(asking.gallery, lambda: pixel_vectors(photos))


def vectors_of(asking: Asking) -> LayerVectors | None:
    """The vectors of the gallery; ``None`` while nobody has asked for a run that takes long."""
    model = asking.model
    key = (model.name, model.fingerprint, str(model.device), asking.gallery, asking.layer)
    found = _held().get(key)
    if found is not None:
        return found

    def steps() -> Iterator[Measured]:
        for step in measure(model, [p.photo for p in asking.pictures], asking.layer):
            if step.vectors is not None:
                _held().put(key, step.vectors)
            yield step

    count = len(asking.pictures)
    pace = _pace(key[:3], model, asking.pictures[0].photo, asking.layer)
    last = long_work.last_of(
        key,
        steps,
        label=f"Run the network on {count} pictures",
        cost=f"{count} passes of {model.card.title}",
        seconds=count * pace,
        told=lambda s: (s.done / s.total, f"{s.done} of {s.total} pictures"),
    )
    return None if last is None else last.vectors


def query_of(asking: Asking) -> Query:
    """A chosen picture of the gallery, or the photo, or what was dragged on it."""
    item = int(st.session_state["item"])
    if 0 <= item < len(asking.pictures):
        one = asking.pictures[item]
        words = f"{one.name} of the gallery"
        return Query(one, words, item, asking.found.means[item], pixels_of(asking)[item])
    box = dragged.box(asking.photo)
    small = cut(asking.photo, box)
    words = "the photo" if box is None else "the part of the photo in the box"
    vector = _photo_vector(asking, small).means[0]
    return Query(SmallPicture(small, words, ""), words, None, vector, pixel_vectors([small])[0])


def _photo_vector(asking: Asking, picture: Photo) -> LayerVectors:
    model = asking.model
    key = (model.name, model.fingerprint, str(model.device), picture.sha256, asking.layer, "one")

    def make() -> LayerVectors:
        *_, last = measure(model, [picture], asking.layer)
        assert last.vectors is not None
        return last.vectors

    return _held().get_or_make(key, make)
