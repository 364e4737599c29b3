"""Feature space: a gallery as points of a layer, its maps, and what excites each channel."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from pages.shared import (
    dragged,
    engine,
    frame,
    galleries,
    inside,
    model_picker,
    operator_page,
    photos,
    state,
)
from pages.shared.guard import guarded
from pages.shared.plain import sentence, short
from pages.space import mapping, nearby, units
from pages.space.asked import Asking, vectors_of
from vision_core.errors import UserError
from vision_core.images import Photo
from vision_core.models import Model
from vision_core.space.neighbours import METRICS
from vision_core.space.pictures import gallery_key
from vision_core.space.report import trunk_of, usual_layer

FIRST = "resnet_s"
_FINE = 12
"""Columns of a map whose units see parts of a picture, at least."""
SECTIONS = {"neighbours": "Neighbours", "map": "Map", "units": "Units"}
_LEDES = {
    "neighbours": "Each picture is a **point**: the mean of every channel of a layer. Neighbours "
    "there mean the same; neighbours by pixels only look alike (Krizhevsky et al. 2012). Drag a "
    "box on the photo to ask for a part of it.",
    "map": "The points of the gallery in two dimensions: **PCA** keeps large distances, **t-SNE** "
    "keeps neighbours (van der Maaten and Hinton 2008). Your photo is placed into the map that "
    "stands.",
    "units": "The patches of the gallery that excite a **channel** most, cut by its receptive "
    "field: what the channel answers to (Zeiler and Fergus 2014). Each unit has its own address.",
}
_PARTS: dict[str, Callable[[Asking], None]] = {
    "neighbours": nearby.show,
    "map": mapping.show,
    "units": units.show,
}


def main() -> None:
    """The page: photo, network, layer and gallery in the rail; a section beside them."""
    _, lede, fields = operator_page.head("Feature space", SECTIONS)
    section = st.session_state["section"]
    operator_page.say(lede, _LEDES[section])
    with st.sidebar:
        entry = photos.pick()
        card = model_picker.pick(FIRST)
    outer = (*fields, *photos.fields(), *model_picker.fields(FIRST))
    photo = frame.photo_of(entry)
    if photo is not None and (model := model_picker.load(card)) is not None:
        with guarded(f"comparing {short(photo.name)} in {card.name}"):
            _show(model, photo, section, outer)
    else:
        state.write(*outer)
    operator_page.notes(lede)


# No fragment: Stop, and every move of a control, must interrupt long work.
def _show(model: Model, photo: Photo, section: str, outer: tuple[state.Field, ...]) -> None:
    with st.spinner(f"Running {model.card.title}{engine.queue_words()} …"):
        engine.trace_of(model, photo)
        known = inside.layers((model.name, model.fingerprint, photo.sha256), model, photo)
    names = [name for name, shape in known.items() if shape[0] > 3]
    first = _first(known, names, section)
    used = (
        galleries.FIELD,
        state.Field("layer", first, state.one_of(names)),
        state.Field("metric", "euclidean", state.one_of(METRICS)),
        state.Field("item", -1, state.whole(-1, 10**4)),
        dragged.FIELD,
        state.Field("map", "pca", state.one_of(tuple(mapping.KINDS))),
        state.Field("perplexity", 15, state.whole(2, 50)),
        state.Field("channel", 0, state.whole(0, 10**5)),
    )
    state.use(*used)
    with st.sidebar:
        st.selectbox(
            "Layer",
            names,
            key="layer",
            format_func=lambda n: f"{n} ({known[n][0]} channels, {known[n][1]} x {known[n][2]})",
        )
        pictures = galleries.pick(photo)
    layer = st.session_state["layer"]
    asking = Asking(model, photo, layer, pictures, gallery_key(pictures))
    try:
        _section(asking, section)
    except UserError as error:
        st.info(sentence(str(error)), icon=":material/block:")
    state.write(*outer, *used)


def _first(known: dict[str, tuple[int, ...]], names: list[str], section: str) -> str:
    """The layer that opens: the last one, but for units one whose patches are smaller."""
    offered = {name: known[name] for name in names}
    if section == "units":
        fine = [name for name in trunk_of(offered) if known[name][2] >= _FINE]
        return fine[-1] if fine else names[0]
    return usual_layer(offered)


def _section(asking: Asking, section: str) -> None:
    """The section, once the gallery was run.

    Raises:
        UserError: the section cannot be shown for this network or gallery.
    """
    if not asking.pictures:
        raise UserError(
            "The gallery is empty; upload photos in the rail, or choose another gallery."
            if st.session_state["gallery"] == "mine"
            else "Nothing is found in this photo; choose another photo or gallery."
        )
    if st.session_state["item"] >= len(asking.pictures):
        state.put("item", -1)
    found = vectors_of(asking)
    if found is not None:
        _PARTS[section](asking.with_vectors(found))
