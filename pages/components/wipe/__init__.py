"""Two pictures of one photo on top of each other, and a line between them that can be dragged."""

from __future__ import annotations

import numpy as np
import streamlit as st

from vision_core.figures.browser import component
from vision_core.figures.colours import MODELS
from vision_core.figures.encode import data_url
from vision_core.images import from_array

_PARTS = component("wipe")
_mount = st.components.v2.component(
    "convscope_wipe", html=_PARTS.html, css=_PARTS.css, js=_PARTS.js
)


def show(
    left: np.ndarray,
    right: np.ndarray,
    names: tuple[str, str],
    *,
    key: str,
    colours: tuple[str, ...] = MODELS[:2],
) -> None:
    """Show two pictures with a wipe line.

    Args:
        left, right: uint8 ``[H, W, 3]`` of one size.
        names: of the two.
        key: of the element.
        colours: ``#RRGGBB`` of the two names.
    """
    from vision_core.figures import jpeg

    files = [data_url(jpeg(from_array(picture, "wipe")), "jpeg") for picture in (left, right)]
    _mount(
        key=key,
        data={
            "left": files[0],
            "right": files[1],
            "names": list(names),
            "colours": list(colours),
            "ratio": left.shape[1] / left.shape[0],
        },
    )
