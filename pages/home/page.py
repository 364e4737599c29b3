"""The start page: what this is, one button, the upload, and every page with a picture."""

from __future__ import annotations

import base64
import importlib
from functools import cache
from pathlib import Path

import streamlit as st

from pages import navigation
from pages.shared import caps, frame, state

_PICTURES = Path(__file__).resolve().parents[2] / "assets" / "cards"
_UPLOADED = "start_files"


def main() -> None:
    """The page: one way in, then every page with a picture and a line about it."""
    frame.top().title("ConvScope", anchor=False)
    st.markdown(
        "See what a convolutional network predicts on **your own photo**: why each box is there, "
        "why another is not, and what every threshold does while you move it."
    )
    _ways_in()
    for title, entries in navigation.SECTIONS.items():
        st.markdown(f"#### {title}")
        _cards(entries)
    left, right, last = st.columns(3, gap="large")
    left.markdown(
        "**Works without a network.** The *bundled* models are part of ConvScope. The full-size "
        "torchvision models are downloaded only when you ask for one."
    )
    right.markdown(
        "**Links keep the view.** Photo, model and thresholds stand in the address bar: copy it, "
        "and it opens the same view again. Photos that you upload stay in your own browser "
        "session and go when it ends."
    )
    last.markdown(
        "**Light or dark.** The menu with three dots at the top right switches the theme. The "
        "**Present** switch of a page makes everything larger for a lecture hall."
    )
    state.write(frame.PRESENT)


def _ways_in() -> None:
    """A button on a real picture, and the upload beside it."""
    picture, ways = st.columns([4, 6], gap="large", vertical_alignment="center")
    picture.html(_picture("predictions", "The cat of the sample photos with the boxes around it"))
    with ways:
        if st.button(
            "Show me the cat",
            type="primary",
            icon=":material/pets:",
            key="start",
            width="stretch",
            help="Runs the object detector on this photo.",
        ):
            navigation.go("predictions", state.link(source="sample", photo="cat"))
        st.file_uploader(
            "Or use your own photo",
            type=caps.PHOTO_TYPES,
            max_upload_size=caps.PHOTO_FILE_MB,
            accept_multiple_files=True,
            key=_UPLOADED,
        )
    if st.session_state.get(_UPLOADED):
        # imported here, since it brings PyTorch, for which this page does not wait
        importlib.import_module("pages.shared.photos").take(st.session_state[_UPLOADED])
        navigation.go("predictions", state.link())


def _cards(entries: tuple[navigation.Entry, ...]) -> None:
    """Pages beside each other, each with a picture of it."""
    with st.container(horizontal=True, gap="medium"):
        for entry in entries:
            with st.container(border=True, width=_CARD, key=f"card_{entry.name}"):
                st.html(_picture(entry.name, ""))
                navigation.link(entry.name, f"**{entry.title}**", entry.icon, state.link())
                st.caption(entry.line)


_CARD = 262  # pixels; five stand beside each other at 1,440


@cache
def _picture(name: str, words: str) -> str:
    """A page's picture as HTML; its words stand below it where ``words`` is empty."""
    data = base64.b64encode((_PICTURES / f"{name}.png").read_bytes()).decode()
    return (
        f"<img src='data:image/png;base64,{data}' alt='{words}' width='320' height='180' "
        "style='width:100%;height:auto;display:block;border-radius:0.4rem'>"
    )
