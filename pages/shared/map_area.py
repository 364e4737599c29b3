"""The place of attribution maps: how many beside each other, and as high as the window allows."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.shared import shell
from vision_core.images import Photo

ROW = 280
"""Pixels of a row of maps, from which the share of its title is reckoned."""
_SHAPE = 1.45
"""Width by height of the room for the maps: much the same at 1280x720 and at 1920x1080."""
_TITLE = 62  # pixels above each row of maps


def columns(photo: Photo, count: int) -> int:
    """Maps in a row, so that they are as large as the room allows; on a phone one."""
    if shell.on_phone():
        return 1
    if two_rows():
        return min(count, 4)

    def wide(columns: int) -> float:
        rows = -(-count // columns)
        low = (1 - 0.11 * rows) / rows * photo.width / photo.height
        return min(_SHAPE / columns, low)

    return max(range(1, min(count, 4) + 1), key=lambda columns: round(wide(columns), 3))


def _tall(photo: Photo, count: int, columns: int) -> str:
    """The height of the maps in CSS: the window's, and not more than their width is good for."""
    rows = -(-count // columns)
    each = rows / columns * photo.height / photo.width
    side, part = ("1rem", 0.7) if shell.presenting() else ("19rem", 0.68)
    room = "(100vh - 20rem) / 2" if two_rows() else "100vh - 16rem"
    low = 120 if two_rows() else 260
    return (
        f"clamp({low}px, {room}, (max(100vw, 641px) - {side}) * {part * each:.3f} "
        f"+ {rows * _TITLE}px)"
    )


def area(photo: Photo, count: int, key: str) -> Any:
    """A place for maps that grows with the window.

    Args:
        photo: behind the maps.
        count: how many there are.
        key: of the place.
    """
    across = columns(photo, count)
    tall = _tall(photo, count, across)
    rows = -(-count // across)
    phone = rows / across * photo.height / photo.width
    # Streamlit fixes a height in pixels on the container and on what wraps it.
    fixed = "height: var(--tall) !important; flex-basis: var(--tall) !important;"
    st.html(
        f"<style>:has(> .st-key-{key}_area) {{ --tall: {tall}; {fixed} }}"
        f".st-key-{key}_area {{ {fixed} overflow: hidden; }}"
        f"@media (max-width: 640px) {{ :has(> .st-key-{key}_area) {{ --tall: calc(94vw * "
        f"{phone:.3f} + {rows * _TITLE}px); }} }}</style>"
    )
    return st.container(key=f"{key}_area", height=400, border=False)


def two_rows() -> bool:
    """Whether the maps of a network with random layers stand below."""
    return bool(st.session_state["random"])
