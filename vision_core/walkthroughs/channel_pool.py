"""Pooling across channels: the largest of several maps at each place (maxout)."""

from __future__ import annotations

from typing import Any

from vision_core.errors import UserError
from vision_core.walkthroughs import params
from vision_core.walkthroughs.layer import places
from vision_core.walkthroughs.record import RawTerm, Recorder, at, check_terms, num
from vision_core.walkthroughs.types import Walkthrough, Write


def channel_pool(input: Any, kernel_size: Any = 2) -> Walkthrough:
    """The largest of ``kernel_size`` neighbouring channels at each place, one cell a step.

    Rows and columns stay as they are, and the channels become fewer. On the maps of as many linear
    filters this is maxout (Goodfellow et al. 2013, arXiv:1302.4389), an activation that is learned.

    Args:
        input: C x H x W numbers, or C x L.
        kernel_size: channels of a group; it divides C.

    Returns:
        reduction ``max``; the output has C / ``kernel_size`` channels. ``facts``: ``winners``, the
        channel of each maximum in the output's shape (the first of equal ones), and ``groups``.

    Raises:
        UserError: numbers that do not fit.
    """
    x = params.numbers(input, "input", (2, 3))
    size = params.whole(kernel_size, "kernel_size", 1)
    if len(x) % size:
        raise UserError(f"kernel_size must divide the {len(x)} channels, and {size} does not.")
    check_terms(x.size)
    recorder = Recorder((len(x) // size, *x.shape[1:]), "max")
    winners = x.reshape(-1, size, *x.shape[1:]).argmax(1)
    for group in range(len(x) // size):
        first = group * size
        winners[group] += first
        for place in places(x.shape[1:]):
            cells = [(first + c, *place) for c in range(size)]
            sources = [RawTerm(float(x[cell]), (("input", cell),)) for cell in cells]
            values = ", ".join(num(float(x[cell])) for cell in cells)
            channel = int(winners[(group, *place)])

            def text(done: list[Write], values: str = values, channel: int = channel) -> str:
                value = num(done[0].value)
                return f"y{at(done[0].cell)} = max({values}) = {value}, from channel {channel}"

            recorder.step([((group, *place), sources)], text)
    line = f"{len(x)} channels / {size} = {len(x) // size}; rows and columns stay"
    facts = {"winners": winners.tolist(), "groups": len(x) // size, "kernel_size": size}
    return recorder.finish("channel_pool", {"input": ("input", x)}, [line], facts)
