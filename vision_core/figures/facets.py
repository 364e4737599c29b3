"""A facet of a unit as HTML: where it starts, what grew, and the pictures of its group."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from vision_core.figures.colours import KERNEL
from vision_core.figures.encode import data_url, png


def row(
    start: np.ndarray,
    grown: np.ndarray,
    group: Sequence[tuple[np.ndarray, str]],
    used: int,
    title: str,
    scale: float = 1,
) -> str:
    """One facet: two pictures and the strip of its group; on a phone the strip wraps below.

    Args:
        start: uint8 ``[h, w, 3]``.
        grown: uint8 ``[h, w, 3]``, what it became so far.
        group: small pictures uint8 ``[h, w, 3]`` with the name of each, closest first.
        used: so many of them, from the first, made the start; they are framed.
        title: of the facet, for who does not see it.
        scale: of all pictures; more before a lecture hall.
    """
    strip = "".join(
        _small(pixels, name, at < used, round(76 * scale))
        for at, (pixels, name) in enumerate(group)
    )
    return (
        "<div class='facet' style='display: flex; flex-wrap: wrap; gap: 0.8rem; "
        "align-items: flex-start'>"
        f"{_large(start, 'Start: their mean', title, round(168 * scale))}"
        f"{_large(grown, 'What it became', title, round(240 * scale))}"
        "<figure style='margin: 0; flex: 1 1 15rem; min-width: 12rem'>"
        f"<div style='display: flex; flex-wrap: wrap; gap: 0.3rem'>{strip}</div>"
        f"<figcaption>The pictures of the group; the {used} with a frame make the start."
        "</figcaption></figure></div>"
    )


def _large(pixels: np.ndarray, words: str, title: str, most: int) -> str:
    alt = escape(f"{title}. {words}", quote=True)
    return (
        f"<figure style='margin: 0; flex: 0 1 {most}px; min-width: 120px'>"
        f"<img src='{data_url(png(pixels), 'png')}' alt='{alt}' style='width: 100%; "
        "image-rendering: pixelated; display: block; border-radius: 0.4rem'>"
        f"<figcaption>{escape(words)}</figcaption></figure>"
    )


def _small(pixels: np.ndarray, name: str, first: bool, tall: int) -> str:
    frame = f"3px solid {KERNEL}" if first else "3px solid transparent"
    told = escape(name, quote=True)
    return (
        f"<img src='{data_url(png(pixels), 'png')}' alt='{told}' title='{told}' "
        f"style='height: {tall}px; border: {frame}; border-radius: 0.3rem'>"
    )
