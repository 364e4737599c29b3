"""RoI pooling of one region: every rounding, then the maximum of each bin."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from vision_core.errors import UserError
from vision_core.walkthroughs import params
from vision_core.walkthroughs.record import NOTHING, RawTerm, Recorder, at, check_terms, listed, num
from vision_core.walkthroughs.types import Array, Cell, Walkthrough, Write


@dataclass(frozen=True, eq=False)
class Region:
    """Checked parameters of RoI pooling and RoI Align.

    Attributes:
        x: features, C x H x W.
        plain: the user gave no channel axis, so none is shown.
        box: x1, y1, x2, y2 in pixels of the photo.
        projected: the same in feature cells, box * scale.
        bins: rows and columns of the output.
        scale: feature cells per pixel of the photo.
    """

    x: Array
    plain: bool
    box: tuple[float, ...]
    projected: tuple[float, ...]
    bins: tuple[int, ...]
    scale: float

    @property
    def height(self) -> int:
        return self.x.shape[1]

    @property
    def width(self) -> int:
        return self.x.shape[2]

    @property
    def output_shape(self) -> tuple[int, ...]:
        return self.bins if self.plain else (self.x.shape[0], *self.bins)

    def cell(self, channel: int, place: Cell) -> Cell:
        return place if self.plain else (channel, *place)

    def features(self) -> Array:
        """In the shape in which they were given."""
        return self.x[0] if self.plain else self.x


def make_region(input: Any, box: Any, output_size: Any, spatial_scale: Any) -> Region:
    """Check what both operators take; see ``roi_pool``.

    Raises:
        UserError: numbers that do not fit, or a box that does not touch the feature map.
    """
    x = params.numbers(input, "input", (2, 3))
    plain = x.ndim == 2
    x = x[None] if plain else x
    corners = params.numbers(box, "box", (1,))
    if corners.size != 4 or corners[0] > corners[2] or corners[1] > corners[3]:
        raise UserError(
            "box must be [x1, y1, x2, y2] in pixels of the photo with x1 <= x2 and y1 <= y2."
        )
    scale = params.number(spatial_scale, "spatial_scale", above=0)
    projected = tuple(float(v) * scale for v in corners)
    height, width = x.shape[1:]
    outside = projected[0] >= width or projected[1] >= height
    if outside or projected[2] < 0 or projected[3] < 0:
        raise UserError(
            f"The box lies off the picture: on the {width} x {height} feature map it is "
            f"{[round(v, 3) for v in projected]}."
        )
    if max(abs(v) for v in projected) > 1e6:
        raise UserError("The box reaches more than a million feature cells; make it smaller.")
    bins = params.sizes(output_size, "output_size", 2, 1)
    check_terms(math.prod(bins) * x.shape[0])
    return Region(x, plain, tuple(float(v) for v in corners), projected, bins, scale)


def projection_line(region: Region) -> str:
    """The box in feature cells, as a line of mathematics."""
    shown = [num(v) for v in region.box]
    return (
        f"box ({listed(shown, ', ')}) · {num(region.scale)} = "
        f"({listed([num(v) for v in region.projected], ', ')}) in feature cells"
    )


def round_half_away(value: float) -> int:
    """C's ``round``, which ``roi_pool`` uses: halves go away from zero."""
    return int(math.copysign(math.floor(abs(value) + 0.5), value))


