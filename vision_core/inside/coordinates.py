"""One point followed from the photo to the network's input and to every feature map.

Coordinates are continuous: 0 is the left or upper border, a pixel or cell i reaches from i to
i + 1. The arithmetic is that of torchvision's ``resize_boxes`` and of its anchor generators.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from vision_core.errors import UserError
from vision_core.inside.opened import Level, Opened


@dataclass(frozen=True)
class Equation:
    """One line of arithmetic: ``name = formula = value``.

    Attributes:
        name: what is worked out, e.g. ``x of the network``.
        formula: the numbers filled in, e.g. ``120 * 213 / 320``.
        value: the result.
    """

    name: str
    formula: str
    value: float

    def __str__(self) -> str:
        return f"{self.name} = {self.formula} = {self.value:g}"


@dataclass(frozen=True)
class LevelPlace:
    """A point on one feature map.

    Attributes:
        level: the map.
        u, v: the point in cells, x and y.
        row, column: of the place whose anchors are centred nearest to the point.
        centre: (x, y) of these anchors, network pixels.
        anchors: indices of the anchors of this place in the trace's field.
        terms: the arithmetic.
    """

    level: Level
    u: float
    v: float
    row: int
    column: int
    centre: tuple[float, float]
    anchors: range
    terms: tuple[Equation, ...]


@dataclass(frozen=True)
class Followed:
    """A point of the photo through all coordinates.

    Attributes:
        photo: (x, y), photo pixels.
        network: (x, y), pixels of the network's input.
        terms: the arithmetic from photo to network.
        levels: the point on every map, finest first.
    """

    photo: tuple[float, float]
    network: tuple[float, float]
    terms: tuple[Equation, ...]
    levels: tuple[LevelPlace, ...]


def follow(opened: Opened, x: float, y: float) -> Followed:
    """Follow a point of the photo to every feature map.

    Args:
        opened: an opened detector.
        x, y: photo pixels, 0..width and 0..height.

    Raises:
        UserError: the point lies outside the photo.
    """
    width, height = opened.trace.info.photo_size
    if not (0 <= x <= width and 0 <= y <= height):
        raise UserError(f"The point {x:g}, {y:g} lies outside the photo of {width} x {height}.")
    terms = (
        _resized("x", x, width, opened.trace.info.network_size[0]),
        _resized("y", y, height, opened.trace.info.network_size[1]),
    )
    network = (terms[0].value, terms[1].value)
    return Followed((x, y), network, terms, tuple(_on(level, network) for level in opened.levels))


def _resized(name: str, value: float, before: int, after: int) -> Equation:
    return Equation(
        f"{name} of the network", f"{value:g} * {after} / {before}", value * after / before
    )


def _on(level: Level, network: tuple[float, float]) -> LevelPlace:
    """A point of the network's input on one map."""
    (x, y), (step_x, step_y) = network, level.stride
    u, v = x / step_x, y / step_y
    column, row = _nearest(u, level.columns, level.offset), _nearest(v, level.rows, level.offset)
    first = level.start + (row * level.columns + column) * level.per_place
    return LevelPlace(
        level,
        u,
        v,
        row,
        column,
        ((column + level.offset) * step_x, (row + level.offset) * step_y),
        range(first, first + level.per_place),
        (
            Equation(f"x of level {level.name}", f"{x:g} / {step_x:g}", u),
            Equation(f"y of level {level.name}", f"{y:g} / {step_y:g}", v),
        ),
    )


def _nearest(at: float, cells: int, offset: float) -> int:
    """The cell whose anchors are centred nearest; ``floor`` where they stand in its middle."""
    return min(max(math.floor(at - offset + 0.5), 0), cells - 1)
