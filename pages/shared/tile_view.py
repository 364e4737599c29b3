"""A sheet of small pictures on a page, one of which can be clicked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
import streamlit as st

from pages.shared import shell
from vision_core.figures.alt import pictures
from vision_core.figures.tiles import Sheet, clickable, sheet
from vision_core.inference.cache import ByteLRU

_PLOT = {"displayModeBar": False, "scrollZoom": False}


def show(
    key: str,
    tiles: np.ndarray,
    words: Sequence[str],
    ids: Sequence[int],
    chosen: int,
    columns: int = 16,
    what: str = "pictures",
    share: float = 1.0,
) -> int | None:
    """Show tiles in rows.

    Args:
        key: of the element.
        tiles: uint8 ``[N, h, w, 3]``.
        words: of each tile, on hover.
        ids: what a tile stands for.
        chosen: the id with a frame around it.
        columns: tiles in a row.
        what: the tiles are.
        share: of the page's width that the sheet has.

    Returns:
        the id that was clicked just now, or ``None``.
    """
    columns = min(columns, 8 if len(tiles) <= 24 else 12 if len(tiles) <= 60 else columns)
    made = _sheet(tiles, columns, max(24, 960 // columns))
    at = list(ids).index(chosen) if chosen in ids else -1
    _grow(key, made, share)
    event = st.container(key=f"{key}_sheet", height=300, border=False).plotly_chart(
        clickable(made, words, at),
        key=key,
        height="stretch",
        alt=pictures(words, what),
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


@st.cache_resource(show_spinner=False)
def _sheets() -> ByteLRU[Sheet]:
    # the encoded picture, in Base64, is hardly ever larger than its pixels
    return ByteLRU(64 * 2**20, lambda made: 2 * made.picture.nbytes, "drawn sheets")


def _sheet(tiles: np.ndarray, columns: int, side: int) -> Sheet:
    """A sheet, laid out and encoded once for all who see the same pictures."""
    seen = blake2b(tiles.tobytes(), digest_size=16).digest()
    key = (seen, tiles.shape, columns, side)
    return _sheets().get_or_make(key, lambda: sheet(tiles, columns, side))


def _grow(key: str, made: Sheet, share: float) -> None:
    """Make the place of a sheet as high as its pictures are at the width that it has.

    Streamlit fixes a height in pixels on a container and on what wraps it.
    """
    tall, wide = made.picture.shape[:2]
    place = ".st-key-" + re.sub(r"[^\w-]", "-", f"{key}_sheet")
    fixed = "height: var(--tall) !important; flex-basis: var(--tall) !important;"
    side = "1rem" if shell.presenting() else "20rem"
    room = f"(max(100vw, 641px) - {side}) * {share * tall / wide:.4f}"
    phone = f"max(90px, 94vw * {tall / wide:.4f})"
    st.html(
        f"<style>:has(> {place}) {{ --tall: clamp(90px, {room}, 72vh); {fixed} }}"
        f"{place} {{ {fixed} max-width: calc(var(--tall) * {wide / tall:.4f}); overflow: hidden }}"
        f"@media (max-width: 640px) {{ :has(> {place}) {{ --tall: {phone}; }} }}</style>"
    )
