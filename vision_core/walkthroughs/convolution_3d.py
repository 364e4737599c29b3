"""Convolution over a film: rows, columns and frames."""

from __future__ import annotations

from typing import Any

from vision_core.errors import UserError
from vision_core.walkthroughs import params
from vision_core.walkthroughs.layer import places
from vision_core.walkthroughs.record import (
    NOTHING,
    RawTerm,
    Recorder,
    check_terms,
    num,
    signed,
    summed,
)
from vision_core.walkthroughs.types import Role, Walkthrough

_AXES = ("frames", "height", "width")


def convolution_3d(
    input: Any, weight: Any, bias: Any = 0, stride: Any = 1, padding: Any = 0
) -> Walkthrough:
    """``torch.nn.functional.conv3d`` on one channel with one filter, one output cell a step.

    The kernel slides in three directions: over rows and columns, and over the frames of a film. It
    sees motion, which no filter of single frames does (Ji et al. 2010; Tran et al. 2015).

    Args:
        input: T x H x W numbers, a grey film.
        weight: T x H x W numbers of the kernel.
        bias: a number.
        stride, padding: a whole number, or one each for frames, rows and columns; padding adds
            zeros.

    Returns:
        reduction ``sum``; taps on the padding are left out. ``facts``: ``output_size``,
        ``kernel_size``, ``stride``, ``padding``, ``weights``, ``multiplications``.

    Raises:
        UserError: shapes or numbers that do not fit.
    """
    x = params.numbers(input, "input", (3,))
    w = params.numbers(weight, "weight", (3,))
    start = params.number(bias, "bias")
    steps, pads = params.sizes(stride, "stride", 3, 1), params.sizes(padding, "padding", 3, 0)
    size, formula = [], []
    for n, k, s, p, axis in zip(x.shape, w.shape, steps, pads, _AXES, strict=True):
        if n + 2 * p < k:
            raise UserError(
                f"The kernel spans {k} {axis} and the padded film has only {n + 2 * p}; make the "
                "kernel smaller or the padding larger."
            )
        size.append((n + 2 * p - k) // s + 1)
        formula.append(f"{axis}: ({n} + 2·{p} - {k}) / {s} + 1 = {size[-1]}")
    check_terms(size[0] * size[1] * size[2] * w.size)
    recorder = Recorder(size, "sum")
    for place in places(tuple(size)):
        sources, words = [], []
        for tap in places(w.shape):
            read = tuple(i * s - p + u for i, s, p, u in zip(place, steps, pads, tap, strict=True))
            if all(0 <= r < n for r, n in zip(read, x.shape, strict=True)):
                value, factor = float(x[read]), float(w[tap])
                reads = (("input", read), ("weight", tap))
                sources.append(RawTerm(value * factor, reads))
                words.append(f"{signed(value)}·{signed(factor)}")
        if start:
            sources.append(RawTerm(start, (("bias", (0,)),)))
            words.append(num(start))
        recorder.step([(place, sources or [NOTHING])], summed(words))
    operands: dict[str, tuple[Role, Any]] = {"input": ("input", x), "weight": ("kernel", w)}
    if start:
        operands["bias"] = ("kernel", params.numbers([start], "bias", (1,)))
    facts = {
        "output_size": size,
        "kernel_size": list(w.shape),
        "stride": list(steps),
        "padding": list(pads),
        "weights": int(w.size),
        "multiplications": int(w.size * recorder.output.size),
    }
    return recorder.finish("convolution_3d", operands, formula, facts)
