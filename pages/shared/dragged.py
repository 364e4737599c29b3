"""The box that was dragged on the photo, as it stands in the address."""

from __future__ import annotations

import streamlit as st

from pages.components.player import numbers
from pages.shared.state import Field
from vision_core.images import Photo

FIELD = Field("drag", "", numbers.parser(1))


def box(photo: Photo) -> tuple[float, ...] | None:
    """x1, y1, x2, y2 in pixels; one that does not lie in this photo does not count."""
    text = str(st.session_state["drag"])
    given = [float(v) for v in numbers.to_array(text, 1)] if text else []
    if len(given) != 4:
        return None
    x1, y1, x2, y2 = given
    inside = 0 <= x1 < x2 <= photo.width and 0 <= y1 < y2 <= photo.height
    return (x1, y1, x2, y2) if inside else None
