"""Non-maximum suppression step by step on real candidates: who is kept, who loses what to whom.

Step k takes the best box that is left. Hard NMS then drops what overlaps it by more than the IoU
threshold; soft NMS (Bodla et al. 2017) lowers the scores of what overlaps it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vision_core.records import CUT_BY_MAX, HIDDEN, KEPT, DetectionTrace, Selection, Thresholds
from vision_core.selection.nms import iou_matrix
from vision_core.selection.select import select
from vision_core.selection.soft_nms import decay_weight

_HIT = 1e-3  # Gaussian decay touches every box a little; smaller losses are not shown


@dataclass(frozen=True)
class Effect:
    """What one step did to one waiting candidate.

    Attributes:
        candidate: index in the trace.
        iou: with the box that the step kept.
        before, after: score; ``after`` is 0 for a box that hard NMS dropped.
        out: it is out from now on.
    """

    candidate: int
    iou: float
    before: float
    after: float
    out: bool


@dataclass(frozen=True)
class ReplayStep:
    """One step of NMS.

    Attributes:
        kept: the candidate that the step takes.
        score: its score at that moment.
        effects: on waiting candidates, greatest IoU first.
        remaining: how many candidates still wait afterwards.
    """

    kept: int
    score: float
    effects: tuple[Effect, ...]
    remaining: int


def replay(trace: DetectionTrace, thresholds: Thresholds) -> tuple[ReplayStep, ...]:
    """The steps that lead to ``select(trace, thresholds)``, before its limit and class filter.

    Args:
        trace: candidates of one photo.
        thresholds: as for ``select``.

    Returns:
        one step for each box that NMS keeps, in the order in which it takes them.
    """
    chosen = select(trace, thresholds)
    if thresholds.nms.startswith("soft"):
        return _soft(trace, chosen)
    return _hard(chosen)


def _survivors(chosen: Selection) -> np.ndarray:
    """Candidates that NMS kept, best first; the limit and the class filter come later."""
    kept = np.flatnonzero(np.isin(chosen.fate, (KEPT, CUT_BY_MAX, HIDDEN)))
    return kept[np.argsort(chosen.rank[kept])]


def _hard(chosen: Selection) -> tuple[ReplayStep, ...]:
    scores = chosen.trace.scores
    survivors = _survivors(chosen)
    waiting = len(survivors) + int((chosen.by >= 0).sum())
    steps = []
    for kept in survivors:
        hit = np.flatnonzero(chosen.by == kept)
        hit = hit[np.argsort(-chosen.iou[hit], kind="stable")]
        effects = tuple(
            Effect(int(c), float(chosen.iou[c]), float(scores[c]), 0.0, True) for c in hit
        )
        waiting -= 1 + len(hit)
        steps.append(ReplayStep(int(kept), float(scores[kept]), effects, waiting))
    return tuple(steps)


def _soft(trace: DetectionTrace, chosen: Selection) -> tuple[ReplayStep, ...]:
    """Scores fall as the best box of all goes first; classes do not touch each other."""
    t = chosen.thresholds
    current = trace.scores.astype(np.float64)
    waiting = trace.scores > np.float32(t.score)
    linear_above = t.iou if t.nms == "soft-linear" else None
    steps = []
    for kept in _survivors(chosen):
        waiting[kept] = False
        reach = waiting if t.agnostic else waiting & (trace.label_ids == trace.label_ids[kept])
        others = np.flatnonzero(reach)
        overlap = iou_matrix(trace.boxes_net[[kept]], trace.boxes_net[others])[0]
        before = current[others]
        current[others] = before * decay_weight(overlap, t.sigma, linear_above)
        effects = []
        for i in np.argsort(-overlap, kind="stable"):
            candidate, after = int(others[i]), float(current[others[i]])
            out = not after > t.score
            waiting[candidate] = not out
            if out or before[i] - after > _HIT:
                effects.append(Effect(candidate, float(overlap[i]), float(before[i]), after, out))
        step = ReplayStep(int(kept), float(current[kept]), tuple(effects), int(waiting.sum()))
        steps.append(step)
    return tuple(steps)
