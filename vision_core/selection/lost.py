"""Places without a candidate: at which stage they were lost, told by the anchors of a trace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from vision_core.records import ANCHOR_FATES
from vision_core.selection.nms import iou_matrix

if TYPE_CHECKING:
    from vision_core.records import AnchorField, DetectionTrace

CUT_EARLIER, NEVER_PROPOSED = "cut_earlier", "never_proposed"


@dataclass(frozen=True)
class Lost:
    """What became of a place that no candidate covers.

    Attributes:
        fate: ``cut_earlier`` or ``never_proposed``.
        sentence: for people.
        facts: the numbers of the sentence, JSON-ready.
        candidate: a candidate from the very anchor or proposal that covers the place, whose own
            verdict is then the answer; its refined box moved away.
    """

    fate: str
    sentence: str
    facts: Mapping[str, Any]
    candidate: int | None = None


def at_box(trace: DetectionTrace, box: np.ndarray, covers: float, slack: float) -> Lost:
    """What became of a box (float32 [4], photo pixels) that no candidate covers.

    Args:
        trace: candidates and anchors.
        box: x1, y1, x2, y2, inside the photo.
        covers: IoU from which on an anchor's box is said to cover it.
        slack: of several that cover about equally well (within this) the best score answers.
    """
    field = trace.field
    if field is None or not len(field.scores):
        return _nothing_known()
    query = (box * _to_network(trace)).astype(np.float32)[None]
    overlap = iou_matrix(query, field.boxes_net)[0]
    if overlap.max() < covers:
        return _never(trace, field, iou_matrix(query, field.anchors_net)[0])
    close = np.flatnonzero(overlap >= max(covers, float(overlap.max()) - slack))
    anchor = int(close[field.scores[close].argmax()])
    return _of_anchor(trace, field, anchor, float(overlap[anchor]))


def at_spot(trace: DetectionTrace, x: float, y: float) -> Lost:
    """What became of a spot (photo pixels) that no candidate contains."""
    field = trace.field
    if field is None or not len(field.scores):
        return _nothing_known()
    sx, sy = _to_network(trace)[:2] * np.array([x, y])
    boxes = field.boxes_net
    inside = (boxes[:, 0] < sx) & (sx < boxes[:, 2]) & (boxes[:, 1] < sy) & (sy < boxes[:, 3])
    around = np.flatnonzero(inside)
    if not len(around):
        middle = (field.anchors_net[:, :2] + field.anchors_net[:, 2:]) / 2
        distance = np.hypot(middle[:, 0] - sx, middle[:, 1] - sy)
        return _of_anchor(trace, field, int(distance.argmin()), None)
    return _of_anchor(trace, field, int(around[field.scores[around].argmax()]), None)


def _to_network(trace: DetectionTrace) -> np.ndarray:
    """Factors from photo to network pixels for x1, y1, x2, y2."""
    scale = np.array(trace.info.network_size) / np.array(trace.info.photo_size)
    return np.concatenate([scale, scale])


def _nothing_known() -> Lost:
    return Lost(NEVER_PROPOSED, "No candidate covers this place.", {})


def _never(trace: DetectionTrace, field: AnchorField, overlap: np.ndarray) -> Lost:
    """No box that the network made of any anchor covers the place."""
    nearest = int(overlap.argmax())
    name = field.score_name
    facts = {
        "anchor": nearest,
        "anchor_iou": float(overlap[nearest]),
        name.replace(" ", "_"): float(field.scores[nearest]),
        "level": int(field.level[nearest]),
    }
    sentence = (
        f"Never proposed: the nearest anchor has IoU {facts['anchor_iou']:.2f} and {name} "
        f"{field.scores[nearest]:.3f} (level {field.level[nearest]}), and no box that the network "
        f"made covers this place."
    )
    return Lost(NEVER_PROPOSED, sentence, facts)


def _of_anchor(
    trace: DetectionTrace, field: AnchorField, anchor: int, coverage: float | None
) -> Lost:
    """The fate of the box that the network made of one anchor."""
    stage, score = ANCHOR_FATES[field.fate[anchor]], float(field.scores[anchor])
    level, name = int(field.level[anchor]), field.score_name
    facts: dict[str, Any] = {"anchor": anchor, name.replace(" ", "_"): score, "level": level}
    if coverage is not None:
        facts["coverage"] = coverage
    if stage == "source":
        return _of_source(trace, anchor, facts)
    if stage == "score_floor":
        text = (
            f"Never proposed: the {name} of the anchor here (level {level}) is {score:.4f}, "
            f"not above the floor {trace.floor:g} of the trace."
        )
        return Lost(NEVER_PROPOSED, text, {**facts, "floor": trace.floor})
    limit = next((s.limit for s in trace.funnel if s.name == stage), None)
    facts |= {"stage": stage, "limit": limit}
    text = f"Cut before it became a candidate, {name} {score:.3f} on level {level}: "
    if stage == "rpn_nms":
        text += _rpn_suppressor(trace, field, anchor, float(limit or 0), facts)
    else:
        text += _STAGE_TEXT[stage].format(limit=limit)
    return Lost(CUT_EARLIER, text, facts)


_STAGE_TEXT = {
    "rpn_pre_nms": "it is not among the {limit} best anchors of its level (RPN top-n before NMS).",
    "tiny": "its box has no size (under {limit} pixels).",
    "rpn_score": "its objectness is under the RPN's own threshold {limit}.",
    "rpn_post_nms": "it is not among the {limit} best proposals that the RPN's NMS left.",
    "level_topk": "it is not among the {limit} best scores of its level.",
    "class_topk": "it is not among the {limit} best scores of its class.",
}


def _of_source(trace: DetectionTrace, anchor: int, facts: dict[str, Any]) -> Lost:
    """The anchor made it: its candidates answer, or it has none above the floor."""
    rows = np.flatnonzero(trace.source_index == anchor)
    mine = np.flatnonzero(np.isin(trace.source, rows))
    if len(mine):
        best = int(mine[trace.scores[mine].argmax()])
        return Lost(CUT_EARLIER, "", facts, candidate=best)
    what = "no class score of" if len(trace.info.labels) > 1 else "no person score of"
    text = f"Never proposed: {what} the proposal here lies above the floor {trace.floor:g}."
    return Lost(NEVER_PROPOSED, text, {**facts, "floor": trace.floor})


def _rpn_suppressor(
    trace: DetectionTrace, field: AnchorField, anchor: int, limit: float, facts: dict[str, Any]
) -> str:
    """Which box of the same level the RPN's own NMS preferred; adds it to the facts."""
    survived = np.isin(field.fate, [ANCHOR_FATES.index(n) for n in ("source", "rpn_post_nms")])
    rivals = np.flatnonzero(
        survived & (field.level == field.level[anchor]) & (field.scores >= field.scores[anchor])
    )
    if not len(rivals):
        return f"lost in the RPN's own NMS (IoU threshold {limit:g})."
    overlap = iou_matrix(field.boxes_net[[anchor]], field.boxes_net[rivals])[0]
    order = np.argsort(-field.scores[rivals], kind="stable")
    above = order[overlap[order] > limit]
    winner = int(above[0]) if len(above) else int(overlap.argmax())
    proposal = np.flatnonzero(trace.source_index == rivals[winner])
    who = f"proposal {proposal[0]}" if len(proposal) else f"anchor {rivals[winner]}"
    facts |= {
        "to": who,
        "to_anchor": int(rivals[winner]),
        "iou": float(overlap[winner]),
        "to_objectness": float(field.scores[rivals[winner]]),
    }
    return (
        f"lost in the RPN's own NMS to {who} (objectness {facts['to_objectness']:.3f}), IoU "
        f"{facts['iou']:.2f} over the threshold {limit:g}."
    )
