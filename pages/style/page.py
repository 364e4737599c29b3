"""Style: the content of a photo in the style of another; DeepDream."""

from __future__ import annotations

import streamlit as st

from pages.shared import operator_page, state
from pages.shared.guard import guarded
from pages.style import dreaming, transfer

SECTIONS = {"transfer": "Style transfer", "dream": "DeepDream"}
_LEDES = {
    "transfer": "A **Gram matrix** tells which channels of a layer are active together, wherever "
    "that is: the style. The maps themselves tell where things are: the content. The picture is "
    "changed until it has both (Gatys et al. 2016). vgg_s gives weaker textures than VGG-19.",
    "dream": "**Gradient ascent** on the photo: what a layer sees a little of, it sees more of "
    "after each step. It is done at several sizes, the octaves (Mordvintsev et al. 2015).",
}


def main() -> None:
    """The page: a section, its pickers in the rail, its picture beside them."""
    _, lede, fields = operator_page.head("Style", SECTIONS)
    section = st.session_state["section"]
    operator_page.say(lede, _LEDES[section])
    used = [*(transfer.fields() if section == "transfer" else dreaming.fields())]
    state.use(*used)
    with guarded("making the picture"):
        if section == "transfer":
            transfer.show()
        else:
            dreaming.show(used)
    state.write(*fields, *used)
    operator_page.notes(lede)
