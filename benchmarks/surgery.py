"""What all subsets of residual blocks cost in plain passes: python -m benchmarks.surgery"""

from __future__ import annotations

import time

from benchmarks.common import network, report
from vision_core.inference import trace
from vision_core.samples import sample
from vision_core.surgery import Plan, Skip
from vision_core.surgery.operate import operate
from vision_core.surgery.parts import blocks_of
from vision_core.surgery.unravel import unravel

REPEATS = 20


def main() -> None:
    """Print seconds of all subsets, as a ratio to as many passes, and of making one copy."""
    photo = sample("cat")
    for name in ("resnet_s", "fcos_s", "fcn_voc_s"):
        model = network(name)
        blocks = tuple(block.name for block in blocks_of(model.module))
        trace(model, photo)
        start = time.perf_counter()
        for _ in range(REPEATS):
            trace(model, photo)
        each = (time.perf_counter() - start) / REPEATS
        start = time.perf_counter()
        count = sum(1 for _ in unravel(model, photo, blocks))
        whole = time.perf_counter() - start
        start = time.perf_counter()
        for _ in range(REPEATS):
            operate(model, Plan((Skip(blocks[0]),)))
        copy = (time.perf_counter() - start) / REPEATS
        report(
            "surgery",
            model=name,
            blocks=len(blocks),
            subsets=count,
            seconds=whole,
            ratio_to_plain_passes=whole / (count * each),
            copy_ms=1000 * copy,
            copy_ratio_to_a_pass=copy / each,
        )


if __name__ == "__main__":
    main()
