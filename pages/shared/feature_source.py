"""Real feature maps for the operators' pages: the photo, a bundled network, a layer, a channel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st

from pages.shared import engine, inside, photos, state
from pages.shared.plain import sentence
from pages.shared.state import Field
from vision_core import models
from vision_core.images import Photo
from vision_core.models import Card

_FIRST = ("mask_rcnn_s", "faster_rcnn_s", "fcos_s")  # two-stage networks pool regions themselves


@dataclass(frozen=True, eq=False)
class Features:
    """One channel of a layer for a photo.

    Attributes:
        photo: what the network saw.
        card: of the network.
        layer: whose output it is.
        channel: its number; ``values`` is it, float32 [h, w].
        stride: pixels of the network's input per cell.
        scale: feature cells per pixel of the photo.
        fields: of the pickers, for the address bar.
    """

    photo: Photo
    card: Card
    layer: str
    channel: int
    values: np.ndarray
    stride: int
    scale: float
    fields: tuple[Field, ...]


def network() -> Card:
    """The bundled detector whose features are shown: a two-stage one where there is one."""
    here = {c.name: c for c in models.cards() if models.status(c) == "bundled"}
    named = [here[name] for name in _FIRST if name in here]
    return named[0] if named else next(iter(here.values()))


def pick(largest_stride: int = 32) -> Features | None:
    """Draw the pickers in the sidebar; ``None`` while there is no photo, after saying so.

    Args:
        largest_stride: layers with a larger one are not offered.
    """
    with st.sidebar:
        entry = photos.pick()
    if entry is None or entry.photo is None:
        st.info(
            sentence(entry.error or "") if entry else "No photo yet: choose one.",
            icon=":material/add_a_photo:",
        )
        return None
    card, photo = network(), entry.photo
    model = engine.load_model(card.name, "cpu")
    known = inside.layers((model.name, model.fingerprint, photo.sha256), model, photo)
    seen = inside.of(model, photo, next(iter(known)))
    strides = {name: _stride(seen.window.width, shape[2]) for name, shape in known.items()}
    names = [n for n in known if 4 <= strides[n] <= largest_stride and known[n][0] > 1]
    wanted = min(16, largest_stride)
    preferred = next((n for n in reversed(names) if strides[n] == wanted), names[0])
    fields = (
        Field("layer", preferred, state.one_of(names)),
        Field("channel", -1, state.whole(-1, 10**5)),
    )
    state.use(*fields)
    with st.sidebar:
        st.selectbox(
            "Layer", names, key="layer", format_func=lambda n: f"{n} (stride {strides[n]})"
        )
        st.number_input("Channel (-1: the strongest)", -1, step=1, key="channel")
    layer, channel = st.session_state["layer"], int(st.session_state["channel"])
    found = inside.of(model, photo, layer)
    if not 0 <= channel < len(found.values):
        channel = found.strongest(1)[0]
    stride = strides[layer]
    return Features(
        photo,
        card,
        layer,
        channel,
        found.values[channel],
        stride,
        1 / (stride * found.window.scale_x),
        (*photos.fields(), *fields),
    )


def _stride(width: int, cells: int) -> int:
    """Pixels a cell: a power of two in every network of the catalogue."""
    return int(2 ** round(np.log2(width / cells)))
