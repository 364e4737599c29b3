"""How long a network takes: the median of several runs after a warm-up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from vision_core import devices, inference
from vision_core.images import Photo
from vision_core.inference.cache import ByteLRU

MOST_RUNS = 5
KEPT = 256  # measurements

# Above these milliseconds a run is repeated less often: (a run takes up to, runs).
_REPEATS = ((400.0, MOST_RUNS), (1500.0, 3))


@dataclass(frozen=True)
class Timing:
    """What a measurement found.

    Attributes:
        stages: milliseconds by stage of the run whose total is the median of all runs.
        runs: how many runs were measured, an odd number; the warm-up is not among them.
    """

    stages: Mapping[str, float]
    runs: int

    @property
    def total(self) -> float:
        """Milliseconds of all stages together."""
        return sum(self.stages.values())

    @property
    def how(self) -> str:
        """How it was measured, in words."""
        if self.runs == 1:
            return "one run after a warm-up"
        return f"median of {self.runs} runs after a warm-up"


def measure(model: Any, photo: Photo) -> Timing:
    """How long a network takes on a photo of this size: the median of some runs after a warm-up.

    The first pass of a network is slow (memory is set aside, kernels are chosen), so that it does
    not count. 5 runs are measured, 3 where one takes more than 0.4 seconds, 1 where it takes more
    than 1.5 seconds. Each holds the forward slot alone: other users come in between, and nobody's
    waiting counts as time.

    The answer is kept for the model, its weights, the device and the photo's size. Masks and
    joints, which run after the thresholds, are not part of it.

    Args:
        model: a ``vision_core.models.Model``.
        photo: what it is measured on.
    """

    def run() -> Mapping[str, float]:
        with devices.forward_slot():
            return inference.trace(model, photo).info.timing_ms

    where = devices.describe(model.device)
    key = (model.name, model.fingerprint, where, photo.width, photo.height)
    return _known.get_or_make(key, lambda: median(run))


def median(run: Callable[[], Mapping[str, float]]) -> Timing:
    """Call ``run`` once for nothing, then several times; see ``measure``.

    Args:
        run: gives milliseconds by stage.
    """
    run()
    done = [run()]
    first = sum(done[0].values())
    wanted = next((runs for most, runs in _REPEATS if first <= most), 1)
    done += [run() for _ in range(wanted - 1)]
    middle = sorted(done, key=lambda stages: sum(stages.values()))[wanted // 2]
    return Timing(dict(middle), wanted)


_known: ByteLRU[Timing] = ByteLRU(KEPT, size=lambda _: 1)
