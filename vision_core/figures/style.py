"""What is seen of style transfer: Gram matrices and loss curves. SVG, which does not flash."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

import numpy as np

from vision_core.figures.colours import INPUT, KERNEL
from vision_core.figures.encode import data_url, png
from vision_core.figures.saliency import own_limit, signed_colours

_WIDE, _TALL = 380, 230
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 10, 26, 34
_INK = "#7A828E"
_TILE = 240


def loss_curves(
    series: Mapping[str, Sequence[tuple[int, float]]], what: str, most: int = 460
) -> str:
    """Two losses by step on a logarithmic scale, as an HTML picture.

    Args:
        series: name to (step, loss); losses of 0 are left out. The first is drawn full, the second
            dashed.
        what: it is told to who does not see it.
        most: pixels of its width at most.
    """
    shown = {n: [(s, v) for s, v in points if v > 0 and math.isfinite(v)]
             for n, points in series.items()}  # fmt: skip
    values = [v for points in shown.values() for _, v in points] or [1.0]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    low, high = max(low, high - 6), high if high > low else low + 1
    last = max(10, *(s for points in shown.values() for s, _ in points), 10)
    parts = _axes(low, high, last)
    for at, (name, points) in enumerate(shown.items()):
        colour, dash = ((INPUT, ""), (KERNEL, " stroke-dasharray='6 3'"))[at % 2]
        line = " ".join(f"{_x(s, last):.1f},{_y(math.log10(v), low, high):.1f}" for s, v in points)
        parts.append(
            f"<polyline points='{line}' fill='none' stroke='{colour}' stroke-width='2.5'{dash}/>"
            f"<line x1='{_LEFT + 150 * at}' x2='{_LEFT + 26 + 150 * at}' y1='12' y2='12' "
            f"stroke='{colour}' stroke-width='2.5'{dash}/>"
            f"<text x='{_LEFT + 32 + 150 * at}' y='16' font-size='13' fill='{_INK}'>"
            f"{escape(name)}</text>"
        )
    drawing = (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {_WIDE} {_TALL}' "
        f"font-family='sans-serif'>{''.join(parts)}</svg>"
    )
    return (
        f"<img src='{data_url(drawing.encode(), 'svg+xml')}' alt='{escape(what, quote=True)}' "
        f"style='width: 100%; max-width: {most}px; display: block'>"
    )


def _x(step: float, last: float) -> float:
    return _LEFT + (_WIDE - _LEFT - _RIGHT) * step / last


def _y(power: float, low: float, high: float) -> float:
    share = min(max((power - low) / (high - low), 0.0), 1.0)
    return _TALL - _BOTTOM - (_TALL - _TOP - _BOTTOM) * share


def _axes(low: int, high: int, last: int) -> list[str]:
    small = f"font-size='12' fill='{_INK}'"
    parts = []
    for power in range(low, high + 1):
        y = _y(power, low, high)
        parts.append(
            f"<line x1='{_LEFT}' x2='{_WIDE - _RIGHT}' y1='{y:.1f}' y2='{y:.1f}' "
            f"stroke='{_INK}' stroke-opacity='0.3'/>"
            f"<text x='{_LEFT - 5}' y='{y + 4:.1f}' text-anchor='end' {small}>"
            f"{10.0**power:g}</text>"
        )
    for step in (0, last // 2, last):
        parts.append(
            f"<text x='{_x(step, last):.1f}' y='{_TALL - 18}' text-anchor='middle' {small}>"
            f"{step}</text>"
        )
    parts.append(f"<text x='{_WIDE / 2}' y='{_TALL - 3}' text-anchor='middle' {small}>step</text>")
    return parts


def gram_pictures(grams: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Gram matrices of one layer as pictures on one scale, each channel with each.

    The square root is shown, so that weak pairs are seen beside strong ones.

    Args:
        grams: name to ``[C, C]``.

    Returns:
        name to uint8 ``[h, w, 3]``, each value a square of whole pixels.
    """
    roots = {n: np.sign(g) * np.sqrt(np.abs(g)) for n, g in grams.items()}
    limit = max((own_limit(r) for r in roots.values()), default=0.0)
    made = {}
    for name, root in roots.items():
        times = max(1, _TILE // len(root))
        made[name] = signed_colours(root, limit).repeat(times, 0).repeat(times, 1)
    return made


def picture(pixels: np.ndarray, what: str, most: int = 640, tallest: float | None = None) -> str:
    """A picture as HTML; it does not flash when it is drawn again and again.

    Args:
        pixels: uint8 ``[h, w, 3]``.
        what: it shows.
        most: pixels of its width at most.
        tallest: its height at most, in heights of the window.
    """
    width = f"{most}px"
    if tallest is not None:
        width = f"min({width}, {100 * tallest * pixels.shape[1] / pixels.shape[0]:.1f}vh)"
    return (
        f"<img src='{data_url(png(pixels), 'png')}' alt='{escape(what, quote=True)}' "
        f"style='width: 100%; max-width: {width}; display: block; border-radius: 0.4rem'>"
    )
