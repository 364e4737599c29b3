"""What the benchmarks share: repeated timing and the networks that they compare."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch

from vision_core.images import Photo
from vision_core.models import Model, load
from vision_core.samples import sample


def milliseconds(work: Callable[[], Any], repeats: int) -> list[float]:
    """Wall-clock time of each of ``repeats`` calls, after one call that is not counted."""
    work()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append((time.perf_counter() - start) * 1000)
    return times


def in_turn(
    first: Callable[[], Any], second: Callable[[], Any], repeats: int
) -> tuple[float, float]:
    """Medians of two kinds of work done in turn, so that a slow spell hits both alike."""
    pairs = [(milliseconds(first, 1)[0], milliseconds(second, 1)[0]) for _ in range(repeats)]
    return statistics.median(p[0] for p in pairs), statistics.median(p[1] for p in pairs)


def tensor_of(photo: Photo) -> torch.Tensor:
    """The photo as torchvision's detectors take it."""
    return torch.from_numpy(photo.pixels.copy()).permute(2, 0, 1).float() / 255


def cat() -> Photo:
    """The sample photo that every benchmark uses."""
    return sample("cat")


def network(name: str) -> Model:
    """Bundled weights where there are some, else random ones: the time is the same."""
    return load(name, device="cpu", random_seed=None if name.endswith("_s") else 0)


def report(name: str, **figures: Any) -> None:
    """Print one JSON object with the machine's threads and library versions."""
    rounded = {k: round(v, 4) if isinstance(v, float) else v for k, v in figures.items()}
    print(
        json.dumps(
            {
                "benchmark": name,
                **rounded,
                "threads": torch.get_num_threads(),
                "torch": torch.__version__,
            }
        )
    )
