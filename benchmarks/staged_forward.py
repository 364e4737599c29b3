"""Staged inference against torchvision's plain forward, on the same network and photo.

Promise: trace plus select takes at most 1.05 times the plain forward.
Run: python -m benchmarks.staged_forward
"""

from __future__ import annotations

from typing import Any

import torch

from benchmarks.common import cat, in_turn, network, report, tensor_of
from vision_core.inference import trace
from vision_core.models import Model
from vision_core.selection import Thresholds

NAMES = ("fcos_s", "ssdlite320_mobilenet_v3_large", "fasterrcnn_mobilenet_v3_large_fpn")


def compare(model: Model, repeats: int) -> dict[str, Any]:
    """Median milliseconds of both, taken in turn."""
    photo = cat()
    defaults = Thresholds.torchvision(model)

    def plain() -> None:
        with torch.inference_mode():
            model.module([tensor_of(photo)])

    staged, forward = in_turn(lambda: trace(model, photo).select(defaults), plain, repeats)
    return {
        "staged_ms": round(staged, 2),
        "plain_ms": round(forward, 2),
        "ratio": round(staged / forward, 3),
        "promised_ratio": 1.05,
    }


def main() -> None:
    """Compare one network of each kind of head."""
    report("staged_forward", **{name: compare(network(name), 15) for name in NAMES})


if __name__ == "__main__":
    main()
