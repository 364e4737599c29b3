"""Receptive fields: what a unit can see of the photo, and what it really listens to."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from pages.components import canvas
from pages.components.player import numbers
from pages.receptive_field import field_view
from pages.shared import model_picker, operator_page, photos, shell, state
from pages.shared.guard import guarded
from pages.shared.plain import sentence
from vision_core.errors import UserError
from vision_core.features.receptive import stack
from vision_core.images import Photo
from vision_core.models import Model

SECTIONS = {"photo": "On the photo", "growth": "How it grows"}
_STACKS = {
    "Three 3x3 layers: as far as one 7x7, with fewer weights": "3,1,1,1;3,1,1,1;3,1,1,1",
    "One 7x7 layer": "7,1,3,1",
    "Stride 2 doubles what every later layer adds": "3,2,1,1;3,2,1,1;3,2,1,1",
    "Dilation 1, 2, 4 grows as fast without losing resolution": "3,1,1,1;3,1,2,2;3,1,4,4",
    "1x1 layers add nothing": "3,1,1,1;1,1,0,1;1,1,0,1",
    "The start of AlexNet": "11,4,2,1;3,2,0,1;5,1,2,1;3,2,0,1;3,1,1,1;3,1,1,1;3,1,1,1",
    "The start of VGG": "3,1,1,1;3,1,1,1;2,2,0,1;3,1,1,1;3,1,1,1;2,2,0,1;3,1,1,1;3,1,1,1",
    "The start of ResNet": "7,2,3,1;3,2,1,1;3,1,1,1;3,1,1,1;3,1,1,1;3,1,1,1",
}


def main() -> None:
    """The page: a section."""
    menu, lede, fields = operator_page.head("Receptive field", SECTIONS)
    if st.session_state["section"] == "growth":
        growth(menu, lede, fields)
        operator_page.notes(lede)
        return
    operator_page.say(
        lede,
        "Click the photo: the box is all that the chosen unit **can** see (theoretical "
        "receptive field), the colour what it **listens to** (effective field, the gradient; Luo "
        "et al. 2016). The effective field is much smaller, and bright in the middle.",
    )
    with st.sidebar:
        entry = photos.pick()
        card = model_picker.pick()
    outer = (*fields, *photos.fields(), *model_picker.fields())
    model = model_picker.load(card)
    if entry is None or entry.photo is None:
        st.info(
            sentence(entry.error or "") if entry else "No photo yet: choose one on the left.",
            icon=":material/add_a_photo:",
        )
        state.write(*outer)
    elif model is not None:
        with guarded(f"following {card.name}"):
            on_photo(model, entry.photo, outer)
    operator_page.notes(lede)


def on_photo(model: Model, photo: Photo, outer: tuple[state.Field, ...]) -> None:
    """A unit of a layer: its box, its gradient, and the fields of all layers."""
    with st.spinner("Following the network …"):
        network = field_view.network(model, photo)
    names = list(network.sizes)
    used = (
        state.Field("layer", network.first(), state.one_of(names)),
        state.Field("at", f"{photo.width // 2},{photo.height // 2}", numbers.parser(1)),
    )
    state.use(*used)
    with st.sidebar:
        st.selectbox(
            "Layer", names, key="layer", format_func=lambda n: f"{n} ({network.sizes[n]} px)"
        )
    layer = st.session_state["layer"]
    place = numbers.to_array(st.session_state["at"], 1)
    unit = network.unit_at(layer, *(place if len(place) == 2 else (0, 0)))
    box = network.box(layer, unit)
    heat = field_view.effective(model, photo, layer, unit)
    left, right = st.columns([5, 3], gap="medium")
    with left:
        canvas.picture(
            photo,
            field_view.scene(photo, network, layer, unit, heat),
            key="receptive",
            present=shell.presenting(),
            on_pick=lambda pick: state.put("at", f"{pick.get('x', 0)},{pick.get('y', 0)}"),
        )
    with right:
        field_view.words(network, layer, unit, box, heat)
    with st.expander("All layers of this network", expanded=False):
        st.dataframe(network.table(), hide_index=True, width="stretch")
    state.write(*outer, *used)


def growth(menu: Any, lede: Any, fields: tuple[state.Field, ...]) -> None:
    """A plain stack of layers: how size and jump grow."""
    operator_page.say(
        lede,
        "Each layer adds **dilation·(kernel - 1)·jump** pixels, and a stride multiplies the "
        "**jump** of all later layers: strides make the field grow exponentially, depth alone "
        "only linearly.",
    )
    texts = list(_STACKS.values())
    used = (state.Field("layers", texts[0], numbers.parser(2)),)
    state.use(*used)
    with menu:
        st.selectbox(
            "Example",
            list(_STACKS),
            key="example",
            label_visibility="collapsed",
            on_change=lambda: state.put("layers", _STACKS[st.session_state["example"]]),
        )
    with st.sidebar:
        st.text_input("Layers: kernel, stride, padding, dilation; …", key="layers")
    rows, error = _rows(texts[0])
    if error:
        st.sidebar.warning(sentence(error), icon=":material/rule:")
    st.dataframe(
        [
            {
                "layer": i,
                "kernel": r.kernel,
                "stride": r.stride,
                "padding": r.padding,
                "dilation": r.dilation,
                "jump (pixels between units)": r.jump,
                "receptive field (pixels)": r.size,
                "centre of the first unit": r.start,
            }
            for i, r in enumerate(rows, 1)
        ],
        hide_index=True,
        width="stretch",
    )
    weights = sum(r.kernel**2 for r in rows)
    st.markdown(
        f"**{rows[-1].size} x {rows[-1].size} pixels** after {len(rows)} layers, "
        f"with {weights} weights per pair of channels; one unit every {rows[-1].jump} pixels."
    )
    state.write(*fields, *used)


def _rows(first: str) -> tuple[list[Any], str | None]:
    """The stack that was typed, else the last one that works, and the rule that is broken."""
    try:
        text = st.session_state["layers"]
        layers = np.array(numbers.to_array(text, 2))
        if layers.shape[1] != 4 or (layers % 1 != 0).any() or len(layers) > 40:
            raise ValueError
        rows = stack([tuple(int(v) for v in row) for row in layers])  # type: ignore[misc]
        st.session_state["_stack_valid"] = text
        return rows, None
    except UserError as mistake:
        error = str(mistake)
    except ValueError:
        error = "Give four whole numbers a layer, such as 3,1,1,1;3,2,1,1, at most 40 layers."
    valid = numbers.to_array(st.session_state.get("_stack_valid", first), 2)
    return stack([tuple(row) for row in valid]), error
