"""The outcome of thresholds on a trace: detections, and a verdict for every candidate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from vision_core.records.thresholds import Thresholds
from vision_core.records.traces import DetectionTrace

# The fates of a candidate, in the order of their codes in `Selection.fate`.
FATES = (
    "kept",
    "below_score",
    "suppressed",
    "decayed",
    "cut_by_max",
    "hidden_by_class_filter",
)
KEPT, BELOW_SCORE, SUPPRESSED, DECAYED, CUT_BY_MAX, HIDDEN = range(len(FATES))


@dataclass(frozen=True)
class Verdict:
    """What became of one candidate.

    Attributes:
        fate: one of ``FATES``.
        score: the score that decided, after any decay.
        facts: what the fate rests on, by fate: ``below_score`` has ``threshold``; ``suppressed``
            has ``by`` (a candidate) and ``iou``; ``decayed`` has ``from``, ``to``, ``by`` and
            ``threshold``; ``cut_by_max`` has ``limit`` and ``rank``; ``kept`` has ``rank``.
    """

    fate: str
    score: float
    facts: Mapping[str, float | int] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Detections:
    """The boxes that are shown, best first.

    Attributes:
        candidate: int64 [K], the candidate of the trace behind each detection.
        boxes: float32 [K, 4], photo pixels.
        scores: float32 [K], after any decay.
        label_ids: int64 [K].
        labels: K class names.
    """

    candidate: np.ndarray
    boxes: np.ndarray
    scores: np.ndarray
    label_ids: np.ndarray
    labels: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, eq=False)
class Selection:
    """The outcome of thresholds on a trace: detections, and a fate for every candidate.

    Attributes:
        trace: the trace it was made from.
        thresholds: the thresholds that made it.
        detections: what is shown.
        fate: uint8 [N], an index into ``FATES`` for each candidate.
        by: int64 [N], the candidate that suppressed or most decayed this one, -1 for none.
        iou: float32 [N], IoU with ``by`` in the arithmetic of the NMS, 0 where ``by`` is -1.
        final_scores: float32 [N], scores after any decay.
        rank: int64 [N], place among the survivors of NMS, best is 0, -1 for the others.
        ties_open: more candidates than a top-k limit lie above the threshold, some with equal
            scores, and the threshold is not the network's own: which of them it takes, and in
            which order, is not known, so that torchvision may keep others.
    """

    trace: DetectionTrace
    thresholds: Thresholds
    detections: Detections
    fate: np.ndarray
    by: np.ndarray
    iou: np.ndarray
    final_scores: np.ndarray
    rank: np.ndarray
    ties_open: bool = False

    def verdict(self, candidate: int) -> Verdict:
        """Why this candidate is shown or not: a look-up.

        Raises:
            IndexError: no such candidate.
        """
        n = len(self.fate)
        if not 0 <= candidate < n:
            raise IndexError(f"candidate {candidate} of {n}")
        fate = FATES[self.fate[candidate]]
        score = float(self.final_scores[candidate])
        facts: dict[str, float | int] = {}
        if fate == "below_score":
            facts = {"threshold": self.thresholds.score}
        elif fate == "suppressed":
            facts = {"by": int(self.by[candidate]), "iou": float(self.iou[candidate])}
        elif fate == "decayed":
            facts = {
                "from": float(self.trace.scores[candidate]),
                "to": score,
                "by": int(self.by[candidate]),
                "iou": float(self.iou[candidate]),
                "threshold": self.thresholds.score,
            }
        elif fate == "cut_by_max":
            facts = {"limit": self.thresholds.max_detections, "rank": int(self.rank[candidate])}
        elif fate in ("kept", "hidden_by_class_filter"):
            facts = {"rank": int(self.rank[candidate])}
        return Verdict(fate, score, facts)

    def counts(self) -> dict[str, int]:
        """How many candidates met each fate; the counts add up to all candidates."""
        totals = np.bincount(self.fate, minlength=len(FATES))
        return {name: int(total) for name, total in zip(FATES, totals, strict=True)}
