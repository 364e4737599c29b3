"""Receptive fields: what a unit can see of the photo, and what it really listens to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from pages.components import canvas
from pages.components.player import numbers
from pages.receptive_field import field_view
from pages.shared import charts, model_picker, operator_page, photos, shell, state
from pages.shared.guard import guarded
from pages.shared.plain import sentence
from vision_core.errors import UserError
from vision_core.features.receptive import FieldRow, stack
from vision_core.figures.charts import growth as growth_chart
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
            sentence(entry.error or "") if entry else "No photo yet: choose one.",
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
    rows, error = _rows(texts[0])
    if error:
        st.warning(sentence(error), icon=":material/rule:")
    left, right = st.columns([5, 4], gap="medium")
    with left:
        charts.show(growth_chart(rows), "growth", "Receptive field after each layer")
    with right:
        _editor(rows)
    weights = sum(r.kernel**2 for r in rows)
    st.markdown(
        f"**{rows[-1].size} x {rows[-1].size} pixels** after {len(rows)} layers, "
        f"with {weights} weights per pair of channels; neighbouring units are "
        f"{rows[-1].jump} pixel{'' if rows[-1].jump == 1 else 's'} apart."
    )
    state.write(*fields, *used)


_EDITED = ("kernel", "stride", "padding", "dilation")


def _editor(rows: list[FieldRow]) -> None:
    """The layers as a table whose numbers can be changed, and to which layers can be added."""
    text = numbers.to_text([[getattr(row, name) for name in _EDITED] for row in rows])
    key = f"stack_{text}"
    edited = {
        name: st.column_config.NumberColumn(
            min_value=0 if name == "padding" else 1,
            max_value=64,
            step=1,
            default={"kernel": 3, "padding": 1}.get(name, 1),
            required=True,
        )
        for name in _EDITED
    }
    st.data_editor(
        pd.DataFrame(
            [
                {
                    **{name: getattr(row, name) for name in _EDITED},
                    "jump": row.jump,
                    "field": row.size,
                }
                for row in rows
            ]
        ),
        key=key,
        num_rows="dynamic",
        hide_index=True,
        width="stretch",
        disabled=["jump", "field"],
        column_config={
            **edited,
            "jump": st.column_config.NumberColumn(help="Input pixels from one unit to the next."),
            "field": st.column_config.NumberColumn(help="Receptive field in input pixels."),
        },
        on_change=lambda: state.put("layers", edited_text(text, st.session_state[key])),
    )
    st.caption("Change a number, or add a layer in the last row.")


def edited_text(text: str, edits: Mapping[str, Any]) -> str:
    """The layers after the edits of the table, as the address holds them.

    Args:
        text: the layers before.
        edits: as ``st.data_editor`` reports them; what was not filled in stays a 3x3 layer.
    """
    layers = [list(row) for row in numbers.to_array(text, 2)]
    usual = {"kernel": 3, "stride": 1, "padding": 1, "dilation": 1}
    for at, changed in edits.get("edited_rows", {}).items():
        for name, value in changed.items():
            if name in _EDITED and value is not None:
                layers[int(at)][_EDITED.index(name)] = value
    for added in edits.get("added_rows", []):
        given = {name: value for name, value in added.items() if value is not None}
        layers.append([{**usual, **given}[name] for name in _EDITED])
    gone = set(edits.get("deleted_rows", []))
    left = [layer for at, layer in enumerate(layers) if at not in gone]
    return numbers.to_text(left or layers[:1])


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
