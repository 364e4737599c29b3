"""Where the arrays of a walkthrough stand: panels, blocks and views, and what is marked on them.

A stage is all that a player or a writer of pictures needs. It holds no pixels and no colours:
places are counted in cells, and colours go by role.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from vision_core.figures.encode import data_url
from vision_core.walkthroughs.types import Cell, Role, Walkthrough

Along = Literal["row", "column"]


@dataclass(frozen=True)
class Drag:
    """What moving a rectangle changes: a parameter, which of its rows, and units per cell."""

    name: str
    index: int = -1
    scale: float = 1.0


@dataclass(frozen=True)
class Drawn:
    """Something drawn over a panel.

    Attributes:
        kind: ``rect`` (x1, y1, x2, y2), ``point`` (x, y) or ``line`` (x1, y1, x2, y2).
        at: places in cells of the operand, x to the right; cell (r, c) is x from c to c + 1. On a
            board: in its own units.
        role: its colour; ``muted`` is grey.
        steps: first and last step of the timeline at which it is shown; ``None``: always.
        dashed: a broken line.
        label: a few letters beside it; of a line: in the row below it.
        drag: what dragging it changes; only for a ``rect``.
    """

    kind: Literal["rect", "point", "line"]
    at: tuple[float, ...]
    role: Role | Literal["muted"] = "input"
    steps: tuple[int, int] | None = None
    dashed: bool = False
    label: str = ""
    drag: Drag | None = None


@dataclass(frozen=True)
class Panel:
    """One grid of numbers, or a board that holds only marks.

    Attributes:
        operand: whose numbers are shown; empty for a board.
        title: above the grid.
        role: its colour.
        rows, columns: of what is shown; of a board: height and width in its own units.
        prefix: leading indices of the cells, e.g. the channel.
        along: how a vector lies.
        transposed, flipped: rows become columns; turned round by 180 degrees.
        first: row and column of the operand that stand first, where a part is shown.
        ring: rows and columns of padding drawn around it.
        marks: drawn over it.
        picture: JPEG or PNG file behind a board.
        scale: relative size of a board's unit: its longer side takes so many cells.
        zoom: cells are so many times as large as those of other panels.
        draw: what a rectangle drawn on an empty place of it becomes.
        decimals: numbers are rounded so, ``None``: up to four digits.
    """

    operand: str
    title: str
    role: Role
    rows: float
    columns: float
    prefix: Cell = ()
    along: Along = "row"
    transposed: bool = False
    flipped: bool = False
    first: tuple[int, int] = (0, 0)
    ring: tuple[int, int] = (0, 0)
    marks: tuple[Drawn, ...] = ()
    picture: bytes | None = None
    scale: float = 0.0
    zoom: float = 1.0
    draw: Drag | None = None
    decimals: int | None = None

    @property
    def board(self) -> bool:
        return not self.operand

    def place(self, cell: Cell) -> tuple[int, int] | None:
        """(row, column) on the panel of an operand's cell; ``None`` where it is not shown."""
        n = len(self.prefix)
        if self.board or cell[:n] != self.prefix:
            return None
        rest = cell[n:]
        if len(rest) == 1:
            row, column = (0, rest[0]) if self.along == "row" else (rest[0], 0)
        else:
            row, column = rest
        if self.transposed:
            row, column = column, row
        if self.flipped:
            row, column = int(self.rows) - 1 - row, int(self.columns) - 1 - column
        row, column = row - self.first[0], column - self.first[1]
        inside = 0 <= row < self.rows and 0 <= column < self.columns
        return (row, column) if inside else None

    def to_json(self) -> dict[str, Any]:
        """Plain data for the player."""
        kept = (
            "operand",
            "title",
            "role",
            "rows",
            "columns",
            "along",
            "transposed",
            "flipped",
            "scale",
            "zoom",
            "decimals",
        )
        return {
            **{name: getattr(self, name) for name in kept},
            "prefix": list(self.prefix),
            "first": list(self.first),
            "ring": list(self.ring),
            "draw": _drag_json(self.draw),
            "marks": [_mark_json(mark) for mark in self.marks],
            "picture": None if self.picture is None else _data_url(self.picture),
        }


