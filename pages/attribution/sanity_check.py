"""The randomisation test of Adebayo et al. 2018, beside the maps that it tests."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from pages.shared import map_view, maps
from pages.shared.growing import apart
from pages.shared.map_words import title
from vision_core.attribution import Attribution, Target
from vision_core.attribution.sanity import edges, similarity
from vision_core.images import Photo
from vision_core.inference import Trace
from vision_core.models import Model


def slider(model: Model, photo: Photo, trace: Trace, target: Target) -> tuple[int, int]:
    """Choose how many layers are random: how many there are, and how many there can be.

    Only layers that the target depends on count; another target may have fewer of them.
    """
    most = 0
    with apart("The sanity check", []):  # what is wrong with the target, every method says
        most = len(maps.layers_on_the_way(model, photo, trace, target))
    st.session_state["random"] = min(int(st.session_state["random"]), most)
    if most:
        st.slider(
            "Sanity check: random layers",
            0,
            most,
            key="random",
            help="Re-initialise this many layers with random weights, from the target back to the "
            "photo. Layers that the target does not depend on are skipped. A map that does not "
            "change does not depend on what the network has learned (Adebayo et al. 2018).",
        )
    return int(st.session_state["random"]), most


def show(photo: Photo, trained: list[Attribution], random: list[Attribution], at: Any = st) -> None:
    """Maps of a network with random layers, and how like those of the trained one they are.

    Args:
        photo: the photo.
        trained: maps of the trained network.
        random: maps of the same methods from its copy with random layers.
        at: where their chart stands.
    """
    pairs = {title(a): (a, b) for a in trained for b in random if title(a) == title(b)}
    if not pairs:
        st.info("No method could be compared.")
        return
    map_view.chart(photo, [b for _, b in pairs.values()], "random_maps", at)
    rows = []
    control = edges(photo)
    for name, (a, b) in pairs.items():
        x1, y1, x2, y2 = (round(v) for v in a.seen)
        part = (slice(y1, y2), slice(x1, x2))
        to_random = similarity(a.signed[part], b.signed[part])
        to_edges = similarity(np.abs(a.signed[part]), control[part])
        rows.append(
            {
                "method": name,
                "signed": to_random.signed,
                "absolute": to_random.absolute,
                "edges": to_edges.absolute,
            }
        )
    st.dataframe(
        rows,
        hide_index=True,
        width="stretch",
        key="sanity",
        column_config={
            "signed": st.column_config.NumberColumn("rank correlation, signed", format="%.2f"),
            "absolute": st.column_config.NumberColumn("absolute", format="%.2f"),
            "edges": st.column_config.NumberColumn("with an edge detector", format="%.2f"),
        },
    )
    st.caption(
        "Near 1: the map hardly depends on what these layers have learned. An edge detector does "
        "not depend on it at all. Guided backprop is known for this (Adebayo et al. 2018)."
    )
