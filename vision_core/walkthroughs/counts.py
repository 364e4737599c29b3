"""How many weights, neurons and multiplications layers have."""

from __future__ import annotations

import math
from collections.abc import Sequence


def convolution_counts(
    channels: int,
    out_channels: int,
    kernel: Sequence[int],
    size: Sequence[int],
    groups: int = 1,
    bias: bool = True,
) -> dict[str, int]:
    """Counts of one convolution.

    Args:
        channels, out_channels: of input and output.
        kernel, size: of the kernel and of the output, without channels.

    Returns:
        ``weights`` and ``biases`` (learned), ``weights_per_filter`` (bias included), ``neurons``
        (output cells), ``multiplications`` and ``multiplications_per_position``.
    """
    per_filter = channels // groups * math.prod(kernel)
    weights = per_filter * out_channels
    return {
        "weights": weights,
        "biases": out_channels if bias else 0,
        "weights_per_filter": per_filter + int(bias),
        "neurons": out_channels * math.prod(size),
        "multiplications_per_position": weights,
        "multiplications": weights * math.prod(size),
    }


def bottleneck_counts(channels: int = 256, narrow: int = 64, kernel: int = 3) -> dict[str, int]:
    """Multiplications a position: one plain convolution, and one between two 1x1 ones.

    The standard example (He et al. 2016, arXiv:1512.03385): 589,824 against 69,632.
    """

    def chain(*layers: tuple[int, int, int]) -> int:
        return sum(
            convolution_counts(a, b, (k, k), (1, 1))["multiplications_per_position"]
            for a, b, k in layers
        )

    return {
        "plain": chain((channels, channels, kernel)),
        "bottleneck": chain((channels, narrow, 1), (narrow, narrow, kernel), (narrow, channels, 1)),
    }
