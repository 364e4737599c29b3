"""The funnel from anchors to what is shown, and the boxes behind each of its stages."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vision_core.errors import UserError
from vision_core.records import ANCHOR_FATES, BELOW_SCORE, HIDDEN, KEPT, Cut, Selection

SCORE, NMS, LIMIT, FILTER = "score_threshold", "nms", "max_detections", "class_filter"
# The stages of a two-stage network that cut anchors, in their order.
_RPN = ("rpn_pre_nms", "tiny", "rpn_score", "rpn_nms", "rpn_post_nms")


@dataclass(frozen=True, eq=False)
class Behind:
    """The boxes behind a stage.

    Attributes:
        boxes: float32 [K, 4], photo pixels, the best score first.
        note: what the boxes stand for, where one box does not stand for one count.
    """

    boxes: np.ndarray
    note: str = ""


def stages(selection: Selection) -> dict[str, Cut]:
    """Every stage by a name of its own: those of the network, then those of the thresholds."""
    named: dict[str, Cut] = {}
    for stage in selection.trace.funnel:
        name = stage.name if stage.name not in named else f"{stage.name}_2"
        named[name] = stage
    t, fate = selection.thresholds, selection.fate
    nms = "none: all stay" if t.nms == "none" else f"left by {t.nms.replace('-', ' ')} NMS"
    named[SCORE] = Cut(
        SCORE,
        int((fate != BELOW_SCORE).sum()),
        t.score,
        f"candidates with a score above {t.score:g}",
    )
    named[NMS] = Cut(NMS, int((selection.rank >= 0).sum()), t.iou, nms)
    named[LIMIT] = Cut(
        LIMIT,
        int(np.isin(fate, (KEPT, HIDDEN)).sum()),
        t.max_detections,
        f"the best {t.max_detections} at the most",
    )
    if t.classes is not None:
        named[FILTER] = Cut(FILTER, int((fate == KEPT).sum()), None, "of the classes shown")
    return named


def behind(selection: Selection, name: str) -> Behind:
    """The boxes that are left after a stage.

    Args:
        selection: trace and thresholds.
        name: one of ``stages(selection)``.

    Raises:
        UserError: no such stage.
    """
    named = stages(selection)
    if name not in named:
        raise UserError(f"There is no stage called {name!r} in this funnel.")
    fate = selection.fate
    by_thresholds = {
        SCORE: fate != BELOW_SCORE,
        NMS: selection.rank >= 0,
        LIMIT: np.isin(fate, (KEPT, HIDDEN)),
        FILTER: fate == KEPT,
    }
    if name in by_thresholds:
        return _candidates(selection, by_thresholds[name])
    return _of_network(selection, name, named)


def _candidates(selection: Selection, chosen: np.ndarray, note: str = "") -> Behind:
    rows = np.flatnonzero(chosen)
    rows = rows[np.argsort(-selection.final_scores[rows], kind="stable")]
    return Behind(selection.trace.boxes[rows], note)


def _of_network(selection: Selection, name: str, named: dict[str, Cut]) -> Behind:
    """Boxes of a stage before the thresholds, told by where each anchor left the funnel."""
    trace, field = selection.trace, selection.trace.field
    everything = np.ones(len(trace), bool)
    order = list(named)
    if field is None or order.index(name) >= _first_of_candidates(order):
        return _candidates(selection, everything, _gone(named[name].count, len(trace)))
    two_stage = "rpn_nms" in named
    boxes, note = field.boxes_net, ""
    alive = np.ones(len(field.scores), bool)
    if name == "anchors":
        boxes = field.anchors_net
    elif name == "anchors_x_classes":
        note = "One box for each place, as the network shifted and sized it; the classes share it."
    elif two_stage:
        cut = _RPN if name == "proposals_x_classes" else _RPN[: _RPN.index(name) + 1]
        alive = ~np.isin(field.fate, [ANCHOR_FATES.index(stage) for stage in cut])
        if name == "proposals_x_classes":
            note = "The proposals: each stands for one box per class, before the classes move it."
    else:
        alive = field.fate != ANCHOR_FATES.index("score_floor")
        note = "One box for each place with any class above the floor."
    rows = np.flatnonzero(alive)
    rows = rows[np.argsort(-field.scores[rows], kind="stable")]
    scale = np.array(trace.info.photo_size, np.float32) / np.array(trace.info.network_size)
    return Behind((boxes[rows] * np.tile(scale, 2)).astype(np.float32), note)


def _first_of_candidates(order: list[str]) -> int:
    """The place of the first stage whose boxes are candidates of the trace."""
    if "rpn_nms" in order:
        return order.index("proposals_x_classes") + 1
    after = ("level_topk", "class_topk", "candidates")
    return min(order.index(name) for name in after if name in order)


def _gone(count: int, held: int) -> str:
    if count == held:
        return ""
    return f"The trace holds {held:,} of these: the others have no size or are of other classes."
