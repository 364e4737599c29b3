"""Why is this box not here? The candidate that covers a place, and its fate in a sentence.

The fate of a candidate is a look-up in the selection. Where no candidate covers the place, the
anchors of the trace tell at which stage it was lost, or that nothing was ever proposed there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vision_core.errors import UserError
from vision_core.records import Selection
from vision_core.selection import lost
from vision_core.selection.nms import iou_matrix

COVERS = 0.5  # IoU from which on a candidate is said to cover a box
ABOUT_AS_WELL = 0.1  # of several candidates that cover about equally well the best score speaks


@dataclass(frozen=True)
class Why:
    """An answer.

    Attributes:
        sentence: for people.
        fate: one of ``FATES``, ``cut_earlier`` or ``never_proposed``.
        candidate: of the trace; ``None`` where no candidate covers the place.
        facts: the numbers of the sentence, JSON-ready.
    """

    sentence: str
    fate: str
    candidate: int | None
    facts: Mapping[str, Any]


def why_box(selection: Selection, box: Sequence[float], label: str | None = None) -> Why:
    """What became of an object that the user sees in a box.

    Of all candidates the one with the greatest IoU answers; among those that cover the box about
    as well (within ``ABOUT_AS_WELL``), the one with the best score.

    Args:
        selection: trace and thresholds.
        box: x1, y1, x2, y2 in photo pixels.
        label: consider candidates of this class only.

    Raises:
        UserError: no box, one outside the photo, or an unknown class.
    """
    trace = selection.trace
    query = _checked(box, trace.info.photo_size)
    eligible = _of_class(selection, label)
    if len(eligible):
        overlap = iou_matrix(query[None], trace.boxes[eligible])[0]
        if overlap.max() >= COVERS:
            close = np.flatnonzero(overlap >= max(COVERS, overlap.max() - ABOUT_AS_WELL))
            best = close[trace.scores[eligible[close]].argmax()]
            return explain(selection, int(eligible[best]), float(overlap[best]))
    return _without_candidate(selection, lost.at_box(trace, query, COVERS, ABOUT_AS_WELL), query)


def why_spot(selection: Selection, x: float, y: float, label: str | None = None) -> Why:
    """What became of an object that the user points at.

    Of the candidates that contain the spot, the one answers whose score times centerness (Tian et
    al. 2019: how near the spot is to the middle of the box) is greatest.

    Args:
        selection: trace and thresholds.
        x, y: photo pixels.
        label: consider candidates of this class only.

    Raises:
        UserError: the spot lies outside the photo, or an unknown class.
    """
    trace = selection.trace
    width, height = trace.info.photo_size
    if not (0 <= x <= width and 0 <= y <= height):
        raise UserError(f"The spot ({x:g}, {y:g}) lies outside the {width} x {height} photo.")
    eligible = _of_class(selection, label)
    worth = trace.scores[eligible] * centerness(trace.boxes[eligible], x, y)
    if len(worth) and worth.max() > 0:
        return explain(selection, int(eligible[worth.argmax()]), None)
    return _without_candidate(selection, lost.at_spot(trace, x, y), None)


def centerness(boxes: np.ndarray, x: float, y: float) -> np.ndarray:
    """FCOS centerness of a spot in each box, float32 [N]: 1 in the middle, 0 on and off the edge.

    sqrt(min(l, r) / max(l, r) * min(t, b) / max(t, b)) with the distances to the four sides.
    """
    left, right = x - boxes[:, 0], boxes[:, 2] - x
    top, bottom = y - boxes[:, 1], boxes[:, 3] - y
    inside = np.minimum.reduce([left, right, top, bottom]) > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        across = np.minimum(left, right) / np.maximum(left, right)
        down = np.minimum(top, bottom) / np.maximum(top, bottom)
        return np.where(inside, np.sqrt(np.abs(across * down)), 0).astype(np.float32)


def explain(selection: Selection, candidate: int, coverage: float | None = None) -> Why:
    """The verdict on one candidate as a sentence.

    Args:
        selection: trace and thresholds.
        candidate: index in the trace.
        coverage: IoU with the box that was asked about, if one was.
    """
    trace, verdict = selection.trace, selection.verdict(candidate)
    score, label = float(trace.scores[candidate]), trace.label(candidate)
    facts: dict[str, Any] = {
        "label": label,
        "score": score,
        "box": [float(v) for v in trace.boxes[candidate]],
        "level": int(trace.level[candidate]),
        **verdict.facts,
    }
    if coverage is not None:
        facts["coverage"] = coverage
    if "by" in verdict.facts:
        other = int(verdict.facts["by"])
        facts |= {
            "by_label": trace.label(other),
            "by_score": float(selection.final_scores[other]),
            "by_rank": int(selection.rank[other]),
        }
    return Why(_SENTENCES[verdict.fate](facts, selection), verdict.fate, candidate, facts)


def _killer(facts: Mapping[str, Any]) -> str:
    number = f"box {facts['by_rank'] + 1}" if facts["by_rank"] >= 0 else "a box"
    return f"{number} ({facts['by_label']} {facts['by_score']:.2f}), IoU {facts['iou']:.2f}"


def _kept(facts: Mapping[str, Any], selection: Selection) -> str:
    return f"It is here: box {facts['rank'] + 1}, {facts['label']} {facts['score']:.2f}."


def _below(facts: Mapping[str, Any], selection: Selection) -> str:
    return (
        f"The best candidate here is {facts['label']}, and its score {facts['score']:.3f} is "
        f"not above the threshold {facts['threshold']:.2f}."
    )


def _suppressed(facts: Mapping[str, Any], selection: Selection) -> str:
    return (
        f"A {facts['label']} {facts['score']:.2f} was suppressed by {_killer(facts)}, which "
        f"is over the threshold {selection.thresholds.iou:.2f}."
    )


def _decayed(facts: Mapping[str, Any], selection: Selection) -> str:
    return (
        f"Soft NMS lowered the score of a {facts['label']} from {facts['from']:.2f} to "
        f"{facts['to']:.3f}, not above the threshold {facts['threshold']:.2f}; most of it went "
        f"to {_killer(facts)}."
    )


def _cut(facts: Mapping[str, Any], selection: Selection) -> str:
    return (
        f"A {facts['label']} {facts['score']:.2f} was cut by the limit of {facts['limit']} "
        f"boxes: it is number {facts['rank'] + 1} by score."
    )


def _hidden(facts: Mapping[str, Any], selection: Selection) -> str:
    return f"A {facts['label']} {facts['score']:.2f} is hidden by the class filter."


_SENTENCES = {
    "kept": _kept,
    "below_score": _below,
    "suppressed": _suppressed,
    "decayed": _decayed,
    "cut_by_max": _cut,
    "hidden_by_class_filter": _hidden,
}


def _without_candidate(selection: Selection, found: lost.Lost, query: np.ndarray | None) -> Why:
    """The answer where no candidate covers the place: one from the same source, or none at all."""
    if found.candidate is None:
        return Why(found.sentence, found.fate, None, found.facts)
    coverage = None
    if query is not None:
        boxes = selection.trace.boxes[[found.candidate]]
        coverage = float(iou_matrix(query[None], boxes)[0, 0])
    return explain(selection, found.candidate, coverage)


def _of_class(selection: Selection, label: str | None) -> np.ndarray:
    trace = selection.trace
    if label is None:
        return np.arange(len(trace))
    if label not in trace.info.labels:
        raise UserError(f"{trace.info.model} knows no class called {label!r}.")
    return np.flatnonzero(trace.label_ids == trace.info.labels.index(label))


def _checked(box: Sequence[float], size: tuple[int, int]) -> np.ndarray:
    """The box inside the photo, float32 [4]."""
    values = np.asarray(box, np.float64)
    if values.shape != (4,) or not np.isfinite(values).all():
        raise UserError("A box is four numbers: x1, y1, x2, y2 in pixels of the photo.")
    x1, y1, x2, y2 = values
    if not (x1 < x2 and y1 < y2):
        raise UserError(f"A box needs x1 < x2 and y1 < y2, not {x1:g}, {y1:g}, {x2:g}, {y2:g}.")
    width, height = size
    clipped = np.clip(values, 0, [width, height, width, height]).astype(np.float32)
    if not (clipped[0] < clipped[2] and clipped[1] < clipped[3]):
        raise UserError(f"The box lies outside the {width} x {height} photo.")
    return clipped
