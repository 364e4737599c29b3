"""Thresholds on a trace: which candidates stay, and what became of each of the others.

Pure: nothing here runs a network, keeps state or changes its input.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from vision_core.records import (
    BELOW_SCORE,
    CUT_BY_MAX,
    DECAYED,
    HIDDEN,
    KEPT,
    SUPPRESSED,
    Detections,
    Selection,
    Thresholds,
)
from vision_core.selection.nms import Outcome, hard_nms, no_nms
from vision_core.selection.soft_nms import soft_nms

if TYPE_CHECKING:
    from vision_core.records import DetectionTrace


def select(trace: DetectionTrace, thresholds: Thresholds) -> Selection:
    """Apply thresholds to every candidate of a trace.

    The score filter comes first (strictly greater, as in torchvision's heads), then NMS on exactly
    the survivors in torchvision's order and in network coordinates, then the limit on detections,
    and last the class filter, which hides boxes and changes no other verdict.

    Args:
        trace: candidates of one photo.
        thresholds: what to apply.

    Returns:
        the detections, best first, and one fate per candidate.
    """
    alive = in_torchvision_order(trace, np.flatnonzero(trace.scores > np.float32(thresholds.score)))
    outcome = _suppress(trace, alive, thresholds)
    n = len(trace)
    fate = np.full(n, BELOW_SCORE, np.uint8)
    fate[alive] = np.where(outcome.decayed, DECAYED, SUPPRESSED)
    by = np.full(n, -1, np.int64)
    by[alive] = np.where(outcome.by >= 0, alive[outcome.by], -1) if len(alive) else outcome.by
    iou = np.zeros(n, np.float32)
    iou[alive] = outcome.iou
    final = trace.scores.copy()
    final[alive] = outcome.scores
    survivors = alive[outcome.order]
    rank = np.full(n, -1, np.int64)
    rank[survivors] = np.arange(len(survivors))
    fate[survivors] = CUT_BY_MAX
    shown = survivors[: thresholds.max_detections]
    fate[shown] = KEPT
    if thresholds.classes is not None:
        wanted = np.array([name in thresholds.classes for name in trace.info.labels], bool)
        visible = wanted[trace.label_ids[shown]]
        fate[shown[~visible]] = HIDDEN
        shown = shown[visible]
    detections = _detections(trace, shown, final)
    for array in (fate, by, iou, final, rank):
        array.setflags(write=False)
    ties_open = _ties_are_open(trace, alive, thresholds.score)
    return Selection(trace, thresholds, detections, fate, by, iou, final, rank, ties_open)


def _ties_are_open(trace: DetectionTrace, alive: np.ndarray, score: float) -> bool:
    """Whether a full group has equal scores, at another threshold than the trace was made for.

    What lay below the last one taken changes the order that a top-k leaves among equal scores,
    and is not held.
    """
    if trace.group is None or score == trace.defaults.score:
        return False
    for value in np.unique(trace.group[alive]):
        members = alive[trace.group[alive] == value]
        distinct = len(np.unique(trace.scores[members])) == len(members)
        if len(members) == trace.topk and not (distinct and int(value) not in trace.edge_ties):
            return True
    return False


def in_torchvision_order(trace: DetectionTrace, alive: np.ndarray) -> np.ndarray:
    """Candidates in the order in which torchvision would hand them to NMS.

    The order counts only between equal scores, which NMS takes first come, first served. A top-k
    leaves equal scores in an order of its own that depends on what else it was given, so it is
    repeated on exactly what the network would give it at this threshold. A group that the top-k
    cut, and of which nothing is below the threshold, is in that order already.
    """
    scores = trace.scores[alive]
    group, position = trace.group, trace.position
    if group is None or position is None or len(np.unique(scores)) == len(alive):
        return alive
    ordered = []
    for value in np.unique(group[alive]):
        members = alive[group[alive] == value]
        if len(members) == trace.topk:
            ordered.append(members)
            continue
        members = members[np.argsort(position[members])]
        top = torch.from_numpy(trace.scores[members]).topk(len(members)).indices
        ordered.append(members[top.numpy()])
    return np.concatenate(ordered)


def _suppress(trace: DetectionTrace, alive: np.ndarray, thresholds: Thresholds) -> Outcome:
    boxes, scores = trace.boxes_net[alive], trace.scores[alive]
    labels = None if thresholds.agnostic else trace.label_ids[alive]
    if thresholds.nms == "none":
        return no_nms(scores)
    if thresholds.nms == "hard":
        return hard_nms(boxes, scores, labels, thresholds.iou)
    linear_above = thresholds.iou if thresholds.nms == "soft-linear" else None
    return soft_nms(
        boxes,
        scores,
        labels,
        floor=thresholds.score,
        sigma=thresholds.sigma,
        linear_above=linear_above,
    )


def _detections(trace: DetectionTrace, shown: np.ndarray, final: np.ndarray) -> Detections:
    label_ids = trace.label_ids[shown]
    boxes, scores = trace.boxes[shown], final[shown]
    for array in (shown, boxes, scores, label_ids):
        array.setflags(write=False)
    labels = tuple(trace.info.labels[i] for i in label_ids)
    return Detections(shown, boxes, scores, label_ids, labels)
