"""Attribution: which parts of the photo drive a prediction, by several methods at once."""

from __future__ import annotations

import streamlit as st

from pages.widgets import engine, explaining, model_picker, photos, state
from pages.widgets.guard import guarded

_LEDE = (
    "<h1 class='unseen'>Attribution</h1><div class='lede'>A <b>saliency map</b> says how the score "
    "of one target would change with each pixel (Simonyan et al. 2014). Compare methods on one "
    "target, then make the top layers random: a map that stays the same shows edges, not what the "
    "network learned (Adebayo et al. 2018).</div>"
)


def main() -> None:
    """The page: pickers in the rail, then the maps."""
    state.open_page()
    present = state.Field("present", False, state.flag, lambda v: str(int(v)))
    state.use(present)
    lede, switch = st.columns([6, 1], vertical_alignment="top")
    lede.html(_LEDE)
    switch.toggle("Present", key="present")
    with st.sidebar:
        entry = photos.pick()
        card = model_picker.pick()
    outer = (present, *photos.fields(), *model_picker.fields())
    state.write(*outer)
    notes = st.container()
    model = model_picker.load(card)
    if entry is None:
        st.info("No photo yet: choose one on the left.", icon=":material/add_a_photo:")
    elif entry.photo is None:
        st.warning(entry.error, icon=":material/broken_image:")
    elif model is not None:
        with guarded(f"running {card.name} on {entry.photo.name}"):
            with st.spinner(f"Running {card.title} on {entry.photo.name} …"):
                trace = engine.trace_of(model, entry.photo)
            explaining.show(model, entry.photo, trace, outer)
    with notes:
        state.show_notes()
