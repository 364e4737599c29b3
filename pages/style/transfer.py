"""Style transfer: the picture grows between the two losses; stop, go on, take back."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from functools import partial

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.shared import downloads, engine, frame, model_picker, photos, state
from pages.shared.guard import guarded
from pages.style import held, sight, sources
from vision_core import devices
from vision_core.figures import style as figures
from vision_core.figures.encode import png
from vision_core.images import Photo
from vision_core.models import Model
from vision_core.style.cost import seconds_of_step
from vision_core.style.reader import Reader
from vision_core.style.settings import (
    CONTENT_LAYERS,
    MOST_STEPS,
    OPTIMISERS,
    SIDES,
    STARTS,
    STYLE_LAYERS,
    StyleSettings,
)
from vision_core.style.transfer import StyleRun

_LENGTHS = (20, 50, 100, 200, 500)


def fields() -> tuple[state.Field, ...]:
    """The fields of this section."""
    return (*photos.fields(), *sources.fields(), model_picker.device_field(), *_dials())


def _dials() -> tuple[state.Field, ...]:
    def among(values: tuple[int, ...]) -> object:
        return lambda text: int(state.one_of(map(str, values))(text))

    return (
        state.Field("style_layers", list(STYLE_LAYERS), _some, ",".join),
        state.Field("content_layers", list(CONTENT_LAYERS), _some, ",".join),
        state.Field("style_power", 2.0, state.number(-1, 5), "{:g}".format),
        state.Field("smooth", 0.0, state.number(0, 50), "{:g}".format),
        state.Field("method", "lbfgs", state.one_of(OPTIMISERS)),
        state.Field("start", "content", state.one_of(STARTS)),
        state.Field("average", True, state.flag, lambda v: str(int(v))),
        state.Field("grow_side", 192, among(SIDES)),  # type: ignore[arg-type]
        state.Field("grow_steps", 50, among(_LENGTHS)),  # type: ignore[arg-type]
        state.Field("style_seed", 0, state.whole(0, 9999)),
    )


def _some(text: str) -> list[str]:
    names = [f"relu{i}_{j}" for i in range(1, 6) for j in range(1, 5)]
    return state.some_of(names)(text)


def show() -> None:
    """Pickers in the rail, then the picture."""
    with st.sidebar:
        entry = photos.pick()
        style = sources.pick()
        card = sources.pick_network()
        model_picker.pick_device()
    content = frame.photo_of(entry)
    model = model_picker.load(card)
    if model is None:
        return
    with st.sidebar:
        settings = _settings(model)
    if content is None or style is None:
        if style is None:
            st.info("No style picture yet: give one in the rail.", icon=":material/palette:")
        return
    key = (model.fingerprint, content.sha256, style.sha256, settings)
    asked = _Asked(model, content, style, settings, key)
    _begin(asked, st.empty())
    mine, run = held.own(), held.run_of(key)
    if mine.until is not None and run is None:
        held.stop()  # the photos or settings were changed while it grew
    running = mine.until is not None
    if run is not None and not running:
        run.settle()  # or the buttons speak of a step less than the picture
    _buttons(asked, run, running)
    live = st.fragment(_live, run_every=held.EVERY if running else None)
    live(content, style, key)


def _settings(model: Model) -> StyleSettings:
    layers = Reader(model).layers
    for name, usual in (("style_layers", STYLE_LAYERS), ("content_layers", CONTENT_LAYERS)):
        if any(layer not in layers for layer in st.session_state[name]):
            state.put(name, [n for n in usual if n in layers])
    with st.expander("Layers and weights", icon=":material/tune:", expanded=True):
        st.multiselect("Style layers", layers, key="style_layers", placeholder="none")
        st.multiselect("Content layers", layers, key="content_layers", placeholder="none")
        st.slider(
            "Style weight, 10 to the power of",
            -1.0,
            5.0,
            step=0.5,
            key="style_power",
            help="Against a content weight of 1.",
        )
        st.slider("Smoothness (total variation)", 0.0, 50.0, step=1.0, key="smooth")
    with st.expander("How it grows", icon=":material/tune:"):
        st.selectbox(
            "Optimiser", list(OPTIMISERS), key="method", format_func=OPTIMISERS.__getitem__
        )
        st.selectbox("Begins with", list(STARTS), key="start", format_func=STARTS.__getitem__)
        st.toggle(
            "Average pooling", key="average", help="In place of max pooling, as in the paper."
        )
        st.selectbox("Longer side, pixels", SIDES, key="grow_side")
        st.number_input("Seed of the noise", 0, 9999, key="style_seed")
    value = st.session_state
    return StyleSettings(
        content_layers=tuple(n for n in layers if n in value["content_layers"]),
        style_layers=tuple(n for n in layers if n in value["style_layers"]),
        style_weight=10.0 ** value["style_power"],
        smoothness=float(value["smooth"]),
        optimiser=value["method"],
        start=value["start"],
        seed=int(value["style_seed"]),
        average=bool(value["average"]),
        side=int(value["grow_side"]),
    )


@st.cache_data(max_entries=256, show_spinner=False)
def _cost(who: Hashable, _model: Model, settings: StyleSettings, size: tuple[int, int]) -> float:
    return seconds_of_step(_model, settings, size)


@dataclass(frozen=True)
class _Asked:
    """What a picture is begun with."""

    model: Model
    content: Photo
    style: Photo
    settings: StyleSettings
    key: Hashable


def _buttons(asked: _Asked, run: StyleRun | None, running: bool) -> None:
    row = st.container(horizontal=True, gap="small", vertical_alignment="bottom")
    # always there: one that comes back would show its first number, whatever is chosen
    length = row.selectbox("Steps", _LENGTHS, key="grow_steps", width=100, disabled=running)
    if running:
        row.button("Stop", key="style_stop", icon=":material/stop:", on_click=held.stop)
        row.caption(f"Until step {held.own().until}{engine.queue_words()}")
        return
    end = min((0 if run is None else run.step) + int(length), MOST_STEPS)
    row.button(
        "Start" if run is None else "Go on",
        key="style_go",
        type="primary",
        icon=":material/play_arrow:",
        on_click=_start,
        args=(asked.key, end),
        disabled=run is not None and run.step >= MOST_STEPS,
    )
    if run is not None and run.back_to:
        row.selectbox("Take back to step", run.back_to, key="style_back_to", width=160)
        row.button(
            "Take back", key="style_back", icon=":material/undo:", on_click=_back, args=(asked.key,)
        )
    model, size = asked.model, (asked.content.width, asked.content.height)
    each = _cost((model.fingerprint, str(model.device)), model, asked.settings, size)
    told = f"A step takes about {each:.2g} s, {length} of them {max(1, round(each * length))} s."
    row.caption(f"{told} You can stop and go on.")


def _start(key: Hashable, end: int) -> None:
    held.own().wish = (key, end)


def _begin(asked: _Asked, place: DeltaGenerator) -> None:
    """Do what Start was pressed for: the network reads both photos, a large one for seconds."""
    mine = held.own()
    if mine.wish is not None and mine.wish[0] == asked.key:
        parts = (asked.model, asked.content, asked.style, asked.settings)
        words = f"{asked.model.card.title} reads both pictures{engine.queue_words()} …"
        with guarded("starting the picture"), place, st.spinner(words, show_time=True):
            held.begin(asked.key, partial(StyleRun, *parts))
            mine.until = mine.wish[1]
    mine.wish = None


def _back(key: Hashable) -> None:
    with guarded("taking steps back"):
        run = held.run_of(key)
        if run is not None:
            run.go_back(int(st.session_state["style_back_to"]))
            held.grown(run)


def _live(content: Photo, style: Photo, key: Hashable) -> None:
    """A slice of growing if it is on, then everything that can be seen."""
    run = held.run_of(key)
    if run is None:
        left, right = st.columns(2, gap="small")
        left.html(sight.large(content.pixels, "The content photo", 460))
        left.caption("Content: where things are, as a late layer sees it.")
        right.html(sight.large(style.pixels, "The style picture", 320))
        right.caption("Style: which channels are active together, at any place.")
        return
    with guarded("growing the picture"):
        # Drawn first: what waits for a long step to be drawn anew turns pale meanwhile.
        _draw(run)
        if _slice(run):
            st.rerun()  # the buttons stand outside of what is drawn again


def _slice(run: StyleRun) -> bool:
    """Grow for a while if it is on; whether it has come to its end just now."""
    mine = held.own()
    if mine.until is None:
        return False
    try:
        if run.step < mine.until:
            with devices.patiently():
                # Stop is heard by another run of the page, which draws what is there then.
                run.advance(held.SLICE, mine.until, lambda: mine.until is not None)
            held.grown(run)
    except Exception:
        held.stop()
        raise
    if run.step >= mine.until:
        held.stop()
        return True
    return False


def _draw(run: StyleRun) -> None:
    last = run.history[-1]
    left, right = st.columns([3, 2], gap="medium")
    with left:
        st.html(sight.large(run.picture, f"The picture after step {last.number}"))
    with right:
        st.markdown(
            f"Step **{last.number}** &ensp; content loss **{last.content:.3g}** &ensp; style loss "
            f"**{last.style:.3g}**"
        )
        series = {
            "content": [(h.number, h.content) for h in run.history],
            "style": [(h.number, h.style) for h in run.history],
        }
        st.html(
            figures.loss_curves(series, "Content loss and style loss by step", sight.wide(460, 700))
        )
        st.html(figures.picture(run.pattern, "The style picture", sight.wide(130, 220)))
        st.caption("Style")
    if held.own().until is None:
        _grams(run)
        _files(run)


def _grams(run: StyleRun) -> None:
    layers = run.settings.style_layers
    if not layers:
        return
    if st.session_state.get("gram_layer") not in layers:
        st.session_state["gram_layer"] = layers[0]
    st.segmented_control("Gram matrices of", layers, key="gram_layer", required=True)
    drawn = figures.gram_pictures(run.grams(st.session_state["gram_layer"]))
    words = {"style": "Style", "result": "The picture", "content": "Content photo"}
    for place, (name, title) in zip(st.columns(3, gap="small"), words.items(), strict=True):
        place.html(figures.picture(drawn[name], f"Gram matrix: {title}", sight.wide(250, 560)))
        place.caption(title)
    st.caption(
        "Row i, column j: the mean over all places of channel i times channel j (square root, one "
        "scale for the three). The picture's matrix grows like that of the style."
    )


def _files(run: StyleRun) -> None:
    downloads.buttons(
        f"style_step_{run.step}",
        {
            "Picture (PNG)": (".png", lambda: png(run.picture), "image/png"),
            "Losses": ("_losses.json", lambda: downloads.as_json(run.record()), "application/json"),
        },
    )
