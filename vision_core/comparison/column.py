"""One model of a comparison and what it said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from vision_core.models import Card
from vision_core.records import Keypoints, Selection, Trace


@dataclass(frozen=True, eq=False)
class Column:
    """One model of a comparison.

    Attributes:
        card: of the model.
        trace: what it said; ``None`` where it failed.
        selection: of a detector, at its thresholds.
        error: the sentence that takes the place of a result.
        masks: float32 ``[K, M, M]``, mask probabilities of the K kept detections.
        keypoints: joints of the kept detections.
        title: what the column is called; the card's title where it is empty.
        random: whether its weights are random ones.
        multiply_adds: of one pass (see ``vision_core.models.anatomy``), where they are known.
        timing_ms: milliseconds of what came after the trace: ``select``, ``masks``, ``keypoints``.
    """

    card: Card
    trace: Trace | None = None
    selection: Selection | None = None
    error: str = ""
    masks: np.ndarray | None = None
    keypoints: Keypoints | None = None
    title: str = ""
    random: bool = False
    multiply_adds: int | None = None
    timing_ms: Mapping[str, float] = field(default_factory=dict)

    @property
    def heading(self) -> str:
        """What the column is called."""
        return self.title or self.card.title
