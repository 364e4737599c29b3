"""Pooling and the three ways back up on a real feature map."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st
import torch
from torch.nn import functional as F

from pages.shared import feature_source, operator_page, state
from pages.shared.plain import plain
from vision_core.figures.saliency import own_limit, signed_colours


def section(lede: Any, outer: tuple[state.Field, ...]) -> None:
    """A channel of a bundled network, pooled and unpooled three ways."""
    operator_page.say(
        lede,
        "One channel of a real layer is max pooled and brought back to its size. Max "
        "unpooling puts the values where they **stood**; nearest neighbour makes blocks, bed of "
        "nails moves everything to a corner.",
    )
    found = feature_source.pick(16)
    if found is None:
        state.write(*outer)
        return
    window = state.Field("window", 2, state.whole(2, 4))
    state.use(window)
    st.sidebar.slider("Window and stride", 2, 4, key="window")
    maps = ways(found.values, int(st.session_state["window"]))
    limit = own_limit(found.values)
    columns = st.columns(3)
    for index, (name, values) in enumerate(maps.items()):
        with columns[index % 3]:
            error = (
                ""
                if values.shape != found.values.shape or index == 0
                else (f": mean error {np.abs(values - found.values).mean():.3g}")
            )
            st.image(
                _enlarged(signed_colours(values, limit)),
                width="stretch",
                caption=f"{name}, {values.shape[1]} x {values.shape[0]}{error}",
                output_format="PNG",
                alt=f"{name}: values from {values.min():.3g} to {values.max():.3g}",
            )
    columns[2].image(
        found.photo.pixels,
        width="stretch",
        caption=plain(found.photo.name),
        alt=f"The photo {found.photo.name}",
    )
    st.caption(
        f"{found.card.title}, layer {found.layer}, channel {found.channel}, all panels on "
        "one scale: orange is positive, blue negative."
    )
    state.write(*outer, *found.fields, window)


def ways(values: np.ndarray, window: int) -> dict[str, np.ndarray]:
    """The map, its maxima, and three unpoolings of them, by PyTorch's own functions.

    Args:
        values: float32 [h, w].
        window: side and stride; rows and columns that fill no window are left out on the way
            down, and come back as 0.
    """
    x = torch.from_numpy(np.array(values))[None, None]
    pooled, switches = F.max_pool2d(x, window, return_indices=True)
    up = F.interpolate(pooled, scale_factor=window, mode="nearest")
    nails = torch.zeros_like(up)
    nails[..., ::window, ::window] = pooled
    size = x.shape[-2:]
    back = F.max_unpool2d(pooled, switches, [window, window], output_size=list(size))

    def padded(y: torch.Tensor) -> torch.Tensor:
        return F.pad(y, (0, size[1] - y.shape[-1], 0, size[0] - y.shape[-2]))

    named = {
        "feature map": x,
        "max pooled": pooled,
        "nearest neighbour": padded(up),
        "bed of nails": padded(nails),
        "max unpooling": back,
    }
    return {name: y[0, 0].numpy() for name, y in named.items()}


def _enlarged(picture: np.ndarray) -> np.ndarray:
    """Cells as squares of several pixels, so that they stay sharp."""
    times = max(1, 480 // picture.shape[1])
    return picture.repeat(times, 0).repeat(times, 1)
