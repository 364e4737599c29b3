"""What the Activations page is made of: maps of a layer, one channel, projection, maximisation."""

from __future__ import annotations

import numpy as np
import streamlit as st

from pages import navigation
from pages.shared import charts, state, tile_view
from pages.shared.guard import guarded
from vision_core.attribution import Question, ask
from vision_core.features import activations as feature
from vision_core.features.activations import Activations
from vision_core.features.projection import PoolingSwitches, project
from vision_core.figures.colours import INPUT, rgb
from vision_core.figures.saliency import (
    MapPanel,
    by_colour,
    over_photo,
    own_limit,
    panels,
    signed_colours,
)
from vision_core.figures.tiles import histogram
from vision_core.images import Photo
from vision_core.inference import Trace
from vision_core.inference.cache import ByteLRU
from vision_core.models import Model
from vision_core.records.targets import UnitTarget

SHOWN = 64


@st.cache_resource(show_spinner=False)
def _held() -> ByteLRU[Activations]:
    return ByteLRU(192 * 2**20, lambda a: a.values.nbytes, "activations")


@st.cache_resource(max_entries=64, show_spinner=False)
def layers(who: tuple[str, ...], _model: Model, _photo: Photo) -> dict[str, tuple[int, ...]]:
    """The layers with feature maps and their shapes; ``who`` names model and photo."""
    return feature.map_layers(_model, _photo)


def of(model: Model, photo: Photo, layer: str) -> Activations:
    """The activations of a layer, computed once for all who ask."""
    key = (model.name, model.fingerprint, str(model.device), photo.sha256, layer)
    return _held().get_or_make(key, lambda: feature.activations(model, photo, layer))


def sheet(found: Activations, chosen: int, shared: bool) -> None:
    """The strongest channels as tiles; a click chooses one."""
    path = found.strongest(SHOWN)
    maps = feature.grid(found.values, path)
    whole = own_limit(maps)
    tiles = np.stack([signed_colours(m, whole if shared else own_limit(m)) for m in maps])
    peaks = maps.reshape(len(maps), -1).max(1)
    words = [f"channel {c}, largest {p:.3g}" for c, p in zip(path, peaks, strict=True)]
    picked = tile_view.show("maps", tiles, words, path, chosen, 16, "maps")
    if picked is not None:
        state.put("channel", picked)
        st.rerun()
    scale = f"one scale, full colour at ± {whole:.3g}" if shared else "each on its own scale"
    more = (
        f"The {len(path)} strongest of {len(found.values):,} channels"
        if len(path) < len(found.values)
        else f"All {len(path)} channels"
    )
    st.caption(f"{more}, strongest first; {scale}. Orange is positive, blue negative, white zero.")


def one(photo: Photo, found: Activations, channel: int) -> None:
    """One channel large on the photo, and the values of the whole layer."""
    values = found.values[channel]
    limit = own_limit(values)
    import torch

    lit = found.window.to_photo(torch.from_numpy(values.copy())[None])
    drawn = over_photo(photo, signed_colours(lit, limit), 0.75)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        charts.show(
            panels([MapPanel(f"Channel {channel} of {found.layer}", drawn, limit)], 1, 420),
            "large",
            f"One channel over the photo, largest value {values.max():.3g}",
            config=charts.ZOOMS,
        )
    with right:
        zero = float((found.values == 0).mean())
        st.markdown(f"**All {found.values.size:,} activations of the layer**, {zero:.0%} exactly 0")
        charts.show(
            histogram(*feature.histogram(found.values)),
            "histogram",
            "How many activations have each value",
        )
        i, j = np.unravel_index(values.argmax(), values.shape)
        address = state.link(target=f"unit:{found.layer}:{channel},{i},{j}")
        navigation.link("attribution", "Explain this unit", "network_intelligence", address)
        st.caption(
            f"Channel {channel}: {values.min():.3g} to {values.max():.3g}, the largest at "
            f"row {i}, column {j}."
        )


def unit(model: Model, photo: Photo, trace: Trace, found: Activations, channel: int) -> Question:
    """The strongest unit of a channel as a target."""
    i, j = np.unravel_index(found.values[channel].argmax(), found.values[channel].shape)
    return ask(model, photo, trace, UnitTarget(found.layer, channel, int(i), int(j)))


def projection(model: Model, photo: Photo, trace: Trace, found: Activations, channel: int) -> None:
    """The strongest activation of a channel, carried back to the pixels by the DeconvNet rule."""
    with guarded("projecting the activation"):
        question = unit(model, photo, trace, found, channel)
        made = project(question)
        back = question.on_photo(made.values)
        limit = own_limit(back)
        drawn = by_colour(back, limit)
        charts.show(
            panels([MapPanel("Photo", photo.pixels), MapPanel("Projection", drawn, limit)], 2, 360),
            "projection",
            "The photo, and the pixels that the activation comes from",
            config=charts.ZOOMS,
        )
        for i, pooling in enumerate(made.poolings):
            _switches(i, pooling)
        st.caption(
            f"The one activation {made.activation:.3g} of channel {channel}, alone in its layer, "
            "carried back to the pixels by transposed convolutions. Max pooling passes it to the "
            "position of the maximum, each ReLU passes positive values (Zeiler and Fergus 2014)."
        )


def _switches(at: int, pooling: PoolingSwitches) -> None:
    """What went into a max pooling, and the places of its maxima that the projection used."""
    limit = own_limit(pooling.values)
    drawn = signed_colours(pooling.values, limit)
    drawn[pooling.switches] = rgb(INPUT)
    times = max(1, 360 // max(drawn.shape[:2]))
    shown = drawn.repeat(times, 0).repeat(times, 1)
    title = f"Max pooling {at + 1}, channel {pooling.channel}"
    words = f"{int(pooling.switches.sum())} switches in blue"
    charts.show(
        panels([MapPanel(title, shown, limit, words)], 1, 300),
        f"switches_{at}",
        "What went into the max pooling, with the positions of its maxima",
        config=charts.ZOOMS,
    )
