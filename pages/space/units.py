"""Section "Units": the patches of the gallery that excite a channel most."""

from __future__ import annotations

import numpy as np
import streamlit as st

from pages import navigation
from pages.shared import shell, state, tile_view
from pages.space.asked import Asking, query_of
from vision_core.figures.space import thumbnail
from vision_core.space.patches import Fields, Patch, strongest

_COUNT, _ROW, _SIDE = 12, 6, 112
_OFFERED = 8


def show(asking: Asking) -> None:
    """The channel, its patches, and where else the unit can be looked at."""
    channels = asking.found.peaks.shape[1]
    if int(st.session_state["channel"]) >= channels:
        st.session_state["channel"] = 0
    query = query_of(asking)
    top = np.argsort(-query.vector, kind="stable")[:_OFFERED]
    number, offered = st.columns([1, 4], vertical_alignment="bottom")
    number.number_input(f"Channel, 0 to {channels - 1}", 0, channels - 1, step=1, key="channel")
    with offered:
        row = st.container(horizontal=True, gap="small", vertical_alignment="center")
        row.markdown(f"Strongest for {query.words if query.item is None else 'the picture'}:")
        for channel in top:
            row.button(
                f"{channel}",
                key=f"space_channel_{channel}",
                on_click=state.put,
                args=("channel", int(channel)),
            )
    channel = int(st.session_state["channel"])
    patches = strongest(
        asking.model,
        [p.photo for p in asking.pictures],
        asking.found,
        channel,
        _COUNT,
        _fields(asking),
    )
    _sheet(asking, patches, channel)
    first = patches[0]
    width, height = first.pixels.shape[1], first.pixels.shape[0]
    st.caption(
        f"Channel {channel} of {asking.layer}, strongest first, one patch for each picture: from "
        f"{first.value:.3g} down to {patches[-1].value:.3g}. A patch is all that the unit can see, "
        f"cut at the picture's edge (the first {width} x {height} pixels). This page's address is "
        "that of the unit."
    )
    asked = state.link(layer=asking.layer, channel=str(channel))
    navigation.link("activations", "This channel on the photo", "stacks", asked)


def _fields(asking: Asking) -> Fields:
    """Receptive fields, kept for a session as long as the network stays the same."""
    held = st.session_state.get("_space_fields")
    key = (asking.model.name, asking.model.fingerprint, str(asking.model.device))
    if held is None or held[0] != key:
        held = st.session_state["_space_fields"] = (key, Fields(asking.model))
    found: Fields = held[1]
    return found


def _sheet(asking: Asking, patches: list[Patch], channel: int) -> None:
    tiles = np.stack([thumbnail(patch.pixels, _SIDE) for patch in patches])
    words = [
        f"{patch.value:.3g} in {asking.pictures[patch.index].name}, row {patch.row}, column "
        f"{patch.column}"
        for patch in patches
    ]
    ids = [patch.index for patch in patches]
    what, share = f"patches that excite channel {channel}", 0.7 * min(1.0, len(ids) / _ROW)
    row = _ROW // 2 if shell.on_phone() else _ROW
    picked = tile_view.show("space_patches", tiles, words, ids, -1, row, what, share)
    if picked is not None:
        state.put("item", picked)
        st.rerun()
