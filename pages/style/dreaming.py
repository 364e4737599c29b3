"""DeepDream: the photo changes until a layer, or a channel of it, answers more strongly."""

from __future__ import annotations

from collections.abc import Hashable
from typing import NamedTuple

import numpy as np
import streamlit as st

from pages.shared import downloads, engine, frame, inside, model_picker, photos, state
from pages.shared.guard import guarded
from pages.shared.plain import short
from pages.style import sight
from vision_core import devices
from vision_core.errors import UserError
from vision_core.figures import style as figures
from vision_core.figures.encode import png
from vision_core.images import Photo
from vision_core.models import Model
from vision_core.style.dream import dream, pixels_of, seconds_of_pixel, sizes
from vision_core.style.settings import SIDES, DreamSettings

FIRST = "vgg_s"
_KEPT = "_dreamt"
_USUAL = DreamSettings(side=256)
_PARTS = (3, 2)
"""Widths of the picture and of what stands beside it."""


class _Dreamt(NamedTuple):
    """The last picture of the session, and what it is of."""

    of: Hashable
    picture: np.ndarray
    scores: list[tuple[int, float]]
    words: str


def fields() -> tuple[state.Field, ...]:
    """The fields of this section, but for the layer, which depends on the network."""
    return (
        *photos.fields(),
        *model_picker.fields(FIRST),
        state.Field("dream_channel", -1, state.whole(-1, 10**5)),
        state.Field("octaves", _USUAL.octaves, state.whole(1, 8)),
        state.Field("octave_scale", _USUAL.scale, state.number(1.1, 2), "{:g}".format),
        state.Field("dream_steps", _USUAL.steps, state.whole(1, 60)),
        state.Field("dream_rate", _USUAL.rate, state.number(0, 0.1), "{:g}".format),
        state.Field("dream_jitter", _USUAL.jitter, state.whole(0, 32)),
        state.Field(
            "dream_side",
            _USUAL.side,
            lambda text: int(state.one_of(map(str, SIDES))(text)),
        ),
    )


