"""The view of average precision: photos with their boxes, and the curve that grows with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from vision_core.figures.stage import Block, Drawn, Panel, grid
from vision_core.walkthroughs.types import Walkthrough

_SIDE = 100.0
"""Of the board of the curve: precision and recall in hundredths."""
_MARGIN = 6.0
_BESIDE = 4
"""Photos in a row."""
_LISTED = 12
"""Detections whose precision and recall stand beside the curve at most."""


@dataclass(frozen=True)
class Backdrop:
    """A photo behind its boxes: a JPEG or PNG file, and its size in pixels."""

    picture: bytes
    width: int
    height: int


def curve_blocks(walk: Walkthrough, backdrops: Mapping[str, Backdrop] | None = None) -> list[Block]:
    """Boards of the photos, the growing curve, and the areas by three rules.

    Args:
        walk: of ``average_precision``.
        backdrops: photos by name; a photo without one is an empty board.
    """
    photos = walk.facts["photos"]
    boards = [_photo(walk, i, (backdrops or {}).get(name)) for i, name in enumerate(photos)]
    rows = tuple(tuple(boards[at : at + _BESIDE]) for at in range(0, len(boards), _BESIDE))
    blocks = [Block(rows), Block(((_curve(walk),),))]
    if 0 < len(walk.facts["hits"]) <= _LISTED:
        blocks += [grid(walk, name, along="column", decimals=2) for name in ("precision", "recall")]
    title = "areas"
    return [*blocks, grid(walk, "output", title, "→", along="column", decimals=3)]


def _photo(walk: Walkthrough, photo: int, behind: Backdrop | None) -> Panel:
    """The boxes of a photo: true ones from the start, detections one by one."""
    truth, found = walk.operands["truth"].array, walk.operands["detections"].array
    ends, matched = len(walk.steps) - 1, walk.facts["matched"]
    when = {row: k for k, row in enumerate(matched) if row >= 0}
    few = len(walk.facts["photos"]) < 4
    marks = []
    for row in np.flatnonzero(truth[:, 0] == photo).tolist():
        at = _corners(truth[row, 1:])
        until = when.get(row, ends + 1)
        if until > 0:
            marks.append(
                Drawn("rect", at, "kernel", (0, min(until - 1, ends)), True, "true" if few else "")
            )
        if until <= ends:
            marks.append(Drawn("rect", at, "kernel", (until, ends)))
    for k in np.flatnonzero(found[:, 0] == photo).tolist():
        at, hit = _corners(found[k, 2:]), matched[k] >= 0
        word = f"{found[k, 1]:.2f} {'hit' if hit else 'false'}"
        marks.append(Drawn("rect", at, "input", (k, k), label=word))
        if k < ends:
            later = (k + 1, ends)
            marks.append(Drawn("rect", at, "output" if hit else "muted", later, not hit))
    if behind is not None:
        wide, high = float(behind.width), float(behind.height)
    else:
        corners = np.array([mark.at for mark in marks] or [(0, 0, 1, 1)])
        wide, high = (max(float(corners[:, i].max()) * 1.08, 1.0) for i in (2, 3))
    return Panel(
        "",
        walk.facts["photos"][photo][:24],
        "input",
        high,
        wide,
        marks=tuple(marks),
        picture=None if behind is None else behind.picture,
        scale=5 if few else 3,
    )


def _corners(box: np.ndarray) -> tuple[float, ...]:
    x, y, width, height = (float(v) for v in box)
    return (x, y, x + width, y + height)


def _curve(walk: Walkthrough) -> Panel:
    """Recall to the right, precision upwards; at the end the greatest precision from there on."""
    ends = len(walk.steps) - 1
    precision, recall = (walk.operands[n].array for n in ("precision", "recall"))
    points = [_place(r, p) for r, p in zip(recall, precision, strict=True)]
    corner, low = _place(0.0, 1.0), _place(1.0, 0.0)
    marks = [Drawn("rect", (*corner, *low), "muted", dashed=True)]
    for k, (x, y) in enumerate(points):
        marks.append(Drawn("point", (x, y), "input", (k, ends)))
    for k, (a, b) in enumerate(pairwise(points), 1):
        if a != b:
            marks.append(Drawn("line", (*a, *b), "input", (k, ends)))
    best = np.maximum.accumulate(precision[::-1])[::-1]
    before = 0.0
    for r, p in zip(recall.tolist(), best.tolist(), strict=True):
        if r > before:
            marks.append(Drawn("line", (*_place(before, p), *_place(r, p)), "output", (ends, ends)))
            before = r
    side = _SIDE + 2 * _MARGIN
    title = "precision (up) by recall (right)"
    return Panel("", title, "input", side, side, marks=tuple(marks), scale=5)


def _place(recall: float, precision: float) -> tuple[float, float]:
    return (_MARGIN + _SIDE * float(recall), _MARGIN + _SIDE * (1 - float(precision)))
