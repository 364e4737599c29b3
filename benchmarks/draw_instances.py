"""100 instances at 1920x1080, pasted and drawn: ours against torchvision's, time and memory.

Prints JSON. Promise: at most a tenth of torchvision's time and memory. Run:
python benchmarks/draw_instances.py
"""

from __future__ import annotations

import json
import statistics
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import torch
from torchvision.models.detection.roi_heads import paste_masks_in_image
from torchvision.utils import draw_bounding_boxes, draw_segmentation_masks

from vision_core.figures import draw
from vision_core.images import Photo, from_array
from vision_core.records import Detections, DetectionTrace, Selection, Thresholds, TraceInfo

HEIGHT, WIDTH, COUNT = 1080, 1920, 100


def scene() -> tuple[Photo, Selection, np.ndarray]:
    """A noisy photo with 100 overlapping instances of usual sizes."""
    rng = np.random.default_rng(0)
    photo = from_array(rng.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8))
    size = rng.uniform(30, 400, (COUNT, 2))
    corner = rng.uniform(0, 1, (COUNT, 2)) * ([WIDTH, HEIGHT] - size)
    boxes = np.concatenate([corner, corner + size], 1).astype(np.float32)
    y, x = np.mgrid[-1:1:28j, -1:1:28j]
    wobble = rng.uniform(0.5, 1, (COUNT, 1, 1)) * np.sin(np.arctan2(y, x) * 5)
    masks = (1 / (1 + np.exp(8 * (np.hypot(x, y) - 0.8 + 0.15 * wobble)))).astype(np.float32)
    n = np.arange(COUNT)
    scores = np.linspace(1, 0.5, COUNT, dtype=np.float32)
    names = ("person",)
    info = TraceInfo(
        "-", "mask_rcnn", "-", names, "-", "-", (WIDTH, HEIGHT), (WIDTH, HEIGHT), "cpu", {}
    )
    trace = DetectionTrace(
        info,
        boxes,
        boxes,
        scores,
        0 * n,
        n,
        0 * n,
        np.ones((COUNT, 1), np.float32),
        boxes,
        scores,
        n,
        (),
        0.0,
        Thresholds(),
    )
    found = Detections(n, boxes, scores, 0 * n, names * COUNT)
    kept = Selection(
        trace, Thresholds(), found, (0 * n).astype(np.uint8), 0 * n - 1, scores, scores, n
    )
    return photo, kept, masks


def theirs(photo: Photo, selection: Selection, masks: np.ndarray) -> torch.Tensor:
    """What torchvision's examples do."""
    boxes = torch.tensor(selection.detections.boxes)
    picture = torch.tensor(photo.pixels).permute(2, 0, 1)
    pasted = paste_masks_in_image(torch.tensor(masks)[:, None], boxes, (HEIGHT, WIDTH))
    painted = draw_segmentation_masks(picture, pasted[:, 0] >= 0.5, alpha=0.5)
    return draw_bounding_boxes(painted, boxes, list(selection.detections.labels))


def resident() -> int:
    """Resident memory of this process in bytes (Linux)."""
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * 4096


def peak(run: Callable[[], object]) -> int:
    """By how many bytes the resident memory rose at the most while running."""
    before, most, done = resident(), [0], threading.Event()

    def watch() -> None:
        while not done.wait(0.001):
            most[0] = max(most[0], resident())

    thread = threading.Thread(target=watch)
    thread.start()
    run()
    done.set()
    thread.join()
    return max(most[0] - before, 0)


def median_ms(run: Callable[[], object], times: int) -> float:
    took = []
    for _ in range(times):
        start = time.perf_counter()
        run()
        took.append(1000 * (time.perf_counter() - start))
    return statistics.median(took)


def main() -> None:
    photo, selection, masks = scene()

    def ours() -> object:
        return draw(photo, selection, masks=masks)

    ours()
    memory = peak(ours), peak(lambda: theirs(photo, selection, masks))
    mine = median_ms(ours, 9)
    other = median_ms(lambda: theirs(photo, selection, masks), 3)
    print(
        json.dumps(
            {
                "what": "100 instances at 1920x1080, pasted and drawn",
                "ours_ms": round(mine, 1),
                "torchvision_ms": round(other, 1),
                "time_ratio": round(mine / other, 3),
                "ours_mb": round(memory[0] / 2**20, 1),
                "torchvision_mb": round(memory[1] / 2**20, 1),
                "memory_ratio": round(memory[0] / max(memory[1], 1), 3),
                "promise_ratio": 0.1,
            }
        )
    )


if __name__ == "__main__":
    main()
