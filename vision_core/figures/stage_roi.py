"""RoI Pool and RoI Align on one stage, with the region, its bins and its points marked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from vision_core.figures.stage import Block, Drag, Drawn, Panel, Stage, View, grid
from vision_core.walkthroughs.types import Walkthrough

_MOST = 16  # rows and columns of the feature map that are shown around a region
_ZOOM = 1.7  # the few cells of the output are larger than those of the map
TITLES = ("RoI Pool: snapped, maximum of each bin", "RoI Align: not snapped, average of points")


def roi_stage(
    pool: Walkthrough,
    align: Walkthrough,
    box: Sequence[float],
    scale: float,
    decimals: int | None = None,
) -> Stage:
    """Both operators on one region.

    Args:
        pool, align: walkthroughs of ``roi_pool`` and ``roi_align``.
        box: of both, x1, y1, x2, y2 in pixels of the photo.
        scale: feature cells per pixel.
        decimals: of the features; ``None``: as many as needed.
    """
    line = timeline(pool, align)
    cells = [v * scale for v in box]
    part = window(cells, pool.operands["input"].array.shape)
    true = Drawn("rect", tuple(cells), "input", drag=Drag("box", -1, 1 / scale))
    last = len(line) - 1
    marks = ([*pool_marks(pool, last), true], [*align_marks(align, last, 3), true])
    views = []
    for walk, title, drawn in zip((pool, align), TITLES, marks, strict=True):
        block = cropped(grid(walk, "input", "features", decimals=decimals), part)
        block = block.with_marks("input", drawn)
        result = grid(walk, "output", sign="→", decimals=decimals, zoom=_ZOOM)
        views.append(View(title, walk, (block, result)))
    return Stage(tuple(views), line)


def timeline(pool: Walkthrough, align: Walkthrough) -> tuple[tuple[int, int], ...]:
    """Projection, rounding and bins, then bin by bin the points of Align."""
    grid_size = align.facts["points_per_bin"]
    per_bin = max(grid_size[0] * grid_size[1], 1)
    bins = (len(align.steps) - 2) // per_bin
    line = [(0, 0), (1, 1), (2, 1)]
    line += [(3 + b, 2 + b * per_bin + k) for b in range(bins) for k in range(per_bin)]
    return tuple(line)


def window(cells: Sequence[float], shape: Sequence[int]) -> tuple[int, int, int, int]:
    """First row and column, rows and columns of the part of a map around a region."""
    height, width = shape[-2:]
    found = []
    for low, high, size in ((cells[1], cells[3], height), (cells[0], cells[2], width)):
        first = max(min(math.floor(low) - 1, size - 3), 0)
        last = min(max(math.ceil(high) + 1, first + 3), size)
        if last - first > _MOST:
            last = first + _MOST
        found.append((first, last - first))
    return found[0][0], found[1][0], found[0][1], found[1][1]


def cropped(block: Block, part: tuple[int, int, int, int]) -> Block:
    """A block of one grid that shows a part of it."""
    row, column, rows, columns = part
    [[panel]] = block.rows
    name = panel.title.rpartition(" ")[0]  # its size is not what is shown
    title = f"{name}, rows {row}-{row + rows - 1}, cols {column}-{column + columns - 1}"
    small = replace(panel, first=(row, column), rows=rows, columns=columns, title=title)
    return replace(block, rows=((small,),))


def pool_marks(pool: Walkthrough, last: int) -> list[Drawn]:
    """The snapped region and its bins, in feature cells, up to a last step."""
    marks = [
        Drawn("rect", (left, top, right, bottom), "muted", (2, last))
        for top, left, bottom, right in pool.facts["bins"]
        if right > left and bottom > top
    ]
    return [*marks, Drawn("rect", tuple(snapped_box(pool)), "kernel", (1, last), True)]


def snapped_box(pool: Walkthrough) -> list[float]:
    """Outer edges of the snapped region, x1, y1, x2, y2 in feature cells."""
    pairs = zip(pool.facts["projected"], pool.facts["moved_cells"], strict=True)
    return [value + moved for value, moved in pairs]


def align_marks(align: Walkthrough, last: int, first: int) -> list[Drawn]:
    """Bins and points, in feature cells: the value of cell i stands at its centre, i + 0.5.

    Args:
        align: a walkthrough of ``roi_align``.
        last: step of the timeline.
        first: step of the timeline that belongs to the first point.
    """
    facts = align.facts
    x, y = facts["projected"][0] + 0.5, facts["projected"][1] + 0.5
    high, wide = facts["bin_size"]
    shape = align.operands["output"].array.shape[-2:]
    marks = [
        Drawn(
            "rect",
            (x + j * wide, y + i * high, x + (j + 1) * wide, y + (i + 1) * high),
            "muted",
            (1, last),
            True,
        )
        for i in range(shape[0])
        for j in range(shape[1])
    ]
    for k, (py, px) in enumerate(facts["points"]):
        at = (px + 0.5, py + 0.5)
        marks.append(Drawn("point", at, "muted", (1, last)))
        now = first + k
        marks.append(Drawn("point", at, "kernel", (now, now)))
    return marks


def align_box(align: Walkthrough) -> list[float]:
    """The region that Align divides, x1, y1, x2, y2 in feature cells as they are drawn."""
    shape = align.operands["output"].array.shape[-2:]
    x, y = align.facts["projected"][0] + 0.5, align.facts["projected"][1] + 0.5
    high, wide = align.facts["bin_size"]
    return [x, y, x + wide * shape[1], y + high * shape[0]]


def backward_stage(
    pool: Walkthrough, align: Walkthrough, box: Sequence[float], scale: float
) -> Stage:
    """Where the gradient of each output lands, for both operators."""
    cells = [v * scale for v in box]
    part = window(cells, pool.operands["input"].array.shape)
    true = Drawn("rect", tuple(cells), "input", drag=Drag("box", -1, 1 / scale))
    views = []
    titles = ("RoI Pool: to the maximum", "RoI Align: to the neighbours")
    for walk, title in zip((pool, align), titles, strict=True):
        block = cropped(grid(walk, "output", "grad of x", "→", decimals=2), part)
        views.append(
            View(
                title,
                walk,
                (
                    grid(walk, "grad_output", "grad of y"),
                    block.with_marks("output", [true]),
                ),
            )
        )
    return Stage(tuple(views))


def photo_stage(
    pool: Walkthrough,
    align: Walkthrough,
    box: Sequence[float],
    scale: float,
    picture: bytes,
    size: tuple[int, int],
) -> Stage:
    """The region on the photo: where it was drawn, where each operator reads.

    Args:
        pool, align, box, scale: as in ``roi_stage``.
        picture: JPEG file of the photo.
        size: width and height of the photo in pixels.
    """

    def pixels(cells: Sequence[float]) -> tuple[float, ...]:
        return tuple(v / scale for v in cells)

    marks = (
        Drawn("rect", pixels(snapped_box(pool)), "kernel", dashed=True),
        Drawn("rect", pixels(align_box(align)), "output", dashed=True),
        Drawn("rect", tuple(float(v) for v in box), "input", drag=Drag("box")),
    )
    board = Panel(
        "",
        "photo: drag the box, or draw one",
        "input",
        size[1],
        size[0],
        marks=marks,
        picture=picture,
        scale=16,
        draw=Drag("box"),
    )
    last = len(align.steps) - 1
    return Stage((View("", align, (Block(((board,),)),)),), ((last,),))
