"""Section "Map": the gallery in two dimensions, with the photo placed into it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import streamlit as st

from pages.shared import charts, downloads, state
from pages.shared.plain import plain
from pages.space import long_work, nearby
from pages.space.asked import Asking, Query, query_of
from vision_core.errors import UserError
from vision_core.figures.space import dot_map, picture_map
from vision_core.inference.cache import ByteLRU
from vision_core.space import maps
from vision_core.space.maps import Embedding

KINDS = {"pca": "PCA", "tsne": "t-SNE"}
_STEP = 1.2e-8
"""Seconds of a step of t-SNE for each pair of points, about."""
_PHOTO = "your photo"


@st.cache_resource(show_spinner=False)
def _held() -> ByteLRU[Embedding]:
    """Maps for everybody: coordinates without pictures."""
    return ByteLRU(16 * 2**20, lambda found: found.points.nbytes, "maps of galleries")


def show(asking: Asking) -> None:
    """The controls, the map, and the neighbours of what was clicked."""
    kind, dial = st.columns([1, 2], vertical_alignment="bottom")
    kind.segmented_control(
        "Map", tuple(KINDS), key="map", required=True, format_func=KINDS.__getitem__
    )
    if st.session_state["map"] == "pca":
        found = maps.pca(asking.found.means)
        query = query_of(asking)
        placed = found.place(query.vector[None])[0]
        words = (
            f"The two axes hold {found.share[0]:.0%} and {found.share[1]:.0%} of the variance of "
            f"the {asking.found.means.shape[1]} channels."
        )
        told = {"share_of_variance": [float(share) for share in found.share]}
        _map(asking, query, found.points, placed, words, told)
        return
    dial.slider("Perplexity (about how many neighbours count)", 2, 50, key="perplexity")
    _tsne(asking)


def _tsne(asking: Asking) -> None:
    """The map by t-SNE, once it is made.

    Raises:
        UserError: the gallery is too small.
    """
    count = len(asking.pictures)
    if count < 4:
        raise UserError(f"A t-SNE needs at least 4 pictures, and the gallery holds {count}.")
    wished = float(st.session_state["perplexity"])
    used = min(wished, maps.most_perplexity(count))
    made = _embedding(asking, used)
    if made is None:
        return
    query = query_of(asking)
    placed = maps.place(query.vector[None], asking.found.means, made.points)[0]
    words = (
        f"KL divergence {made.divergence:.3f} after {made.total} steps. Close pictures are close "
        "in the layer's space; the distance of far groups and the size of a group tell nothing "
        "(Wattenberg et al. 2016)."
        + (f" So few pictures allow a perplexity of {used:.1f} at most." if used < wished else "")
    )
    told = {"perplexity": used, "steps": made.total, "kl_divergence": made.divergence}
    _map(asking, query, made.points, placed, words, told)


def _embedding(asking: Asking, perplexity: float) -> Embedding | None:
    model, count = asking.model, len(asking.pictures)
    key = (model.name, model.fingerprint, asking.gallery, asking.layer, perplexity)
    found = _held().get(key)
    if found is not None:
        return found

    def steps() -> Iterator[Embedding]:
        for step in maps.tsne(asking.found.means, perplexity):
            if step.done == step.total:
                _held().put(key, step)
            yield step

    def draw(step: Embedding) -> None:
        if step.done % 100 == 0:
            st.plotly_chart(dot_map(step.points, asking.labels), config=charts.STILL)

    return long_work.last_of(
        ("tsne", *key),
        steps,
        label=f"Make the t-SNE of {count} pictures",
        cost=f"{maps.STEPS} steps over {count * (count - 1) // 2:,} pairs",
        seconds=maps.STEPS * (2e-4 + _STEP * 4 * count * count),
        told=lambda s: (
            s.done / s.total,
            f"Step {s.done} of {s.total}, KL divergence {s.divergence:.3f}",
        ),
        draw=draw,
    )


def _map(
    asking: Asking,
    query: Query,
    points: np.ndarray,
    placed: np.ndarray,
    words: str,
    told: dict[str, Any],
) -> None:
    """The pictures where they lie; the photo, where it is asked about, in a thick frame.

    Args:
        asking: the gallery and the layer.
        query: the photo, or the picture that was clicked.
        points: ``[pictures, 2]``, of the gallery.
        placed: ``[2]``, of the photo.
        words: on how good the map is.
        told: the same for the download.
    """
    pictures = [p.photo.pixels for p in asking.pictures]
    names, labels = [p.name for p in asking.pictures], asking.labels
    chosen = query.item
    if chosen is None:
        pictures, names = [*pictures, query.picture.photo.pixels], [*names, query.words]
        labels, points = [*labels, _PHOTO], np.concatenate([points, placed[None]])
        chosen = len(pictures) - 1
    event = charts.show(
        picture_map(points, pictures, labels, names, chosen, _PHOTO),
        "space_map",
        f"{len(pictures)} pictures as points",
        config=charts.ZOOMS,
        on_select="rerun",
        selection_mode="points",
    )
    _clicked(event, len(asking.pictures))
    frame = "the photo, placed into the map" if query.item is None else "the chosen picture"
    st.caption(
        f"{words} The thick frame is {frame}; every other frame has the colour of its class."
    )
    if query.item is not None:
        st.markdown(f"**{plain(query.picture.name)}**, class {plain(query.picture.label)}")
        st.button("Back to the photo", key="space_back", on_click=state.put, args=("item", -1))
    nearby.rows(asking, query, "euclidean", pixels=False)
    record = {
        "layer": asking.layer,
        "map": st.session_state["map"],
        **told,
        "pictures": [
            {"name": name, "class": label, "x": float(x), "y": float(y)}
            for name, label, (x, y) in zip(names, labels, points, strict=True)
        ],
    }
    downloads.buttons(
        "feature_space",
        {"Numbers": (".json", lambda: downloads.as_json(record), "application/json")},
    )


def _clicked(event: object, count: int) -> None:
    """A picture that was clicked just now is the one that is asked about."""
    points = event["selection"]["point_indices"] if event else []  # type: ignore[index]
    if points == st.session_state.get("_space_seen"):
        return
    st.session_state["_space_seen"] = list(points)
    if points:
        state.put("item", int(points[0]) if points[0] < count else -1)
        st.rerun()
