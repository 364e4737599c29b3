"""The randomisation test of Adebayo et al. 2018, beside the maps that it tests."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from pages.widgets import map_view
from pages.widgets.map_view import title
from vision_core.attribution import Attribution
from vision_core.attribution.sanity import edges, similarity
from vision_core.images import Photo


def show(
    photo: Photo, trained: list[Attribution], random: list[Attribution], at: Any = st
) -> None:
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
        rows.append({"method": name, "signed": to_random.signed, "absolute": to_random.absolute,
                     "edges": to_edges.absolute})  # fmt: skip
    st.dataframe(rows, hide_index=True, width="stretch", key="sanity", column_config={
        "signed": st.column_config.NumberColumn("rank correlation, signed", format="%.2f"),
        "absolute": st.column_config.NumberColumn("absolute", format="%.2f"),
        "edges": st.column_config.NumberColumn("with an edge detector", format="%.2f"),
    })
    st.caption(
        "Near 1: the map hardly depends on what these layers learned, as an edge detector would "
        "not. Guided backprop is known for it (Adebayo et al. 2018)."
    )
