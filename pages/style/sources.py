"""What gives the style: a drawn pattern, a sample photo, or a picture of one's own."""

from __future__ import annotations

from typing import Any

import streamlit as st
from streamlit.runtime.uploaded_file_manager import DeletedFile

from pages.shared import caps, catalogue, model_picker, own_networks, photo_store, photos, state
from pages.shared.photo_store import Kept
from pages.shared.plain import plain, sentence
from vision_core import models, samples
from vision_core.images import Photo
from vision_core.models import Card
from vision_core.style.patterns import PATTERNS, pattern
from vision_core.style.reader import readable

KINDS = {"pattern": "Pattern", "sample": "Sample", "own": "Upload"}
FIRST = "vgg_s"
_OWN = "_style_own"


def networks() -> dict[str, Card]:
    """The VGG networks that are here: this session's, the bundled one, downloaded ones."""
    found = [c for c in catalogue.cards("classification") if readable(c)]
    return {c.name: c for c in found if models.status(c) != "downloadable"}


def fields() -> tuple[state.Field, ...]:
    """The fields of the style picture and the network."""
    return (
        state.Field("style_from", "pattern", state.one_of(KINDS)),
        state.Field("pattern", "mosaic", state.one_of(PATTERNS)),
        state.Field("style_photo", "flower", state.one_of(samples.names())),
        state.Field("vgg", FIRST, own_networks.parser(list(networks()))),
    )


def pick() -> Photo | None:
    """Draw the choice of a style picture and return it; ``None`` while there is none."""
    st.segmented_control(
        "Style",
        list(KINDS),
        key="style_from",
        format_func=KINDS.__getitem__,
        required=True,
        width="stretch",
    )
    kind = st.session_state["style_from"]
    if kind == "pattern":
        st.selectbox(
            "Pattern",
            list(PATTERNS),
            key="pattern",
            format_func=PATTERNS.__getitem__,
            label_visibility="collapsed",
        )
        return pattern(st.session_state["pattern"])
    if kind == "sample":
        st.selectbox(
            "Style photo",
            samples.names(),
            key="style_photo",
            format_func=lambda n: samples.info(n).title,
            label_visibility="collapsed",
        )
        return samples.sample(st.session_state["style_photo"])
    return _own()


def _own() -> Photo | None:
    st.file_uploader(
        "Style picture",
        type=caps.PHOTO_TYPES,
        max_upload_size=caps.PHOTO_FILE_MB,
        key="style_file",
        on_change=_take,
        label_visibility="collapsed",
    )
    kept: Kept | None = st.session_state.get(_OWN)
    if kept is None:
        st.caption("Give a picture whose style you like, such as a painting.")
        return None
    held = photo_store.entry(kept)
    if held.photo is None:
        st.warning(sentence(held.error or ""), icon=":material/broken_image:")
    else:
        st.caption(f"Style: {plain(kept.name)}")
    return held.photo


def _take() -> None:
    given: Any = st.session_state.get("style_file")
    if given is None or isinstance(given, DeletedFile):
        return
    for file in photos.allowed([given]):
        st.session_state[_OWN] = photo_store.keep(file.getvalue(), file.name)
        photo_store.release(file)


def pick_network() -> Card:
    """Draw the choice of a VGG network."""
    here = networks()
    st.selectbox(
        "Network",
        list(here),
        key="vgg",
        format_func=lambda name: model_picker.line(here[name], models.status(here[name])),
        help="The paper used VGG-19, which gives stronger textures than the small network. "
        "Download it on the page Models, and it stands here.",
    )
    return here[st.session_state["vgg"]]
