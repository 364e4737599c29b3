"""Filters: the weights of a convolution as pictures, beside those of an untrained network."""

from __future__ import annotations

import numpy as np
import streamlit as st

from pages.shared import engine, frame, model_picker, state, tile_view
from pages.shared.state import Field
from vision_core import models
from vision_core.features import filters as feature
from vision_core.figures.saliency import own_limit, signed_colours
from vision_core.models import Model

_LEDE = (
    "Each picture is one **filter**: grey is "
    "zero weight. In the first layer of a trained network look for edges at several angles and "
    "for opponent colours (Krizhevsky et al. 2012), then switch to random weights: they are gone. "
    "Deeper filters look at many channels; click one to see a kernel for each."
)
FIRST = "alexnet_s"
"""The bundled network with the largest kernels in its first layer: they show most."""
_TELLING = 7  # cells along a side from which a kernel of a first layer shows edges and waves
_MOST = 128


def main() -> None:
    """The page: model, layer and order in the rail; the filters."""
    frame.top().html(frame.words("Filters", _LEDE))
    with st.sidebar:
        card = model_picker.pick(FIRST)
    model = model_picker.load(card)
    if model is None:
        state.write(frame.PRESENT, *model_picker.fields(FIRST))
        return
    names = feature.convolutions(model.module)
    used = (
        Field("conv", names[0], state.one_of(names)),
        Field("order", "norm", state.one_of(feature.ORDERS)),
        Field("shared", False, state.flag, lambda v: str(int(v))),
        Field("untrained", False, state.flag, lambda v: str(int(v))),
        Field("filter", -1, state.whole(-1, 10**5)),
    )
    state.use(*used)
    with st.sidebar:
        st.selectbox("Convolution", names, key="conv")
        st.segmented_control("Order", feature.ORDERS, key="order", required=True)
        st.toggle("One scale for all", key="shared", help="Weak filters then look weak.")
        st.toggle("Beside random weights", key="untrained")
    _show(model)
    state.write(frame.PRESENT, *model_picker.fields(FIRST), *used)
    state.show_notes()


def _show(model: Model) -> None:
    trained = feature.filters(model.module, st.session_state["conv"])
    sets = {"Trained": trained}
    if st.session_state["untrained"]:
        fresh = engine.untrained(model.name, str(model.device))
        sets["Random weights"] = feature.filters(fresh.module, st.session_state["conv"])
    k, c, h, w = trained.weights.shape
    st.markdown(
        f"**{trained.layer}**: {k:,} filters of {h} x {w} over {c:,} channels, "
        f"{trained.weights.size:,} weights"
    )
    places = st.columns(len(sets))
    for place, (title, found) in zip(places, sets.items(), strict=True):
        with place:
            if len(sets) > 1:
                st.markdown(f"**{title}**")
            _grid(found, title, 8 if len(sets) > 1 else 16)
    if trained.colour and max(h, w) < _TELLING:
        large = models.card(FIRST)
        st.caption(f"{h} x {w} cells show little more than a colour.", width="content")
        st.button(
            f"See the larger kernels of {large.title}",
            on_click=model_picker.use,
            args=(large,),
            key="larger_kernels",
        )
    _one(trained)


def _grid(found: feature.Filters, title: str, columns: int) -> None:
    """All filters: in colour over R, G and B, else by what they weigh over all channels."""
    path = feature.order(found.weights, st.session_state["order"])[:_MOST]
    norms = np.sqrt((found.weights**2).sum((1, 2, 3)))
    shared = bool(st.session_state["shared"])
    if found.colour:
        tiles = feature.pictures(found.weights[path], shared)
    else:
        flat = found.weights[path].sum(1)
        limits = [own_limit(flat)] * len(flat) if shared else [own_limit(f) for f in flat]
        pairs = zip(flat, limits, strict=True)
        tiles = np.stack([signed_colours(f, limit) for f, limit in pairs])
    words = [f"filter {i}, norm {norms[i]:.2f}" for i in path]
    picked = tile_view.show(
        f"filters_{title}",
        tiles,
        words,
        path.tolist(),
        int(st.session_state["filter"]),
        columns,
        "filters",
        0.5 if columns < 16 else 1.0,
    )
    if picked is not None and title == "Trained":
        state.put("filter", picked)
        st.rerun()
    if len(found.weights) > _MOST:
        st.caption(f"The first {_MOST} of {len(found.weights):,} in this order.")
    if not found.colour:
        st.caption("Kernels summed over the input channels. Orange is positive, blue negative.")


def _one(found: feature.Filters) -> None:
    """The chosen filter, one kernel for each input channel, strongest first."""
    # After the sheet, which a click on may change; for those who do not click, too.
    st.number_input("Number of a filter (-1: none)", -1, step=1, key="filter", width=240)
    at = int(st.session_state["filter"])
    if not 0 <= at < len(found.weights):
        st.caption("Click a filter, or type its number, to see its kernel for each input channel.")
        return
    kernels = found.weights[at]
    path = feature.order(kernels[:, None], "norm")[:_MOST]
    limit = own_limit(kernels)
    tiles = np.stack([signed_colours(kernels[i], limit) for i in path])
    names = ("red", "green", "blue") if found.colour else None
    words = [f"channel {names[i] if names else i}" for i in path]
    st.markdown(f"**Filter {at}**, one kernel for each input channel; full colour at ± {limit:.3g}")
    tile_view.show("kernels", tiles, words, path.tolist(), -1, 16, "kernels")
