"""Activations: what the layers of a network output for a photo, and what activates a unit."""

from __future__ import annotations

import streamlit as st

from pages.activations import maximising
from pages.shared import engine, frame, galleries, inside, model_picker, photos, state
from pages.shared.guard import guarded
from pages.shared.plain import short
from pages.shared.state import Field
from vision_core.images import Photo
from vision_core.models import Model

_LEDE = (
    "Each tile is one **channel** of a layer on this photo. Go from the first layer to the last: "
    "edges give way to parts, and the maps shrink (Zeiler and Fergus 2014). Then click a channel: "
    "see where on the photo it is active, which pixels cause that, and which input would activate "
    "it most."
)


def main() -> None:
    """The page: photo, model and layer in the rail; maps, one channel, projection, maximisation."""
    frame.top().html(frame.words("Activations", _LEDE))
    with st.sidebar:
        entry = photos.pick()
        card = model_picker.pick()
    outer = (frame.PRESENT, *photos.fields(), *model_picker.fields())
    model = model_picker.load(card)
    photo = frame.photo_of(entry)
    if photo is not None and model is not None:
        with guarded(f"running {card.name} on {short(photo.name)}"):
            _show(model, photo, outer)
            state.show_notes()
            return
    state.write(*outer)
    state.show_notes()


def _show(model: Model, photo: Photo, outer: tuple[Field, ...]) -> None:
    with st.spinner("Running the network …"):
        trace = engine.trace_of(model, photo)
        known = inside.layers((model.name, model.fingerprint, photo.sha256), model, photo)
    names = [name for name, shape in known.items() if max(shape[1:]) > 1]
    used = (
        Field("layer", names[min(2, len(names) - 1)], state.one_of(names)),
        Field("channel", -1, state.whole(-1, 10**5)),
        galleries.FIELD,
        Field("oneScale", True, state.flag, lambda v: str(int(v))),
    )
    state.use(*used)
    with st.sidebar:
        st.selectbox("Layer", names, key="layer", format_func=lambda n: _words(n, known[n]))
        st.toggle("One scale for all", key="oneScale")
    found = inside.of(model, photo, st.session_state["layer"])
    channel = int(st.session_state["channel"])
    if not 0 <= channel < len(found.values):
        channel = found.strongest(1)[0]
    inside.sheet(found, channel, bool(st.session_state["oneScale"]))
    # After the sheet, which a click on may change; for those who do not click, too.
    st.number_input("Channel (-1: the strongest)", -1, step=1, key="channel", width=240)
    large, back, climb = st.tabs(
        ["Where on the photo", "What in the pixels", "What would make it larger"],
        on_change="rerun",
        key="part",
    )
    with large:
        inside.one(photo, found, channel)
    if back.open:
        with back:
            inside.projection(model, photo, trace, found, channel)
    if climb.open:
        with climb:
            maximising.climbing(model, photo, trace, found, channel)
    state.write(*outer, *used)


def _words(name: str, shape: tuple[int, ...]) -> str:
    return f"{name} ({shape[0]} channels, {shape[1]} x {shape[2]})"