def show(used: list[state.Field]) -> None:
    """Pickers in the rail, then the picture.

    Args:
        used: gets the field of the layer.
    """
    with st.sidebar:
        entry = photos.pick()
        card = model_picker.pick(FIRST)
    model = model_picker.load(card)
    photo = frame.photo_of(entry)
    if model is None or photo is None:
        return
    with guarded(f"dreaming of {short(photo.name)} with {card.name}"):
        with st.spinner("Running the network …"):
            known = inside.layers((model.name, model.fingerprint, photo.sha256), model, photo)
        names = [name for name, shape in known.items() if max(shape[1:]) > 1]
        layer = state.Field("layer", names[len(names) * 2 // 3], state.one_of(names))
        state.use(layer)
        used.append(layer)
        with st.sidebar:
            settings = _settings(names, known)
        _work(model, photo, settings)


def _settings(names: list[str], known: dict[str, tuple[int, ...]]) -> DreamSettings:
    st.selectbox("Layer", names, key="layer", format_func=lambda n: f"{n} ({known[n][0]} channels)")
    st.number_input("Channel (-1: the whole layer)", -1, step=1, key="dream_channel")
    with st.expander("Octaves and steps", icon=":material/tune:", expanded=True):
        st.slider("Octaves", 1, 8, key="octaves", help="Sizes, from small to large.")
        st.slider("Scale between octaves", 1.1, 2.0, step=0.1, key="octave_scale")
        st.slider("Steps in each octave", 1, 60, key="dream_steps")
        st.slider("Step size", 0.0, 0.1, step=0.005, key="dream_rate", format="%.3f")
        st.slider("Jitter, pixels", 0, 32, key="dream_jitter")
        st.selectbox("Longer side, pixels", SIDES, key="dream_side")
    value = st.session_state
    return DreamSettings(
        octaves=int(value["octaves"]),
        scale=float(value["octave_scale"]),
        steps=int(value["dream_steps"]),
        rate=float(value["dream_rate"]),
        jitter=int(value["dream_jitter"]),
        side=int(value["dream_side"]),
    )


def _work(model: Model, photo: Photo, settings: DreamSettings) -> None:
    layer, channel = st.session_state["layer"], int(st.session_state["dream_channel"])
    only = None if channel < 0 else channel
    key = (model.fingerprint, str(model.device), photo.sha256, layer, only, settings)
    row = st.container(horizontal=True, gap="small", vertical_alignment="center")
    begun = row.button("Start", key="dream_go", icon=":material/play_arrow:", type="primary")
    row.button("Stop", key="dream_stop", icon=":material/stop:", help="Keeps the last picture.")
    row.caption(_cost(model, photo, layer, only, settings))
    kept: _Dreamt | None = st.session_state.get(_KEPT)
    if begun:
        _run(model, photo, layer, only, settings, key)
    elif kept is not None and kept.of == key:
        _draw(kept)
    else:
        left, _ = st.columns(_PARTS, gap="medium")  # as large as what grows from it
        left.html(sight.large(photo.pixels, "The photo"))
    kept = st.session_state.get(_KEPT)
    if kept is not None and kept.of == key:
        _files(kept, photo)


def _cost(
    model: Model, photo: Photo, layer: str, channel: int | None, settings: DreamSettings
) -> str:
    """Steps and seconds, in a sentence."""
    steps = settings.steps * len(sizes(photo.width, photo.height, settings))
    told = f"{steps} steps, each a pass forward and back"
    try:
        who = (model.fingerprint, str(model.device), layer, photo.width > photo.height)
        seconds = _pace(who, model, layer, channel, photo) * pixels_of(photo, settings)
    except UserError:  # why, is told when somebody starts it
        seconds = 0.0
    if seconds:
        about = f"{seconds / 60:.0f} min" if seconds >= 90 else f"{max(1, round(seconds))} s"
        told += f", about {about} on this machine"
    return f"Cost: {told}{engine.queue_words()}. You can stop."


@st.cache_data(max_entries=256, show_spinner=False)
def _pace(who: Hashable, _model: Model, _layer: str, _channel: int | None, _photo: Photo) -> float:
    return seconds_of_pixel(_model, _layer, _channel, _photo)


def _run(
    model: Model,
    photo: Photo,
    layer: str,
    channel: int | None,
    settings: DreamSettings,
    key: Hashable,
) -> None:
    """Show picture after picture; the last one stays in the session, also when stopped."""
    place, bar = st.empty(), st.progress(0.0)
    scores: list[tuple[int, float]] = []
    what = "mean square of the layer" if channel is None else f"mean of channel {channel}"
    with devices.patiently():
        for one in dream(model, photo, layer, channel, settings):
            scores.append((one.step, one.score))
            made = _Dreamt(key, one.picture, list(scores), f"{what}: {one.score:.3g}")
            st.session_state[_KEPT] = made
            if one.step % 2 == 0 or one.step == one.total:
                with place.container():
                    _draw(made)
            text = f"octave {one.octave} of {one.octaves}, step {one.step} of {one.total}"
            bar.progress(one.step / one.total, text=text)
    bar.empty()


def _draw(made: _Dreamt) -> None:
    left, right = st.columns(_PARTS, gap="medium")
    left.html(sight.large(made.picture, "The photo as the network was made to see it"))
    with right:
        st.markdown(f"Step **{made.scores[-1][0]}** &ensp; {made.words}")
        what, wide = "The answer of the layer by step", sight.wide(460, 700)
        st.html(figures.loss_curves({"answer": made.scores}, what, wide))


def _files(made: _Dreamt, photo: Photo) -> None:
    told = {"score": made.words, "steps": made.scores}
    downloads.buttons(
        f"{photo.name}_dream",
        {
            "Picture (PNG)": ("_dream.png", lambda: png(made.picture), "image/png"),
            "Numbers": ("_dream.json", lambda: downloads.as_json(told), "application/json"),
        },
    )
