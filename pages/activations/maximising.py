"""Activation maximisation on the Activations page: from noise, or a picture for each facet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import streamlit as st

from pages import navigation
from pages.activations import facets
from pages.activations.facets import Climb
from pages.shared import inside, state
from pages.shared.guard import guarded
from vision_core import devices
from vision_core.attribution import Question, ask
from vision_core.errors import UserError
from vision_core.features.activations import Activations, view_of
from vision_core.features.maximise import FROM_NOISE, FROM_PICTURES, Regularisers, maximise
from vision_core.figures import png
from vision_core.images import Photo
from vision_core.inference import ClassificationTrace, Trace
from vision_core.models import Model
from vision_core.records.targets import ClassTarget
from vision_core.space.patches import Fields
from vision_core.space.pictures import gallery_key

_STARTS = {"noise": "noise: one picture", "facets": "pictures that excite it: several facets"}


@dataclass(frozen=True)
class Asked:
    """What a maximisation was made for; for anything else it is not shown.

    Attributes:
        of: identifies network and photo, layer, channel and class.
        words: the same for a reader.
        field: what the unit can see, x1, y1, x2, y2 in pixels of the network's input.
    """

    of: tuple[str | int | None, ...]
    words: str
    field: tuple[int, int, int, int] | None = None

    @property
    def depth(self) -> tuple[str | int | None, ...]:
        """Network and layer: what a pass costs."""
        kind, at = self.of[4:6]
        return (*self.of[:3], kind, at if kind == "unit" else None)


def climbing(model: Model, photo: Photo, trace: Trace, found: Activations, channel: int) -> None:
    """Activation maximisation of the channel's unit or a class; the way to DeepDream."""
    classes = isinstance(trace, ClassificationTrace)
    choice, go, stop = st.columns([4, 2, 2], vertical_alignment="bottom")
    with choice:
        kinds = ["this unit", "a class"] if classes else ["this unit"]
        what = st.radio("Maximise", kinds, key="climb_what", horizontal=True)
        label = None
        if isinstance(trace, ClassificationTrace) and what == "a class":
            label = st.selectbox("Class", [n for n, _ in trace.top(10**4)], key="climb_class")
        start = st.radio(
            "Start",
            list(_STARTS),
            key="climb_start",
            horizontal=True,
            format_func=_STARTS.__getitem__,
            help="A unit may answer to several kinds of things. Each facet starts from the mean of "
            "pictures of one kind that excite it (Nguyen, Yosinski and Clune 2016).",
        )
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

    def question() -> Question:
        if label is not None:
            return ask(model, photo, trace, ClassTarget(label))
        return inside.unit(model, photo, trace, found, channel)

    with guarded("maximising the activation"):
        if start == "noise":
            _one(asked, question, begun)
        else:
            _several(asked, question, model, photo, begun)
    navigation.link(
        "style",
        "The whole layer, from the photo: DeepDream",
        "palette",
        state.link(section="dream", layer=found.layer, task=model.card.task, model=model.name),
    )


def _one(asked: Asked, question: Callable[[], Question], begun: bool) -> None:
    """One picture, from noise."""
    with st.expander("Settings", icon=":material/tune:"):
        climb = _climb_settings(FROM_NOISE, "climb")
    st.caption(facets.cost(asked.depth, question, climb))
    if begun:
        _climb(asked, question(), climb)
    elif "climbed" in st.session_state and st.session_state["climbed"][0] == asked:
        _frame(*st.session_state["climbed"])


def _several(
    asked: Asked, question: Callable[[], Question], model: Model, photo: Photo, begun: bool
) -> None:
    """Several facets, each from pictures that excite the unit or class."""
    count, pictures = facets.dials(photo)
    with st.expander("Settings", icon=":material/tune:"):
        climb = _climb_settings(FROM_PICTURES, "facets")
    if not pictures:
        st.info(
            "The gallery is empty; upload photos, or choose another gallery.",
            icon=":material/photo_library:",
        )
        return
    st.caption(facets.cost(asked.depth, question, climb, count, len(pictures)))
    wanted = facets.Wanted(asked.of, gallery_key(pictures), count)
    if begun:
        facets.grow(wanted, question(), model, pictures, climb, asked.field)
    else:
        facets.show(facets.kept(wanted))
    if found := facets.kept(wanted):
        st.caption(
            f"{asked.words}. The pictures that excite it most are grouped by what the layer below "
            "(of a class: the last hidden layer) makes of them, t-SNE and k-means. Few pictures "
            "show few facets."
        )
        facets.files(found, photo.name)


