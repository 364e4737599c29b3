"""``select`` on 1,000 candidates against running the network again.

Promise: at most 2 ms median; at least 200 times faster than the bundled detector, 1,000 times
faster than the ResNet-50 two-stage network. Run: python -m benchmarks.select_time
"""

from __future__ import annotations

import dataclasses
import functools
import statistics
from typing import Any

import numpy as np
import torch

from benchmarks.common import cat, milliseconds, network, report, tensor_of
from vision_core.inference import DetectionTrace, trace
from vision_core.selection import Thresholds, select

PER_CANDIDATE = ("boxes", "boxes_net", "scores", "label_ids", "source", "level")


def with_candidates(found: DetectionTrace, count: int) -> DetectionTrace:
    """The best ``count`` candidates of a trace, or the lot repeated with a little noise."""
    rng = np.random.default_rng(0)
    rows = np.argsort(-found.scores, kind="stable")[:count]
    rows = np.concatenate([rows, rng.integers(0, len(found), max(0, count - len(rows)))])
    arrays: dict[str, Any] = {name: getattr(found, name)[rows] for name in PER_CANDIDATE}
    for name in ("boxes", "boxes_net"):
        noise = rng.normal(0, 1, arrays[name].shape).astype(np.float32)
        arrays[name] = np.clip(arrays[name] + noise, 0, None)
    return dataclasses.replace(found, **arrays)


def main() -> None:
    """Time both and print the ratios."""
    photo = cat()
    figures: dict[str, Any] = {}
    for name, wanted in (("fcos_s", 200), ("fasterrcnn_resnet50_fpn", 1000)):
        model = network(name)
        found = with_candidates(trace(model, photo), 1000)
        everything = functools.partial(select, found, Thresholds(score=0.0))
        select_ms = statistics.median(milliseconds(everything, 101))
        image = [tensor_of(photo)]
        with torch.inference_mode():
            forward = milliseconds(functools.partial(model.module, image), 5)
        forward_ms = statistics.median(forward)
        figures[name] = {
            "candidates": len(found),
            "select_ms": round(select_ms, 3),
            "forward_ms": round(forward_ms, 1),
            "ratio": round(forward_ms / select_ms, 1),
            "promised_ratio": wanted,
            "promised_select_ms": 2.0,
        }
    report("select_time", **figures)


if __name__ == "__main__":
    main()