def roi_pool(input: Any, box: Any, output_size: Any = 2, spatial_scale: Any = 1.0) -> Walkthrough:
    """``torchvision.ops.roi_pool`` of one region (Girshick 2015, Fast R-CNN, arXiv:1504.08083).

    The first three steps write nothing: projection on the feature map, rounding of the corners
    to cells, division into bins. Every further step takes the maximum of one bin in all channels.

    Args:
        input: features, H x W or C x H x W numbers.
        box: x1, y1, x2, y2 in pixels of the photo.
        output_size: bins, a whole number or rows and columns.
        spatial_scale: feature cells per pixel of the photo, e.g. 1/32.

    Returns:
        reduction ``max``; a bin without a cell gives 0. ``facts``: ``projected`` (feature cells),
        ``snapped`` (first and last cell: x1, y1, x2, y2, both inside the region),
        ``moved_cells`` and ``moved_pixels`` (what rounding moved each edge by, outer edges of
        the cells against the projected box), ``bins`` (per bin y1, x1, y2, x2; ends are outside).

    Raises:
        UserError: numbers that do not fit, or a box off the picture.
    """
    region = make_region(input, box, output_size, spatial_scale)
    snapped = [round_half_away(v) for v in region.projected]
    # A region holds one cell at least, also where the corners are exchanged.
    spans = (max(snapped[3] - snapped[1] + 1, 1), max(snapped[2] - snapped[0] + 1, 1))
    rows = _edges(snapped[1], spans[0], region.bins[0], region.height)
    columns = _edges(snapped[0], spans[1], region.bins[1], region.width)
    cells = sum((b - a) * (d - c) for a, b in rows for c, d in columns if b > a and d > c)
    check_terms(cells * region.x.shape[0])
    recorder = Recorder(region.output_shape, "max")
    recorder.step([], projection_line(region))
    recorder.step(
        [],
        f"rounded to whole cells: columns {snapped[0]} to {snapped[2]}, rows "
        f"{snapped[1]} to {snapped[3]}",
    )
    recorder.step(
        [],
        f"{spans[0]} rows in {region.bins[0]} bins, {spans[1]} columns in "
        f"{region.bins[1]}: starts are floored, ends are rounded up",
    )
    for i, (top, bottom) in enumerate(rows):
        for j, (left, right) in enumerate(columns):
            inner = [(y, x) for y in range(top, bottom) for x in range(left, right)]
            recorder.step(_maxima(region, (i, j), inner), _bin_text(region, inner))
    outer = [snapped[0], snapped[1], snapped[0] + spans[1], snapped[1] + spans[0]]
    moved = [edge - value for edge, value in zip(outer, region.projected, strict=True)]
    facts = {
        "projected": list(region.projected),
        "snapped": snapped,
        "moved_cells": moved,
        "moved_pixels": [m / region.scale for m in moved],
        "bins": [[top, left, bottom, right] for top, bottom in rows for left, right in columns],
    }
    formula = (f"bin of {num(spans[0] / region.bins[0])} x {num(spans[1] / region.bins[1])} cells",)
    operands: dict[str, Any] = {"input": ("input", region.features())}
    return recorder.finish("roi_pool", operands, formula, facts)


def _edges(start: int, span: int, bins: int, size: int) -> list[tuple[int, int]]:
    """First cell and end of each bin along one axis, cut off at the feature map."""
    step = span / bins
    found = []
    for i in range(bins):
        low, high = math.floor(i * step) + start, math.ceil((i + 1) * step) + start
        found.append((min(max(low, 0), size), min(max(high, 0), size)))
    return found


def _maxima(region: Region, place: Cell, inner: Sequence[Cell]) -> list[tuple[Cell, list[RawTerm]]]:
    writes = []
    for channel, plane in enumerate(region.x):
        sources = [
            RawTerm(float(plane[cell]), (("input", region.cell(channel, cell)),)) for cell in inner
        ]
        writes.append((region.cell(channel, place), sources or [NOTHING]))
    return writes


def _bin_text(region: Region, inner: Sequence[Cell]) -> Callable[[list[Write]], str]:
    def text(done: list[Write]) -> str:
        results = listed([f"y{at(w.cell)} = {num(w.value)}" for w in done], ", ")
        if not inner:
            return f"the bin holds no cell: {results}"
        where = f"x{at(inner[0])} to x{at(inner[-1])}"
        if len(done) > 1:
            return f"maximum of {where} in every channel: {results}"
        values = listed([num(float(region.x[0][cell])) for cell in inner], ", ")
        return f"y{at(done[0].cell)} = max({values}) = {num(done[0].value)}, cells {where}"

    return text
