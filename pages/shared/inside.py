"""What the Activations page is made of: maps of a layer, one channel, projection, maximisation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st

from pages.shared import state, tile_view
from pages.shared.guard import guarded
from vision_core.attribution import Question, ask
from vision_core.attribution.targets import ClassTarget, UnitTarget
from vision_core.features import activations as feature
from vision_core.features.activations import Activations
from vision_core.features.maximise import Regularisers, maximise
from vision_core.features.projection import PoolingSwitches, project
from vision_core.figures import png
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
from vision_core.inference import ClassificationTrace, Trace
from vision_core.inference.cache import ByteLRU
from vision_core.models import Model

SHOWN = 64
_PLOT = {"displayModeBar": False, "scrollZoom": True}


@st.cache_resource(show_spinner=False)
def _held() -> ByteLRU[Activations]:
    return ByteLRU(192 * 2**20, size=lambda a: a.values.nbytes)


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
    picked = tile_view.show("maps", tiles, words, path, chosen, 16)
    if picked is not None:
        state.put("channel", picked)
        st.rerun()
    scale = f"one scale, full colour at ± {whole:.3g}" if shared else "each on its own scale"
    more = (
        f"The {len(path)} strongest of {len(found.values):,} channels"
        if len(path) < len(found.values)
        else f"All {len(path)} channels"
    )
    st.caption(f"{more}, strongest first; {scale}; vermilion positive, blue negative, white zero.")


def one(photo: Photo, found: Activations, channel: int) -> None:
    """One channel large on the photo, and the values of the whole layer."""
    values = found.values[channel]
    limit = own_limit(values)
    import torch

    lit = found.window.to_photo(torch.from_numpy(values.copy())[None])
    drawn = over_photo(photo, signed_colours(lit, limit), 0.75)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        st.plotly_chart(
            panels([MapPanel(f"Channel {channel} of {found.layer}", drawn, limit)], 1, 420),
            key="large",
            config=_PLOT,
            width="stretch",
        )
    with right:
        zero = float((found.values == 0).mean())
        st.markdown(f"**All {found.values.size:,} activations of the layer**, {zero:.0%} exactly 0")
        st.plotly_chart(
            histogram(*feature.histogram(found.values)),
            key="histogram",
            config={"displayModeBar": False},
            width="stretch",
        )
        i, j = np.unravel_index(values.argmax(), values.shape)
        state.explain_link("Explain this unit", f"unit:{found.layer}:{channel},{i},{j}")
        st.caption(
            f"Channel {channel}: {values.min():.3g} to {values.max():.3g}, the largest at "
            f"row {i}, column {j}."
        )


def _unit(model: Model, photo: Photo, trace: Trace, found: Activations, channel: int) -> Question:
    i, j = np.unravel_index(found.values[channel].argmax(), found.values[channel].shape)
    return ask(model, photo, trace, UnitTarget(found.layer, channel, int(i), int(j)))


def projection(model: Model, photo: Photo, trace: Trace, found: Activations, channel: int) -> None:
    """The strongest activation of a channel, carried back to the pixels by the DeconvNet rule."""
    with guarded("projecting the activation"):
        question = _unit(model, photo, trace, found, channel)
        made = project(question)
        back = question.on_photo(made.values)
        limit = own_limit(back)
        drawn = by_colour(back, limit)
        st.plotly_chart(
            panels([MapPanel("Photo", photo.pixels), MapPanel("Projection", drawn, limit)], 2, 360),
            key="projection",
            config=_PLOT,
            width="stretch",
        )
        for i, pooling in enumerate(made.poolings):
            _switches(i, pooling)
        st.caption(
            f"The one activation {made.activation:.3g} of channel {channel}, alone in its layer, "
            "carried down by transposed convolutions; max pooling passes it to the place where the "
            "maximum was, and each ReLU passes what is positive (Zeiler and Fergus 2014)."
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
    st.plotly_chart(
        panels([MapPanel(title, shown, limit, words)], 1, 300),
        key=f"switches_{at}",
        config=_PLOT,
        width="stretch",
    )


def climbing(model: Model, photo: Photo, trace: Trace, found: Activations, channel: int) -> None:
    """Activation maximisation of the channel's unit or a class; DeepDream of the whole layer."""
    first, second, third = st.columns(3)
    with first:
        kinds = ["this unit, from noise", "the whole layer, from the photo"]
        if isinstance(trace, ClassificationTrace):
            kinds.append("a class, from noise")
        what = st.radio("Make larger", kinds, key="climb_what")
        label = None
        if isinstance(trace, ClassificationTrace) and what.startswith("a class"):
            label = st.selectbox("Class", [n for n, _ in trace.top(10**4)], key="climb_class")
        steps = st.slider("Steps", 8, 256, 64, step=8, key="climb_steps")
    with second:
        rate = st.slider("Step size", 0.0, 0.5, 0.06, step=0.01, key="climb_rate")
        l2 = st.slider("L2 decay", 0.0, 0.2, 0.01, step=0.005, key="climb_l2", format="%.3f")
        blur = st.slider("Blur", 0.0, 3.0, 0.5, step=0.1, key="climb_blur")
    with third:
        pixels = st.slider("Clip small pixels", 0.0, 0.9, 0.0, step=0.05, key="climb_pixels")
        parts = st.slider("Clip small contributions", 0.0, 0.9, 0.0, step=0.05, key="climb_parts")
        jitter = st.slider("Jitter, pixels", 0, 32, 4, key="climb_jitter")
    seed = int(st.number_input("Seed", 0, 10**6, 0, key="climb_seed"))
    go, stop = st.columns(2)
    begun = go.button(
        "Start", key="climb_go", icon=":material/play_arrow:", width="stretch", type="primary"
    )
    stop.button(
        "Stop",
        key="climb_stop",
        icon=":material/stop:",
        width="stretch",
        help="Keeps the last picture.",
    )
    asked = _asked(model, photo, found, channel, what, label)
    if begun:
        keep = Regularisers(l2, blur, pixels, parts, jitter)
        dream = what.startswith("the whole")
        question = (
            ask(model, photo, trace, ClassTarget(label))
            if label
            else _unit(model, photo, trace, found, channel)
        )
        _climb(asked, question, steps, rate, seed, keep, found.layer if dream else None)
    elif "climbed" in st.session_state and st.session_state["climbed"][0] == asked:
        _frame(*st.session_state["climbed"])


