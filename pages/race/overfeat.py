"""The section "OverFeat" of the race: a classifier that slides within one pass."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import streamlit as st

from pages.shared import charts, engine, state
from pages.shared.plain import short
from pages.shared.runs import Runs
from pages.shared.state import Field
from vision_core import devices, models
from vision_core.figures import race as figures
from vision_core.images import Photo
from vision_core.inference.cache import ByteLRU
from vision_core.race.overfeat import NETWORKS
from vision_core.race.sliding import SIDES, Slid, fcn_cost, slide

_PAUSE = 0.4
"""Seconds between two drawings while crops are run."""
FIELDS = (
    Field("slider_network", NETWORKS[0], state.one_of(NETWORKS)),
    Field("slider_side", 416, state.whole(*SIDES)),
    Field("slider_class", ""),
)


@st.cache_resource(show_spinner=False)
def _kept() -> ByteLRU[Slid]:
    return ByteLRU(16 * 2**20, name="maps of class scores")


@st.cache_resource(show_spinner=False)
def _runs() -> Runs[Slid]:
    return Runs()


def show(photo: Photo) -> None:
    """Draw the section; it runs when its button is pressed."""
    state.use(*FIELDS)
    st.subheader("OverFeat: all crops in one pass")
    st.markdown(
        "A sliding window computes the same features again and again. **OverFeat** (Sermanet et "
        "al. 2014) turns the dense layers of a classifier into convolutions on the same weights: "
        "on a larger photo the network then gives a map of class scores in one pass."
    )
    row = st.container(horizontal=True, gap="medium", vertical_alignment="bottom")
    row.selectbox(
        "Classifier",
        NETWORKS,
        key="slider_network",
        width=220,
        format_func=lambda name: models.card(name).title,
    )
    row.slider("Shorter side of the photo (px)", *SIDES, step=32, key="slider_side", width=280)
    device = str(devices.resolve(st.session_state.get("device", "auto")))
    key = (st.session_state["slider_network"], photo.sha256, st.session_state["slider_side"])
    pressed = row.button("Slide", key="slider_go", type="primary", icon=":material/grid_view:")
    found = _kept().get((*key, device))
    if pressed and found is None:
        found = _run(photo, key, device)
    if found is not None:
        _result(found)


def _run(photo: Photo, key: tuple[str, str, int], device: str) -> Slid | None:
    """One pass, then the crops, with a bar."""
    bar, last, drawn = st.progress(0.0, "One pass …"), None, 0.0
    model = engine.load_model(key[0], device)
    for last in _runs().follow((*key, device), lambda: slide(model, photo, key[2])):
        if time.monotonic() - drawn > _PAUSE:
            bar.progress(last.done / last.places, f"{last.done} of {last.places} crops")
            drawn = time.monotonic()
    bar.empty()
    if last is not None:
        _kept().put((*key, device), last)
    return last


def _result(found: Slid) -> None:
    names = sorted(found.labels)
    if st.session_state["slider_class"] not in names:
        state.put("slider_class", found.labels[found.best()])
    st.selectbox("Class", names, key="slider_class", width=220)
    label = found.labels.index(st.session_state["slider_class"])
    whole, crops = found.whole[label], found.crops[label]
    apart = np.abs(whole - crops)
    border = ~found.inside
    charts.show(
        figures.class_maps(
            [("one pass", whole), ("crop by crop", crops), ("difference", apart)], border
        ),
        "overfeat_maps",
        f"Probability of {short(found.labels[label])} at every place",
    )
    grid = found.grid
    st.markdown(
        f"{found.places} places, {grid.stride} pixels apart; a crop has {grid.crop} x {grid.crop} "
        f"pixels. Mean difference {_mean(apart, found.inside)} where no padding is needed (inside "
        f"the dashed frame), {_mean(apart, border)} at the border.  \n"
        f"**Why they differ:** the classifier pads each crop with zeros in every layer. In one "
        f"pass only the photo's own border is padded, and a place sees {grid.field} x "
        f"{grid.field} pixels, more than its crop. Without padding both are the same numbers."
    )
    one, many = found.multiply_adds
    fcn, crop = fcn_cost(), many / found.places
    st.dataframe(
        [
            _row("one pass", one, found.seconds[0], 1.0),
            _row(f"{found.places} crops", many, found.seconds[1], many / one),
        ],
        hide_index=True,
        width="stretch",
        column_config={
            "multiply-adds (M)": st.column_config.NumberColumn(format="%.3g"),
            "seconds": st.column_config.NumberColumn(format="%.3g"),
            "ratio": st.column_config.NumberColumn(format="%.0fx"),
        },
    )
    st.markdown(
        "**Segmentation** by sliding window runs the classifier on a crop around every pixel: "
        f"{crop / 1e6:.1f} M multiply-adds a pixel. A fully convolutional network (Long et al. "
        f"2015) computes the features once for all pixels: {fcn / 1e6:.3f} M a pixel (FCN-8s, "
        f"small), **{crop / fcn:,.0f} times** less."
    )


def _mean(values: np.ndarray, where: np.ndarray) -> str:
    chosen = values[where]
    return f"{np.nanmean(chosen):.3f}" if np.isfinite(chosen).any() else "unknown (no such place)"


def _row(what: str, adds: float, seconds: float, ratio: float) -> dict[str, Any]:
    return {
        "what": what,
        "multiply-adds (M)": adds / 1e6,
        "seconds": seconds,
        "ratio": ratio,
    }
