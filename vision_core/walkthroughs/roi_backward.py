"""The way back through RoI pooling and RoI Align: which feature cells an output's gradient reaches.

RoI Pool sends it to the one cell whose maximum won, RoI Align to the neighbours of all points.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from vision_core.errors import UserError
from vision_core.walkthroughs import params
from vision_core.walkthroughs.record import NOTHING, RawTerm, Recorder, at, check_terms, num
from vision_core.walkthroughs.roi_align import neighbours, roi_align
from vision_core.walkthroughs.roi_pool import Region, make_region, roi_pool
from vision_core.walkthroughs.types import Array, Cell, Walkthrough


def roi_pool_backward(
    input: Any, box: Any, output_size: Any = 2, spatial_scale: Any = 1.0, grad_output: Any = None
) -> Walkthrough:
    """The gradient of the features under ``torchvision.ops.roi_pool`` of one region.

    Args:
        input, box, output_size, spatial_scale: as in ``roi_pool``.
        grad_output: gradient of the output, in its shape; ones where left out.

    Returns:
        reduction ``sum``, in the shape of the input. Step 0 sets all to 0, every further step
        belongs to one bin: its gradient goes to the cell with the maximum, of equal ones to the
        first, row by row; a bin without a cell has none.

    Raises:
        UserError: numbers that do not fit, or a box off the picture.
    """
    region = make_region(input, box, output_size, spatial_scale)
    forward = roi_pool(input, box, output_size, spatial_scale)
    recorder, gradient = _start(region, grad_output)
    for index, (top, left, bottom, right) in enumerate(forward.facts["bins"]):
        bin_cell = divmod(index, region.bins[1])
        inner = [(y, x) for y in range(top, bottom) for x in range(left, right)]
        writes = []
        for channel, plane in enumerate(region.x):
            if inner:
                best = max(inner, key=lambda cell: plane[cell])
                read = region.cell(channel, bin_cell)
                source = RawTerm(float(gradient[read]), (("grad_output", read),))
                writes.append((region.cell(channel, best), [source]))
        where = ", ".join(f"x{at(cell)}" for cell, _ in writes) or "nowhere: the bin is empty"
        recorder.step(writes, f"the gradient of y{at(bin_cell)} goes to {where}")
    return _finish("roi_pool_backward", recorder, region, gradient, forward)


def roi_align_backward(
    input: Any,
    box: Any,
    output_size: Any = 2,
    spatial_scale: Any = 1.0,
    sampling_ratio: Any = -1,
    aligned: Any = False,
    grad_output: Any = None,
) -> Walkthrough:
    """The gradient of the features under ``torchvision.ops.roi_align`` of one region.

    Args:
        input, box, output_size, spatial_scale, sampling_ratio, aligned: as in ``roi_align``.
        grad_output: gradient of the output, in its shape; ones where left out.

    Returns:
        reduction ``sum``, in the shape of the input. Step 0 sets all to 0, every further step
        belongs to one bin: its gradient is shared out over the neighbours of its points, by
        bilinear weight over the number of points (each term's ``weights``).

    Raises:
        UserError: numbers that do not fit, or a box off the picture.
    """
    region = make_region(input, box, output_size, spatial_scale)
    forward = roi_align(input, box, output_size, spatial_scale, sampling_ratio, aligned)
    recorder, gradient = _start(region, grad_output)
    grid = forward.facts["points_per_bin"]
    count = grid[0] * grid[1]
    check_terms(len(forward.facts["points"]) * 4 * region.x.shape[0])
    for index in range(region.bins[0] * region.bins[1]):
        bin_cell = divmod(index, region.bins[1])
        points = forward.facts["points"][index * count : (index + 1) * count]
        shares: dict[Cell, list[float]] = {}
        for y, x in points:
            for cell, weight in neighbours(y, x, region.height, region.width):
                shares.setdefault(cell, []).append(weight / count)
        writes = []
        for channel in range(region.x.shape[0]):
            read = region.cell(channel, bin_cell)
            for cell, weights in shares.items():
                sources = [
                    RawTerm(w * float(gradient[read]), (("grad_output", read),), (w,))
                    for w in weights
                ]
                writes.append((region.cell(channel, cell), sources))
        total = num(sum(sum(w) for w in shares.values()))
        recorder.step(
            writes,
            f"the gradient of y{at(bin_cell)} is shared out over {len(shares)} "
            f"cells; the shares add up to {total}",
        )
    return _finish("roi_align_backward", recorder, region, gradient, forward)


def _start(region: Region, grad_output: Any) -> tuple[Recorder, Array]:
    """The recorder after step 0, and the gradient of the output."""
    shape = region.output_shape
    given = np.ones(shape) if grad_output is None else grad_output
    gradient = params.numbers(given, "grad_output", (len(shape),))
    if gradient.shape != shape:
        raise UserError(
            f"grad_output must have the output's shape {list(shape)}, not {list(gradient.shape)}."
        )
    recorder = Recorder(region.features().shape, "sum")
    cells = [tuple(int(i) for i in c) for c in np.ndindex(*recorder.output.shape)]
    recorder.step(
        [(cell, [NOTHING]) for cell in cells], "every gradient of the features starts at 0"
    )
    return recorder, gradient


def _finish(
    name: str, recorder: Recorder, region: Region, gradient: Array, forward: Walkthrough
) -> Walkthrough:
    return recorder.finish(
        name,
        {"input": ("input", region.features()), "grad_output": ("input", gradient)},
        forward.formula,
        forward.facts,
    )