@dataclass(frozen=True)
class Asked:
    """What a maximisation was made for; for anything else it is not shown.

    Attributes:
        of: identifies network and photo, layer, channel and class.
        words: the same for a reader.
    """

    of: tuple[str | int | None, ...]
    words: str


def _asked(
    model: Model, photo: Photo, found: Activations, channel: int, what: str, label: str | None
) -> Asked:
    network = (model.name, model.fingerprint, str(model.device), photo.sha256)
    if label is not None:
        return Asked((*network, "class", label), f"Class {label} of {model.card.title}")
    if what.startswith("the whole"):
        return Asked(
            (*network, "layer", found.layer),
            f"Layer {found.layer} of {model.card.title}, from {photo.name}",
        )
    return Asked(
        (*network, "unit", found.layer, channel),
        f"Channel {channel} of {found.layer} of {model.card.title}",
    )


def _climb(
    asked: Asked,
    question: Question,
    steps: int,
    rate: float,
    seed: int,
    keep: Regularisers,
    layer: str | None,
) -> None:
    """Show picture after picture; the last one stays in the session, also when stopped."""
    place, bar = st.empty(), st.progress(0.0)
    scores: list[float] = []
    with guarded("maximising the activation"):
        for frame in maximise(question, steps, rate, seed, keep, layer is not None, 4, layer):
            scores.append(frame.score)
            st.session_state["climbed"] = (asked, png(frame.picture), list(scores), frame.step)
            with place.container():
                _frame(*st.session_state["climbed"])
            bar.progress(frame.step / frame.total, text=f"step {frame.step} of {frame.total}")
    bar.empty()


def _frame(asked: Asked, file: bytes, scores: list[float], step: int) -> None:
    left, right = st.columns([2, 3])
    left.image(file, width=360, caption=asked.words)
    right.metric(_measured(asked, step), f"{scores[-1]:.3f}", f"{scores[-1] - scores[0]:+.3f}")
    kind = _measured(asked, step).partition(" after")[0]
    right.line_chart(scores, height=200, x_label="frame", y_label=kind.lower())


def _measured(asked: Asked, step: int) -> str:
    kind = {"class": "Class logit", "layer": "Mean square of the layer"}.get(
        str(asked.of[4]), "Activation"
    )
    return f"{kind} after {step} steps"
