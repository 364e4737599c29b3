"""Attribution: which parts of the photo drive a prediction, by several methods at once."""

from __future__ import annotations

import streamlit as st

from pages.attribution import explaining, league
from pages.shared import engine, frame, model_picker, photos, state
from pages.shared.guard import guarded
from pages.shared.plain import plain, short

_LEDE = (
    "A **saliency map** says how the score "
    "of one target would change with each pixel (Simonyan et al. 2014). Compare methods on one "
    "target, then make the last layers random: a map that stays the same shows edges, not what the "
    "network learned (Adebayo et al. 2018)."
)
_LEAGUE = "All methods on this target, ranked by the scores of the papers."


def main() -> None:
    """The page: pickers in the rail, then the maps."""
    state.use(league.SWITCH)
    top = frame.top(lambda: st.toggle("League", key="league", help=_LEAGUE))
    competing = bool(st.session_state["league"])
    top.html(frame.words("Attribution", league.LEDE if competing else _LEDE))
    with st.sidebar:
        entry = photos.pick()
        card = model_picker.pick()
    outer = (frame.PRESENT, league.SWITCH, *photos.fields(), *model_picker.fields())
    state.write(*outer)
    notes = st.container()
    model = model_picker.load(card)
    photo = frame.photo_of(entry)
    if photo is not None and model is not None:
        with guarded(f"running {card.name} on {short(photo.name)}"):
            words = f"Running {card.title} on {plain(photo.name)}{engine.queue_words()} …"
            with st.spinner(words):
                trace = engine.trace_of(model, photo)
            (league if competing else explaining).show(model, photo, trace, outer)
    with notes:
        state.show_notes()
