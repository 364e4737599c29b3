"""Convolution, 1-D and 2-D, one output cell a step."""

from __future__ import annotations

from typing import Any

from vision_core.walkthroughs import params
from vision_core.walkthroughs.counts import convolution_counts
from vision_core.walkthroughs.layer import Layer, conv_size, inside, make_layer, places, volume
from vision_core.walkthroughs.record import (
    NOTHING,
    RawTerm,
    Recorder,
    check_terms,
    num,
    signed,
    summed,
)
from vision_core.walkthroughs.types import Cell, Walkthrough


def convolution(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: Any = 1,
    flip: Any = False,
) -> Walkthrough:
    """``torch.nn.functional.conv1d`` or ``conv2d`` on one picture, one output cell a step.

    Args:
        input: L or H x W numbers, or C x L, C x H x W.
        weight: K or K x K for one channel, or O x C/groups x K (x K); its depth of nesting says
            whether the convolution is 1-D or 2-D.
        bias: O numbers.
        stride, padding, dilation: a whole number, or one per axis; padding adds zeros.
        groups: input and output channels are split into so many separate convolutions.
        flip: turn the kernel round, as mathematics defines convolution; networks do not, so
            that theirs is a correlation.

    Returns:
        reduction ``sum``; taps on the padding are left out, they add nothing. The output has a
        channel axis unless both operands came without one. ``facts``: ``output_size``,
        ``unreached`` (padded cells per axis that the last window misses), ``stride``, ``padding``
        and ``dilation`` per axis, ``flip``, ``weights``, ``biases``, ``neurons``,
        ``multiplications`` and ``multiplications_per_position`` (taps on padding included, as
        usual).

    Raises:
        UserError: shapes or numbers that do not fit.
    """
    turned = params.flag(flip, "flip")
    layer = make_layer(input, weight, bias, stride, padding, dilation, groups, False)
    size, formula, unreached = conv_size(layer)
    check_terms(volume(size) * layer.w.size)
    recorder = Recorder(layer.output_shape(size), "sum")
    for channel in range(layer.out_channels):
        for place in places(size):
            sources, words = _window(layer, channel, place, turned)
            recorder.step(
                [(layer.y_cell(channel, place), sources or [NOTHING])],
                summed(words),
            )
    facts = {
        "kind": "convolution (kernel flipped)" if turned else "correlation",
        "flip": turned,
        "output_size": list(size),
        "unreached": unreached,
        **layer.geometry(),
        **convolution_counts(
            layer.x.shape[0],
            layer.out_channels,
            layer.kernel,
            size,
            layer.groups,
            layer.bias is not None,
        ),
    }
    return recorder.finish("convolution", layer.operands(), formula, facts)


def _window(layer: Layer, channel: int, place: Cell, flip: bool) -> tuple[list[RawTerm], list[str]]:
    """Terms of one output cell, and their words."""
    depth = layer.w.shape[1]
    first = channel // (layer.out_channels // layer.groups) * depth
    corner = [i * s - p for i, s, p in zip(place, layer.stride, layer.padding, strict=True)]
    sources, words = [], []
    for c in range(depth):
        for tap in places(layer.kernel):
            read = tuple(a + u * d for a, u, d in zip(corner, tap, layer.dilation, strict=True))
            if not inside(read, layer.size):
                continue
            used = tuple(k - 1 - u for k, u in zip(layer.kernel, tap, strict=True)) if flip else tap
            x, w = float(layer.x[first + c][read]), float(layer.w[channel, c][used])
            cells = (
                ("input", layer.x_cell(first + c, read)),
                ("weight", layer.w_cell(channel, c, used)),
            )
            sources.append(RawTerm(x * w, cells))
            words.append(f"{signed(x)}·{signed(w)}")
    start = layer.start(channel)
    return sources + start, words + [num(s.value) for s in start]
