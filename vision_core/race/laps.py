"""What a run of the race tells: how far it is and what it has found so far."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from torch import Tensor

from vision_core.images import Photo
from vision_core.inference.families import Network
from vision_core.inference.timing import Stopwatch
from vision_core.race.proposals import Regions


@dataclass(frozen=True, eq=False)
class Found:
    """What a system has found: boxes float32 [K, 4] in photo pixels, K labels, scores [K]."""

    boxes: np.ndarray
    labels: tuple[str, ...]
    scores: np.ndarray


NOTHING = Found(np.zeros((0, 4), np.float32), (), np.zeros(0, np.float32))


@dataclass(frozen=True, eq=False)
class Lap:
    """How far a system is.

    Attributes:
        done, total: boxes that the network has looked at, and has to look at.
        seconds: of computing so far, by stage, in the order of the stages.
        found: detections of what was looked at so far.
        examined: float32 [done, 4], the boxes that were looked at.
    """

    done: int
    total: int
    seconds: dict[str, float]
    found: Found = NOTHING
    examined: np.ndarray = field(default_factory=lambda: NOTHING.boxes)

    @property
    def whole(self) -> bool:
        """Whether everything was looked at."""
        return self.done == self.total

    @property
    def expected(self) -> float:
        """Seconds that the whole run takes, at the pace of its last stage so far."""
        *before, last = self.seconds.values()
        return sum(before) + (last if self.whole else last * self.total / max(self.done, 1))


@dataclass(frozen=True, eq=False)
class Contest:
    """Who races on what.

    Attributes:
        photo: the photo.
        two_stage: the detector whose weights the three of the R-CNN family share.
        classifier: for the sliding window.
        one_stage: further detectors, by the name of their system.
        regions: the outside proposals; found once for all who want them.
    """

    photo: Photo
    two_stage: Any
    classifier: Any
    one_stage: dict[str, Any] = field(default_factory=dict)
    regions: Regions | None = None


@dataclass(frozen=True)
class System:
    """One of the lectures' systems: its name, how a person calls it, what it does, and its run."""

    name: str
    title: str
    text: str
    run: Callable[[Contest], Iterator[Lap]]


SHOWN_SO_FAR = "NMS of what was found so far"
WAITING = "waiting"


def found_of(net: Network, boxes: Tensor, scores: Tensor, labels: Tensor) -> Found:
    """What a network found, with the names of its classes."""
    names = tuple(net.labels[i] for i in labels.tolist())
    return Found(boxes.cpu().numpy(), names, scores.cpu().numpy())


def seconds_of(watch: Stopwatch) -> dict[str, float]:
    """By stage; NMS so far is there to show boxes as they come, and a system does it once."""
    return {k: v / 1000 for k, v in watch.ms.items() if k not in (WAITING, SHOWN_SO_FAR)}