def _climb_settings(usual: tuple[float, Regularisers], name: str) -> Climb:
    """Steps, their size, the seed and the regularisers.

    Args:
        usual: step size and regularisers that give a good picture.
        name: of the start, for the keys of what is usual only there.
    """
    size, keep = usual
    first, second, third = st.columns(3)
    with first:
        steps = st.slider("Steps", 8, 256, 64, step=8, key="climb_steps")
        rate = st.slider("Step size", 0.0, 0.5, size, step=0.01, key=f"{name}_rate")
        seed = int(st.number_input("Seed", 0, 10**6, 0, key="climb_seed"))
    with second:
        l2 = st.slider("L2 decay", 0.0, 0.2, keep.l2, step=0.005, key=f"{name}_l2", format="%.3f")
        blur = st.slider("Blur", 0.0, 3.0, keep.blur, step=0.1, key="climb_blur")
    with third:
        pixels = st.slider("Clip small pixels", 0.0, 0.9, 0.0, step=0.05, key="climb_pixels")
        parts = st.slider("Clip small contributions", 0.0, 0.9, 0.0, step=0.05, key="climb_parts")
        jitter = st.slider("Jitter (pixels)", 0, 32, keep.jitter, key="climb_jitter")
    return Climb(steps, rate, seed, Regularisers(l2, blur, pixels, parts, jitter))


def _asked(
    model: Model, photo: Photo, found: Activations, channel: int, what: str, label: str | None
) -> Asked:
    network = (model.name, model.fingerprint, str(model.device), photo.sha256)
    if label is not None:
        return Asked((*network, "class", label), f"Class {label} of {model.card.title}")
    return Asked(
        (*network, "unit", found.layer, channel),
        f"Channel {channel} of {found.layer} of {model.card.title}",
        _field((*network, found.layer, str(channel)), model, photo, found, channel),
    )


@st.cache_resource(max_entries=64, show_spinner=False)
def _field(
    who: tuple[str, ...], _model: Model, _photo: Photo, _found: Activations, _channel: int
) -> tuple[int, int, int, int] | None:
    """The receptive field of a channel's strongest unit inside the network's input.

    ``None`` where it is most of the input, or where the network cannot be followed.
    """
    values = _found.values[_channel]
    row, column = (int(i) for i in np.unravel_index(values.argmax(), values.shape))
    module, x, _, _ = view_of(_model, _photo)
    try:
        x1, y1, x2, y2 = Fields(_model).of_input(module, x, _found.layer, row, column)
    except UserError:
        return None
    height, width = x.shape[-2:]
    x1, y1, x2, y2 = max(x1, 0), max(y1, 0), min(x2, width), min(y2, height)
    return (x1, y1, x2, y2) if (x2 - x1) * (y2 - y1) < 0.5 * width * height else None


def _climb(asked: Asked, question: Question, climb: Climb) -> None:
    """Show picture after picture; the last one stays in the session, also when stopped."""
    place, bar = st.empty(), st.progress(0.0)
    scores: list[float] = []
    with devices.patiently():
        for frame in maximise(question, climb.steps, climb.rate, climb.seed, climb.keep):
            scores.append(frame.score)
            st.session_state["climbed"] = (asked, frame.picture, list(scores), frame.step)
            with place.container():
                _frame(*st.session_state["climbed"])
            bar.progress(frame.step / frame.total, text=f"step {frame.step} of {frame.total}")
    bar.empty()


def _frame(asked: Asked, picture: np.ndarray, scores: list[float], step: int) -> None:
    left, right = st.columns([2, 3])
    shown = facets.seen(picture, asked.field)
    part = "" if asked.field is None else ": what the unit can see, enlarged"
    left.image(png(shown), width=360, caption=asked.words + part)
    right.metric(_measured(asked, step), f"{scores[-1]:.3f}", f"{scores[-1] - scores[0]:+.3f}")
    kind = _measured(asked, step).partition(" after")[0]
    right.line_chart(scores, height=200, x_label="frame", y_label=kind.lower())


def _measured(asked: Asked, step: int) -> str:
    kind = "Class logit" if asked.of[4] == "class" else "Activation"
    return f"{kind} after {step} steps"
