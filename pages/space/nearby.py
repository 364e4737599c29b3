"""Section "Neighbours": nearest pictures at a layer beside the nearest by pixels."""

from __future__ import annotations

import numpy as np
import streamlit as st

from pages.components import canvas
from pages.shared import dragged, shell, state, tile_view
from pages.shared.plain import plain
from pages.space.asked import THUMB, Asking, Query, pixels_of, query_of
from vision_core.figures.colours import KERNEL
from vision_core.figures.space import thumbnail
from vision_core.space.neighbours import METRICS, Metric, Nearest, agreement, nearest

_COUNT = 8


def show(asking: Asking) -> None:
    """The photo to drag a box on, and two rows of neighbours."""
    left, right = st.columns([2, 3], gap="medium")
    with left:
        _photo(asking)
    with right:
        query = query_of(asking)
        _asked(query)
        st.segmented_control("Distance", METRICS, key="metric", required=True)
        metric: Metric = st.session_state["metric"]
        rows(asking, query, metric)


def rows(asking: Asking, query: Query, metric: Metric, pixels: bool = True) -> None:
    """The nearest at the layer, and by pixels."""
    found = nearest(asking.found.means, query.vector, _COUNT, metric, query.item)
    _row(asking, query, found, f"Nearest at {asking.layer}", "space_near")
    if pixels:
        plainly = nearest(pixels_of(asking), query.pixels, _COUNT, metric, query.item)
        _row(asking, query, plainly, "Nearest by pixels", "space_pixels")
        st.caption("Pixels are compared at 32 x 32. Click a picture to ask for its own neighbours.")


def _photo(asking: Asking) -> None:
    box = dragged.box(asking.photo)
    canvas.picture(
        asking.photo,
        canvas.Scene(
            boxes=[] if box is None else [list(box)],
            ids=[] if box is None else [0],
            labels=[] if box is None else ["asked for"],
            scores=[] if box is None else [None],
            colours=[] if box is None else [KERNEL],
            dashes=[] if box is None else [()],
            captions=False,
            picks="pixels",
            asks="draw",
            description="The photo" + (" with the box that is asked for." if box else ", whole."),
        ),
        key="space_photo",
        present=shell.presenting(),
        on_ask=_drawn,
        on_pick=lambda pick: None,
    )
    if box is not None:
        st.button("Ask for the whole photo", key="space_whole", on_click=_whole)


def _drawn(place: list[float]) -> None:
    if len(place) == 4:
        state.put("drag", ",".join(f"{v:.0f}" for v in place))
        state.put("item", -1)


def _whole() -> None:
    state.put("drag", "")
    state.put("item", -1)


def _asked(query: Query) -> None:
    """What the neighbours are of."""
    if query.item is None:
        st.markdown(f"Neighbours of **{query.words}**.")
        return
    picture, words = st.columns([1, 5], vertical_alignment="center")
    picture.image(thumbnail(query.picture.photo.pixels, THUMB), width=THUMB)
    words.markdown(f"Neighbours of **{plain(query.words)}**, class {plain(query.picture.label)}.")
    words.button("Back to the photo", key="space_back", on_click=state.put, args=("item", -1))


def _row(asking: Asking, query: Query, found: Nearest, title: str, key: str) -> None:
    st.markdown(f"**{title}**" + _same(asking, query, found))
    tiles = np.stack([thumbnail(asking.pictures[i].photo.pixels, THUMB) for i in found.index])
    words = [
        f"{asking.pictures[i].name} ({asking.pictures[i].label}), distance {far:.3g}"
        for i, far in zip(found.index, found.distance, strict=True)
    ]
    ids = [int(i) for i in found.index]
    share = 0.55 * len(ids) / _COUNT  # a short row does not get larger pictures
    row = _COUNT // 2 if shell.on_phone() else _COUNT
    picked = tile_view.show(key, tiles, words, ids, -1, row, title, share)
    if picked is not None:
        state.put("item", picked)
        st.rerun()


def _same(asking: Asking, query: Query, found: Nearest) -> str:
    """How many have the class of a picture of the gallery."""
    if query.item is None:
        return ""
    share = agreement(asking.labels, found, query.picture.label)
    return f": {round(share * len(found.index))} of {len(found.index)} of its class"
