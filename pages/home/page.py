"""The landing page: what this is, and the way in."""

from __future__ import annotations

import streamlit as st

from pages import navigation
from pages.shared import frame, state


def main() -> None:
    """The page: one way in, then every page with a line about it."""
    words = frame.top()
    words.title("ConvScope")
    st.markdown(
        "See what a convolutional network predicts on **your own photo**: why each box is there, "
        "why another is not, and what every threshold does, while you move it."
    )
    navigation.link(
        "predictions",
        "**Show me the cat**: run the detector on a sample photo",
        "pets",
        state.link(source="sample", photo="cat"),
    )
    _table()
    left, right = st.columns(2, gap="large")
    left.markdown(
        "**Works without a network.** The models called *bundled* are in this repository; the "
        "full-size torchvision models are downloaded only when you ask for one."
    )
    right.markdown(
        "**Links keep the view.** Photo, model and thresholds stand in the address bar: copy it "
        "to your notes and it reopens the same view. Photos that you upload stay in your own "
        "browser session and are never stored."
    )
    state.write(frame.PRESENT)


def _table() -> None:
    for column, (title, entries) in zip(
        st.columns(3, gap="large"), navigation.SECTIONS.items(), strict=True
    ):
        with column:
            st.subheader(title, anchor=False)
            for entry in entries:
                navigation.link(entry.name, f"**{entry.title}**", entry.icon, state.link())
                st.caption(entry.line)
