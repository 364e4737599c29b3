"""The charts of a run as SVG pictures while it learns.

A Plotly chart on a page is taken away and made anew whenever its numbers change, so that it would
flash at every epoch. These stand in its place, of the same size, until the run stands still.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

import numpy as np

from vision_core.figures.colours import INPUT, MODELS, class_colour
from vision_core.figures.encode import data_url
from vision_core.figures.teaching import Track, matrix_height

_WIDE, _TALL = 380, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 8, 44, 42
_INK = "#7A828E"
"""Of type and grid: a picture does not know the theme, and this is read on both."""
_SMALL = f"font-size='12' fill='{_INK}'"


def _svg(wide: float, tall: float, parts: Sequence[str], what: str, scale: float) -> str:
    drawing = (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {wide:g} {tall:g}' "
        f"font-family='sans-serif'>{''.join(parts)}</svg>"
    )
    return (
        f"<img src='{data_url(drawing.encode(), 'svg+xml')}' alt='{escape(what, quote=True)}' "
        f"style='width: 100%; height: {scale * tall:g}px; object-fit: contain; display: block'>"
    )


def curves(tracks: Sequence[Track], value: str, scale: float = 1) -> str:
    """Loss or accuracy by epoch, as ``teaching.curves`` draws it; ``scale`` times as large."""
    last = max(5, *(t.history[-1].number for t in tracks))
    both = [(t, [(e.number, getattr(e, p + value)) for e in t.history]) for t in tracks
            for p in ("", "val_")]  # fmt: skip
    finite = [y for _, points in both for _, y in points if math.isfinite(y)]
    top = 1.04 if value == "accuracy" else 1.05 * max(finite, default=1.0) or 1.0
    parts = _axes(last, top, value)
    for at, (_, points) in enumerate(both):
        index, val = divmod(at, 2)
        steps = [(_x(x, last), _y(y, top)) for x, y in points if math.isfinite(y)]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in steps)
        dash = "" if val else " stroke-dasharray='3 3'"
        parts.append(
            f"<polyline points='{line}' fill='none' stroke='{MODELS[index]}' "
            f"stroke-width='{3 if val else 2}'{dash}/>"
        )
        if val:
            parts += [f"<circle cx='{x:.1f}' cy='{y:.1f}' r='3.5' fill='{MODELS[index]}'/>"
                      for x, y in steps]  # fmt: skip
    parts += _legend(tracks)
    return _svg(_WIDE, _TALL, parts, f"{value} by epoch", scale)


def _x(epoch: float, last: int) -> float:
    return _LEFT + (_WIDE - _LEFT - _RIGHT) * epoch / last


def _y(value: float, top: float) -> float:
    return _TALL - _BOTTOM - (_TALL - _TOP - _BOTTOM) * value / top


def _axes(last: int, top: float, value: str) -> list[str]:
    step = 10.0 ** math.floor(math.log10(top))
    step = next(s for s in (step / 5, step / 2, step, 2 * step) if top / s <= 6)
    parts = []
    for k in range(int(top / step) + 1):
        y = _y(k * step, top)
        parts.append(
            f"<line x1='{_LEFT}' x2='{_WIDE - _RIGHT}' y1='{y:.1f}' y2='{y:.1f}' "
            f"stroke='{_INK}' stroke-opacity='0.15'/>"
            f"<text x='{_LEFT - 6}' y='{y + 4:.1f}' text-anchor='end' {_SMALL}>{k * step:g}</text>"
        )
    every = next(n for n in (1, 2, 5, 10, 20, 50) if last / n <= 10)
    for epoch in range(0, last + 1, every):
        parts.append(
            f"<text x='{_x(epoch, last):.1f}' y='{_TALL - _BOTTOM + 18}' text-anchor='middle' "
            f"{_SMALL}>{epoch}</text>"
        )
    middle = (_TOP + _TALL - _BOTTOM) / 2
    parts.append(
        f"<text x='{_WIDE / 2}' y='{_TALL - 6}' text-anchor='middle' {_SMALL}>epoch</text>"
        f"<text transform='translate(12 {middle}) rotate(-90)' text-anchor='middle' {_SMALL}>"
        f"{value}</text>"
    )
    return parts


def _legend(tracks: Sequence[Track]) -> list[str]:
    """Up to four names above the chart, in two columns."""
    parts = []
    for at, track in enumerate(tracks):
        x, y = _LEFT + at % 2 * 168, 14 + at // 2 * 17
        name = track.name if len(track.name) < 24 else track.name[:23] + "…"
        parts.append(
            f"<line x1='{x}' x2='{x + 20}' y1='{y - 4}' y2='{y - 4}' stroke='{MODELS[at]}' "
            f"stroke-width='3'/><text x='{x + 25}' y='{y}' {_SMALL}>{escape(name)}</text>"
        )
    return parts


def bars(pairs: Sequence[tuple[str, float]], top: int = 5, scale: float = 1) -> str:
    """Class scores 0 to 1, the best at the top."""
    parts = []
    for at, (name, score) in enumerate(pairs[:top]):
        y, wide = 6 + 30 * at, 210 * score
        parts.append(
            f"<text x='88' y='{y + 17}' text-anchor='end' {_SMALL}>{escape(name[:12])}</text>"
            f"<rect x='94' y='{y + 2}' width='{wide:.1f}' height='22' fill='{class_colour(name)}'/>"
            f"<text x='{98 + wide:.1f}' y='{y + 17}' {_SMALL}>{score:.3f}</text>"
        )
    return _svg(360, 30 * top + 34, parts, "What the network says of it", scale)


def matrix(counts: np.ndarray, classes: Sequence[str], scale: float = 1) -> str:
    """The confusion matrix, as ``teaching.confusion`` draws it."""
    n = len(classes)
    tall = matrix_height(n)
    left, top = 110, 62
    wide, high = (640 - left) / n, (tall - top - 8) / n
    parts = [f"<text x='{left + 200}' y='20' {_SMALL}>the network says</text>"]
    for at, name in enumerate(classes):
        short = escape(name if len(name) < 13 else name[:12] + "…")
        parts.append(
            f"<text x='{left + (at + 0.5) * wide:.1f}' y='{top - 10}' text-anchor='middle' "
            f"{_SMALL}>{short}</text><text x='{left - 8}' y='{top + (at + 0.5) * high + 4:.1f}' "
            f"text-anchor='end' {_SMALL}>{short}</text>"
        )
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    for (row, column), count in np.ndenumerate(counts):
        if count:
            x, y, share = left + column * wide, top + row * high, shares[row, column]
            ink = "#FFFFFF" if share > 0.5 else _INK
            parts.append(
                f"<rect x='{x:.1f}' y='{y:.1f}' width='{wide:.1f}' height='{high:.1f}' "
                f"fill='{INPUT}' fill-opacity='{share:.3f}'/><text x='{x + wide / 2:.1f}' "
                f"y='{y + high / 2 + 5:.1f}' text-anchor='middle' font-size='14' fill='{ink}'>"
                f"{count}</text>"
            )
    return _svg(648, tall, parts, "Confusion matrix", scale)
