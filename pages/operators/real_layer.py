"""Transposed convolutions of real networks; the section is left out while there is none."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from pages.components.player import player
from pages.shared import engine, operator_page, photos, state
from pages.shared.guard import guarded
from pages.shared.operator import keep_step
from pages.shared.plain import sentence
from vision_core import models
from vision_core.features import transposed
from vision_core.figures.saliency import own_limit, signed_colours
from vision_core.figures.stage import Stage
from vision_core.figures.stage_views import view_of
from vision_core.images import Photo
from vision_core.walkthroughs import build

_WHOLE = ("segmentation", "classification", "pose")  # their layers run on the whole picture
_PART = 3  # rows and columns of the input that are stepped through


@st.cache_resource(show_spinner=False)
def networks() -> dict[str, tuple[str, ...]]:
    """Bundled networks that have transposed convolutions, and the names of those layers."""
    found = {}
    for card in models.cards():
        if card.task in _WHOLE and models.status(card) == "bundled":
            names = transposed.layers(engine.load_model(card.name, "cpu").module)
            if names:
                found[card.name] = names
    return found


@st.cache_resource(max_entries=8, show_spinner=False)
def _captured(name: str, layer: str, sha: str, _photo: Photo) -> transposed.Captured:
    return transposed.capture(engine.load_model(name, "cpu"), _photo, layer)


def section(lede: Any, outer: tuple[state.Field, ...]) -> None:
    """A layer of a bundled network on the photo: maps, phases, and a part of it step by step."""
    operator_page.say(
        lede,
        "A layer that a network **learned**, at work on the photo. Look at the kernel: is it "
        "near the bilinear one that it may have started from? And do the places within a stride "
        "differ, as a checkerboard would make them?",
    )
    known = networks()
    with st.sidebar:
        entry = photos.pick()
    name_field = state.Field("network", next(iter(known)), state.one_of(known))
    state.use(name_field)
    st.sidebar.selectbox("Network", list(known), key="network")
    names = known[st.session_state["network"]]
    layer_field = state.Field("layer", names[0], state.one_of(names))
    step_field = state.Field("step", 0, state.whole(0, 10**6))
    state.use(layer_field, step_field)
    st.sidebar.selectbox("Layer", names, key="layer")
    used = (*outer, *photos.fields(), name_field, layer_field, step_field)
    if entry is None or entry.photo is None:
        st.info(sentence(entry.error or "") if entry else "No photo yet: choose one.")
    else:
        with guarded("running the layer"):
            found = _captured(
                st.session_state["network"],
                st.session_state["layer"],
                entry.photo.sha256,
                entry.photo,
            )
            _show(found)
    state.write(*used)


def _show(found: transposed.Captured) -> None:
    channel, index = found.strongest()
    kernel, out = found.weight[channel, index], found.output_channel(channel, index)
    maps = {f"input, channel {channel}": found.input[channel], "learned kernel": kernel}
    tent = found.bilinear()
    if tent is not None:
        maps["bilinear kernel"] = tent * kernel.sum() / tent.sum()
    maps[f"output, channel {out}"] = found.output[out]
    for column, (name, values) in zip(st.columns(len(maps)), maps.items(), strict=True):
        times = max(1, 320 // values.shape[1])
        picture = signed_colours(values, own_limit(values)).repeat(times, 0).repeat(times, 1)
        column.image(
            picture,
            caption=f"{name}, {values.shape[1]} x {values.shape[0]}",
            width="stretch",
            output_format="PNG",
        )
    o, phases = found.options, found.phases()
    spread = phases.max() / max(phases.min(), 1e-12) - 1
    st.markdown(
        f"**{found.layer}**: {found.input.shape[0]} to {found.output.shape[0]} channels, kernel "
        f"{kernel.shape[0]}x{kernel.shape[1]}, stride {o['stride']}, padding {o['padding']}. Mean "
        f"absolute output at the {phases.size} positions within a stride differs by up to "
        f"**{100 * spread:.1f} %**."
    )
    y, x = _liveliest(found.input[channel])
    part = found.input[channel][y : y + _PART, x : x + _PART]
    walk = build(
        "transposed_convolution",
        input=np.round(part.astype(float), 3),
        weight=np.round(kernel.astype(float), 4),
        stride=o["stride"],
        padding=o["padding"],
        output_padding=o["output_padding"],
        dilation=o["dilation"],
    )
    title = (
        f"Rows {y} to {y + part.shape[0] - 1}, columns {x} to "
        f"{x + part.shape[1] - 1} of channel {channel}: its share of the output"
    )
    stage = Stage((view_of(walk, title),))
    step = min(st.session_state["step"], len(stage.timeline) - 1)
    player(stage, key="real_layer", step=step, above=260, stem="real_layer", on_step=keep_step)


def _liveliest(values: np.ndarray) -> tuple[int, int]:
    """Where the part around the largest value starts."""
    row, column = np.unravel_index(int(np.abs(values).argmax()), values.shape)
    return (
        int(np.clip(row - 1, 0, max(values.shape[0] - _PART, 0))),
        int(np.clip(column - 1, 0, max(values.shape[1] - _PART, 0))),
    )
