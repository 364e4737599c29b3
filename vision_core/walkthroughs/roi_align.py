"""RoI Align of one region: sampling points, four neighbours with their weights, the average."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from vision_core.walkthroughs import params
from vision_core.walkthroughs.record import NOTHING, RawTerm, Recorder, at, check_terms, listed, num
from vision_core.walkthroughs.roi_pool import Region, make_region, projection_line
from vision_core.walkthroughs.types import Cell, Walkthrough, Write

_Neighbours = list[tuple[Cell, float]]


def roi_align(
    input: Any,
    box: Any,
    output_size: Any = 2,
    spatial_scale: Any = 1.0,
    sampling_ratio: Any = -1,
    aligned: Any = False,
) -> Walkthrough:
    """``torchvision.ops.roi_align`` of one region (He et al. 2017, Mask R-CNN, arXiv:1703.06870).

    The first two steps write nothing: projection, and size of the bins. Every further step reads
    one sampling point of one bin in all channels; the written value is the average so far.

    Args:
        input: features, H x W or C x H x W numbers.
        box: x1, y1, x2, y2 in pixels of the photo.
        output_size: bins, a whole number or rows and columns.
        spatial_scale: feature cells per pixel of the photo, e.g. 1/32.
        sampling_ratio: points of a bin along each axis; 0 or less: as many as the bin has cells,
            rounded up.
        aligned: a pixel's value stands at its centre, so that half a cell is taken off the
            projected box; without it the region is at least one cell large.

    Returns:
        reduction ``average``; each term is the value of a point, with the bilinear ``weights`` of
        its reads. A point more than one cell off the map counts as 0. ``facts``: ``projected``
        (with the half cell taken off), ``bin_size``, ``points_per_bin`` (rows, columns),
        ``points`` (y, x of each sampling step, in feature cells).

    Raises:
        UserError: numbers that do not fit, or a box off the picture.
    """
    region = make_region(input, box, output_size, spatial_scale)
    half = 0.5 if params.flag(aligned, "aligned") else 0.0
    ratio = params.whole(sampling_ratio, "sampling_ratio", -1)
    x1, y1, x2, y2 = (v - half for v in region.projected)
    least = 0.0 if half else 1.0
    spans = (max(y2 - y1, least), max(x2 - x1, least))
    steps = tuple(span / n for span, n in zip(spans, region.bins, strict=True))
    grid = tuple(ratio if ratio > 0 else math.ceil(step) for step in steps)
    check_terms(math.prod(region.bins) * max(math.prod(grid), 1) * region.x.shape[0] * 4)
    recorder = Recorder(region.output_shape, "average")
    recorder.step([], projection_line(region) + (", less half a cell" if half else ""))
    recorder.step(
        [],
        f"nothing is rounded: bins of {num(steps[0])} x {num(steps[1])} cells, "
        f"{grid[0]} x {grid[1]} points in each",
    )
    points = _sample(recorder, region, (y1, x1), steps, grid)
    facts = {
        "projected": [x1, y1, x2, y2],
        "bin_size": list(steps),
        "points_per_bin": list(grid),
        "points": points,
    }
    formula = (
        f"height of a bin: {num(spans[0])} / {region.bins[0]} = {num(steps[0])}",
        f"width of a bin: {num(spans[1])} / {region.bins[1]} = {num(steps[1])}",
    )
    operands: dict[str, Any] = {"input": ("input", region.features())}
    return recorder.finish("roi_align", operands, formula, facts)


def _sample(
    recorder: Recorder,
    region: Region,
    start: tuple[float, float],
    steps: tuple[float, ...],
    grid: tuple[int, ...],
) -> list[list[float]]:
    """One step per sampling point; returns the points."""
    points = []
    for i in range(region.bins[0]):
        for j in range(region.bins[1]):
            if not math.prod(grid):  # an empty region: the average of nothing counts as 0
                writes = [(region.cell(c, (i, j)), [NOTHING]) for c in range(region.x.shape[0])]
                recorder.step(writes, f"bin {at((i, j))} has no point and gives 0")
            for a in range(grid[0]):
                for b in range(grid[1]):
                    y = start[0] + i * steps[0] + (a + 0.5) * steps[0] / grid[0]
                    x = start[1] + j * steps[1] + (b + 0.5) * steps[1] / grid[1]
                    points.append([y, x])
                    near = neighbours(y, x, region.height, region.width)
                    writes = _values(region, (i, j), near)
                    recorder.step(writes, _point_text(y, x, near, writes))
    return points


def neighbours(y: float, x: float, height: int, width: int) -> _Neighbours:
    """The four cells around a point and their bilinear weights, as torchvision takes them.

    Returns:
        (row, column) and weight; the weights add up to 1. Empty where the point is more than one
        cell off the map. Points within that cell are moved onto the edge.
    """
    if y < -1 or y > height or x < -1 or x > width:
        return []
    low_y, high_y, part_y = _between(y, height)
    low_x, high_x, part_x = _between(x, width)
    return [
        ((low_y, low_x), (1 - part_y) * (1 - part_x)),
        ((low_y, high_x), (1 - part_y) * part_x),
        ((high_y, low_x), part_y * (1 - part_x)),
        ((high_y, high_x), part_y * part_x),
    ]


def _between(value: float, size: int) -> tuple[int, int, float]:
    """The two cells around a place along one axis, and how far it is from the first."""
    value = max(value, 0.0)
    low = int(value)
    if low >= size - 1:
        return size - 1, size - 1, 0.0
    return low, low + 1, value - low


def _values(region: Region, place: Cell, near: _Neighbours) -> list[tuple[Cell, list[RawTerm]]]:
    writes = []
    for channel, plane in enumerate(region.x):
        value = sum(weight * float(plane[cell]) for cell, weight in near)
        reads = tuple(("input", region.cell(channel, cell)) for cell, _ in near)
        source = RawTerm(float(value), reads, tuple(weight for _, weight in near))
        writes.append((region.cell(channel, place), [source]))
    return writes


def _point_text(
    y: float, x: float, near: _Neighbours, writes: list[tuple[Cell, list[RawTerm]]]
) -> Callable[[list[Write]], str]:
    def text(done: list[Write]) -> str:
        values = listed([num(sources[0].value) for _, sources in writes], ", ")
        parts = listed([f"{num(weight)}·x{at(cell)}" for cell, weight in near])
        sums = f"{parts} = {values}" if near else "off the map, 0"
        results = listed([f"y{at(w.cell)} = {num(w.value)}" for w in done], ", ")
        return f"point ({num(y)}, {num(x)}): {sums}; average so far {results}"

    return text
