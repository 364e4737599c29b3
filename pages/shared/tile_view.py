"""A sheet of small pictures on a page, one of which can be clicked."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from vision_core.figures.tiles import clickable, sheet

_PLOT = {"displayModeBar": False, "scrollZoom": False}


def show(
    key: str,
    tiles: np.ndarray,
    words: Sequence[str],
    ids: Sequence[int],
    chosen: int,
    columns: int = 16,
) -> int | None:
    """Show tiles in rows.

    Args:
        key: of the element.
        tiles: uint8 ``[N, h, w, 3]``.
        words: of each tile, on hover.
        ids: what a tile stands for.
        chosen: the id with a frame around it.
        columns: tiles in a row.

    Returns:
        the id that was clicked just now, or ``None``.
    """
    columns = min(columns, 8 if len(tiles) <= 24 else 12 if len(tiles) <= 60 else columns)
    side = max(24, 960 // columns)
    made = sheet(tiles, columns, side)
    at = list(ids).index(chosen) if chosen in ids else -1
    tall, wide = made.picture.shape[:2]
    height = int(min(max(90, tall * min(1.0, 900 / wide)), 620))
    event = st.plotly_chart(
        clickable(made, words, at, height),
        key=key,
        config=_PLOT,
        width="stretch",
        on_select="rerun",
        selection_mode="points",
    )
    points = event["selection"]["point_indices"] if event else []
    seen = st.session_state.get(f"_seen_{key}")
    st.session_state[f"_seen_{key}"] = list(points)
    if not points or list(points) == seen or points[0] >= len(ids):
        return None
    return int(ids[points[0]])
