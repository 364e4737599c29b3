"""Where the panels of a stage stand in a picture of a given width.

The browser's player follows the same rules (``browser/player/layout.js``), for any window;
here a picture is as wide as a slide, views stand beside each other where cells stay larger so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vision_core.figures.fonts import length
from vision_core.figures.stage import Block, Panel, Stage, View

TITLE, HEAD, BETWEEN, APART = 24, 30, 16, 26
_WIDEST = 1.4  # wide fonts of other machines against Pillow's own
_UNITS = range(64, 8, -1)


@dataclass(frozen=True)
class Spot:
    """A panel's upper left corner and size, in pixels; ``unit`` is a cell's side."""

    view: int
    panel: Panel
    x: float
    y: float
    width: float
    height: float
    unit: float


@dataclass(frozen=True)
class Word:
    """A title or a sign; ``kind`` is ``head``, ``title`` or ``sign``."""

    x: float
    y: float
    text: str
    kind: str
    role: str = ""


@dataclass(frozen=True)
class Layout:
    """Everything placed."""

    width: float
    height: float
    places: tuple[Spot, ...]
    words: tuple[Word, ...]


def text_wide(words: str, size: float) -> float:
    """Pixels that bold text takes at the most, in whatever sans-serif font a viewer has."""
    return _WIDEST * length(words, size)


def lay_out(stage: Stage, width: float = 1200, height: float = 560) -> Layout:
    """The layout with the largest cells that fits; narrower and lower where it needs less."""
    found = [_largest(stage, width, height, stacked) for stacked in (True, False)]
    (unit, stacked), (other, beside) = found
    return stacked if unit >= other else beside


def _largest(stage: Stage, width: float, height: float, stacked: bool) -> tuple[float, Layout]:
    made = None
    for unit in _UNITS:
        made = arranged(stage.views, float(unit), stacked)
        if made.width <= width and made.height <= height:
            return unit, made
    assert made is not None
    return 0, made


def arranged(views: Sequence[View], unit: float, stacked: bool) -> Layout:
    """Views with cells of one size, below each other or side by side.

    Args:
        views: of a stage.
        unit: side of a cell, pixels.
        stacked: below each other.
    """
    places: list[Spot] = []
    words: list[Word] = []
    x = y = across = down = 0.0
    for index, view in enumerate(views):
        wide, tall = _view(view, index, unit, x, y, places, words)
        across, down = max(across, x + wide), max(down, y + tall)
        x, y = (x, y + tall + APART) if stacked else (x + wide + APART, y)
    return Layout(across, down, tuple(places), tuple(words))


def _view(
    view: View,
    index: int,
    unit: float,
    x: float,
    y: float,
    places: list[Spot],
    words: list[Word],
) -> tuple[float, float]:
    """Place a view's blocks side by side, centred; returns its width and height."""
    head = HEAD if view.title else 0
    if view.title:
        words.append(Word(x, y + 18, view.title, "head"))
    sizes = [_block_size(block, unit) for block in view.blocks]
    tall = max(high for _, high in sizes)
    left = x
    for block, (wide, high) in zip(view.blocks, sizes, strict=True):
        middle = y + head + (tall - high) / 2
        sign = len(block.sign) * 11 + 16 if block.sign else 0
        if block.sign:
            at = middle + TITLE + (high - TITLE) / 2
            words.append(Word(left + sign / 2, at, block.sign, "sign"))
        left += sign
        _place(block, index, unit, left, middle, places, words)
        left += wide + APART
    return max(left - APART - x, text_wide(view.title, 17)), tall + head


def _block_size(block: Block, unit: float) -> tuple[float, float]:
    widths = [sum(_wide(p, unit) + BETWEEN for p in row) - BETWEEN for row in block.rows]
    heights = [max(_size(p, unit)[1] for p in row) + TITLE + BETWEEN for row in block.rows]
    return max(widths), sum(heights) - BETWEEN


def _place(
    block: Block,
    view: int,
    unit: float,
    x: float,
    y: float,
    places: list[Spot],
    words: list[Word],
) -> None:
    for row in block.rows:
        left = x
        for panel in row:
            wide, high, pixel = _size(panel, unit)
            words.append(Word(left, y + TITLE - 7, panel.title, "title", panel.role))
            places.append(Spot(view, panel, left, y + TITLE, wide, high, pixel))
            left += _wide(panel, unit) + BETWEEN
        y += max(_size(p, unit)[1] for p in row) + TITLE + BETWEEN


def _wide(panel: Panel, unit: float) -> float:
    return max(_size(panel, unit)[0], text_wide(panel.title, 14.5))


def _size(panel: Panel, unit: float) -> tuple[float, float, float]:
    """Width, height and the side of a cell."""
    if panel.board:
        pixel = panel.scale * unit / max(panel.rows, panel.columns)
        return panel.columns * pixel, panel.rows * pixel, pixel
    up, aside = panel.ring
    cell = unit * panel.zoom
    return (panel.columns + 2 * aside) * cell, (panel.rows + 2 * up) * cell, cell
