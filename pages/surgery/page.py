"""Surgery: a network before and after something was taken out of it or changed."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.shared import downloads, engine, frame, model_picker, photos, state
from pages.shared.guard import guarded
from pages.shared.plain import plain, sentence, short
from pages.surgery import dials, pictures, subsets
from vision_core.errors import UserError
from vision_core.images import Photo
from vision_core.inference import Trace
from vision_core.inference.cache import ByteLRU, nbytes_of
from vision_core.models import Model
from vision_core.surgery import Plan
from vision_core.surgery.operate import operate, own_bytes, traced
from vision_core.surgery.report import differs, in_words

FIRST = "resnet_s"
_LEDE = (
    "Skip **residual blocks**, silence channels, replace the ReLU, quantise the weights: what is "
    "left of the answer? n residual blocks make 2ⁿ paths; take a block out, and the others still "
    "answer (Veit et al. 2016)."
)
_TABS = ("What differs", "All subsets of blocks")
_CACHE_BYTES = 512 * 2**20
Cut = tuple[Model, Trace, int]


@st.cache_resource(show_spinner=False)
def _cut() -> ByteLRU[Cut]:
    """Operated networks and what they said, for everybody; counted with what is their own."""
    return ByteLRU(_CACHE_BYTES, lambda held: held[2] + nbytes_of(held[1]), "operated networks")


def main() -> None:
    """The page: dials, then the two results beside each other, then what differs."""
    frame.top().html(frame.words("Surgery", _LEDE))
    with st.sidebar:
        entry = photos.pick()
        card = model_picker.pick(FIRST)
    outer = (frame.PRESENT, *photos.fields(), *model_picker.fields(FIRST))
    state.write(*outer)
    notes = st.container()
    photo = frame.photo_of(entry)
    model = model_picker.load(card)
    if photo is not None and model is not None:
        _show(model, photo, outer)
    with notes:
        state.show_notes()


# No fragment: a move of a dial or Stop must interrupt a run of all subsets, and the wish to draw a
# fragment anew waits until what is being drawn has ended.
def _show(model: Model, photo: Photo, outer: tuple[state.Field, ...]) -> None:
    with guarded(f"operating on {model.name} with {short(photo.name)}"):
        used = dials.fields(model)
        state.use(*used)
        plan = dials.controls(model)
        before = _untouched(model, photo)
        extra = (*pictures.fields(before), *subsets.fields(model))
        state.use(*extra)
        try:
            cut, after = _operated(model, photo, plan)
        except UserError as error:
            st.warning(sentence(str(error)), icon=":material/report:")
            state.write(*outer, *used, *extra)
            return
        pair = (pictures.made(model, photo, before), pictures.made(cut, photo, after))
        told = differs(*pair, model.card)
        _headline(plan, told, used)
        pictures.show(photo, model, pair)
        state.write(*outer, *used, *extra)
        _below(model, photo, plan, pair, told)


def _untouched(model: Model, photo: Photo) -> Trace:
    if engine.is_traced(model, photo):
        return engine.trace_of(model, photo)
    words = f"Running {model.card.title} on {plain(photo.name)}{engine.queue_words()} …"
    with st.spinner(words, show_time=True):
        return engine.trace_of(model, photo)


def _operated(model: Model, photo: Photo, plan: Plan) -> tuple[Model, Trace]:
    """The operated network and its trace, made once for all who ask for it."""
    key = (*engine.key_of(model, photo), plan)

    def make() -> Cut:
        cut = operate(model, plan)
        found = traced(cut, photo)
        return cut, found, own_bytes(cut, model)

    cut, found, _ = _cut().get_or_make(key, make)
    return cut, found


def _headline(plan: Plan, told: dict[str, Any], used: tuple[state.Field, ...]) -> None:
    """What was done and what differs, and the way back."""
    done = f"**Done:** {sentence(plan.words)}." if plan else "Nothing is done yet."
    words, button = st.columns([6, 1.3], vertical_alignment="center")
    words.markdown(f"{done}  \n**{sentence(in_words(told))}**")
    button.button(
        "Undo all",
        icon=":material/undo:",
        key="undo_all",
        on_click=state.reset,
        args=used,
        disabled=not plan,
        width="stretch",
    )


def _below(
    model: Model, photo: Photo, plan: Plan, pair: pictures.Pair, told: dict[str, Any]
) -> None:
    for title, tab in zip(
        _TABS, st.tabs(list(_TABS), key="surgery_tabs", on_change="rerun"), strict=True
    ):
        if not tab.open:
            continue
        with tab:
            if title == _TABS[0]:
                pictures.numbers(pair, told)
            else:
                subsets.show(model, photo, pair[0])
    record = {"model": model.name, "operations": plan.record(), "differs": told}
    downloads.buttons(
        photo.name,
        {
            "Numbers": (
                "_surgery.json",
                lambda: downloads.as_json(record),
                "application/json",
            )
        },
    )
