"""Small made-up results for tests that need no network."""

from __future__ import annotations

import numpy as np

from vision_core.records import Cut, DetectionTrace, Thresholds, TraceInfo


def make_trace(
    seed: int,
    n: int,
    labels: tuple[str, ...] = ("cat", "dog", "cow"),
    size: tuple[int, int] = (200, 160),
) -> DetectionTrace:
    """A trace of n random boxes in clusters, distinct scores, on a photo of the given size."""
    rng = np.random.default_rng(seed)
    width, height = size
    centres = rng.uniform(0.1, 0.9, (max(1, n // 6), 2)) * [width, height]
    middle = centres[rng.integers(len(centres), size=n)] + rng.normal(0, 4, (n, 2))
    half = rng.uniform(4, 30, (n, 2))
    boxes = np.concatenate([middle - half, middle + half], 1)
    boxes = boxes.clip(0, [width, height, width, height]).astype(np.float32)
    scores = rng.permutation(np.linspace(0.01, 0.99, n)).astype(np.float32)
    class_scores = rng.dirichlet(np.ones(len(labels)), n).astype(np.float32)
    arrays = {
        "boxes": boxes,
        "boxes_net": boxes * np.float32(0.5),
        "scores": scores,
        "label_ids": rng.integers(0, len(labels), n),
        "source": np.arange(n),
        "level": np.zeros(n, np.int64),
        "class_scores": class_scores,
        "source_boxes_net": boxes * np.float32(0.5),
        "source_objectness": np.ones(n, np.float32),
        "source_index": np.arange(n),
    }
    for array in arrays.values():
        array.setflags(write=False)
    info = TraceInfo(
        "made_up",
        "fcos",
        f"seed-{seed}",
        labels,
        "0" * 64,
        "made-up.png",
        size,
        (width // 2, height // 2),
        "cpu",
        {"network": 1.0},
    )
    return DetectionTrace(
        info=info,
        funnel=(Cut("candidates", n, None, "made up"),),
        floor=0.001,
        defaults=Thresholds(),
        **arrays,
    )
