"""A box that somebody writes or draws, before any network runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from vision_core.errors import UserError

if TYPE_CHECKING:
    from vision_core.images import Photo

Corners = tuple[float, float, float, float]
"""x1, y1, x2, y2, pixels of the photo."""


def boxed(values: Sequence[float], photo: Photo) -> Corners:
    """A box that somebody gives, cut off at the border of the photo.

    Raises:
        UserError: it is no box, or lies outside the photo.
    """
    if len(values) != 4 or not np.isfinite(values).all():
        raise UserError("A box is four numbers x1,y1,x2,y2, pixels of the photo.")
    x1, y1, x2, y2 = values
    inside = (max(x1, 0.0), max(y1, 0.0), min(x2, photo.width), min(y2, photo.height))
    if not (inside[0] < inside[2] and inside[1] < inside[3]):
        raise UserError(
            f"The box {x1:g},{y1:g},{x2:g},{y2:g} has no part in the photo of "
            f"{photo.width} x {photo.height} pixels; write x1,y1,x2,y2 with x1 < x2 and y1 < y2."
        )
    return (float(inside[0]), float(inside[1]), float(inside[2]), float(inside[3]))