@dataclass(frozen=True)
class Block:
    """Panels of one operand in rows and columns, and the sign that stands before them."""

    rows: tuple[tuple[Panel, ...], ...]
    sign: str = ""

    def with_marks(self, operand: str, marks: Sequence[Drawn]) -> Block:
        """The block with more marks on the panels of an operand."""
        return replace(
            self,
            rows=tuple(
                tuple(
                    replace(p, marks=(*p.marks, *marks)) if p.operand == operand else p for p in row
                )
                for row in self.rows
            ),
        )


@dataclass(frozen=True)
class View:
    """One walkthrough on the stage."""

    title: str
    walk: Walkthrough
    blocks: tuple[Block, ...]

    def panels(self) -> Iterator[Panel]:
        for block in self.blocks:
            for row in block.rows:
                yield from row

    def marked(self, operand: str, marks: Sequence[Drawn]) -> View:
        """The view with more marks on the panels of an operand."""
        return replace(self, blocks=tuple(b.with_marks(operand, marks) for b in self.blocks))


@dataclass(frozen=True)
class Stage:
    """Views that are played together.

    Attributes:
        views: beside or below each other.
        timeline: per step of the stage, which step each view shows; views of equal length run
            side by side where it is left out.
    """

    views: tuple[View, ...]
    timeline: tuple[tuple[int, ...], ...] = ()

    def __post_init__(self) -> None:
        if not self.timeline:
            lengths = {len(view.walk.steps) for view in self.views}
            assert len(lengths) == 1, "views of different lengths need a timeline"
            line = tuple((k,) * len(self.views) for k in range(lengths.pop()))
            object.__setattr__(self, "timeline", line)

    def to_json(self) -> dict[str, Any]:
        """Plain data for the player: all that it ever needs."""
        return {
            "views": [
                {
                    "title": view.title,
                    "walk": view.walk.to_json(),
                    "blocks": [
                        {"sign": b.sign, "rows": [[p.to_json() for p in row] for row in b.rows]}
                        for b in view.blocks
                    ],
                }
                for view in self.views
            ],
            "timeline": [list(k) for k in self.timeline],
        }


def grid(
    walk: Walkthrough, operand: str, title: str = "", sign: str = "", axes: int = 2, **look: Any
) -> Block:
    """An operand as a block: one grid, or one for each channel (channels below each other,
    filters beside each other).

    Args:
        walk: whose operand it is.
        operand: its name.
        title: in words; the size is added.
        sign: stands before the block.
        axes: of one grid, 1 or 2; the axes before them are channels and filters.
        look: attributes of ``Panel``.
    """
    array = walk.operands[operand]
    shape = array.array.shape
    name = title or operand
    lead = max(len(shape) - axes, 0)

    def panel(prefix: Cell, words: str) -> Panel:
        inner = shape[len(prefix) :]
        rows, columns = _extent(inner, look)
        size = "x".join(str(n) for n in inner)
        return Panel(operand, f"{words} {size}", array.role, rows, columns, prefix, **look)

    if lead == 0:
        return Block(((panel((), name),),), sign)
    if lead == 1:
        numbered = [f"{name} {c}:" if shape[0] > 1 else name for c in range(shape[0])]
        return Block(tuple((panel((c,), words),) for c, words in enumerate(numbered)), sign)
    table = [[(o, c) for o in range(shape[0])] for c in range(shape[1])]
    if shape[1] == 1:  # one channel a filter: below each other, as the channels that they read
        table = [[cell] for cell in table[0]]
    return Block(
        tuple(tuple(panel(cell, f"{name} {cell[0]},{cell[1]}:") for cell in row) for row in table),
        sign,
    )


def _extent(shape: tuple[int, ...], look: dict[str, Any]) -> tuple[int, int]:
    """Rows and columns in which an operand lies."""
    if len(shape) == 1:
        pair = (1, shape[0]) if look.get("along", "row") == "row" else (shape[0], 1)
    else:
        pair = (shape[0], shape[1])
    return pair[::-1] if look.get("transposed") else pair


def _mark_json(mark: Drawn) -> dict[str, Any]:
    return {
        "kind": mark.kind,
        "at": list(mark.at),
        "role": mark.role,
        "steps": None if mark.steps is None else list(mark.steps),
        "dashed": mark.dashed,
        "label": mark.label,
        "drag": _drag_json(mark.drag),
    }


def _drag_json(drag: Drag | None) -> dict[str, Any] | None:
    return None if drag is None else {"name": drag.name, "index": drag.index, "scale": drag.scale}


def _data_url(data: bytes) -> str:
    kind = "png" if data[:4] == b"\x89PNG" else "jpeg"
    return data_url(data, kind)
