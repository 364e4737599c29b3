"""Region proposals (Ren et al. 2015): objectness over the photo, the best k, and their recall."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from vision_core.errors import UserError
from vision_core.inside.opened import Opened, photo_boxes
from vision_core.records import ANCHOR_FATES, AnchorField
from vision_core.selection.nms import iou_matrix

When = Literal["before", "after"]
MOST = 2000  # proposals that are ever looked at


@dataclass(frozen=True, eq=False)
class Ranked:
    """Proposals, best objectness first.

    Attributes:
        anchor: int64 [K], index in the trace's field.
        boxes: float64 [K, 4], photo pixels.
        scores: float32 [K], objectness.
        level: int64 [K].
    """

    anchor: np.ndarray
    boxes: np.ndarray
    scores: np.ndarray
    level: np.ndarray

    def __len__(self) -> int:
        return len(self.anchor)


@dataclass(frozen=True, eq=False)
class Recall:
    """How many true boxes the best k proposals find.

    Attributes:
        first: int64 [M], rank from 1 of the first proposal that finds each true box; 0 for none.
        best: float32 [M], the greatest IoU of any of the proposals with each true box.
        k: int64 [K], 1, 2, ... the number of proposals.
        recall: float64 [K], share of the true boxes found by the best k.
    """

    first: np.ndarray
    best: np.ndarray
    k: np.ndarray
    recall: np.ndarray


def best(opened: Opened, when: When, k: int = MOST) -> Ranked:
    """The k best boxes of the region proposal network.

    Args:
        opened: a two-stage detector.
        when: ``before`` its NMS: what its top-n of every level took, without boxes that are too
            small or below its own score threshold; ``after`` it: what NMS left, also what is
            beyond the number that the box head gets.
        k: how many at most.

    Raises:
        UserError: the network has no region proposals.
    """
    field = _field(opened)
    fates = ["rpn_post_nms", "source"] + (["rpn_nms"] if when == "before" else [])
    there = np.flatnonzero(np.isin(field.fate, [ANCHOR_FATES.index(f) for f in fates]))
    order = there[np.argsort(-field.scores[there], kind="stable")][:k]
    return Ranked(
        order,
        photo_boxes(opened, field.boxes_net[order]),
        field.scores[order],
        field.level[order].astype(np.int64),
    )


def objectness_maps(opened: Opened) -> tuple[np.ndarray, ...]:
    """Objectness of every place, the best of its anchors: float32 [rows, columns] by level.

    Raises:
        UserError: the network has no region proposals.
    """
    return tuple(maps.max(axis=2) for maps in anchor_maps(opened))


def anchor_maps(opened: Opened) -> tuple[np.ndarray, ...]:
    """Objectness of every anchor: float32 [rows, columns, anchors of a place] by level.

    Raises:
        UserError: the network has no region proposals.
    """
    scores = _field(opened).scores
    return tuple(
        scores[level.slice].reshape(level.rows, level.columns, level.per_place)
        for level in opened.levels
    )


def recall(ranked: Ranked, truth: Sequence[Sequence[float]] | np.ndarray, iou: float) -> Recall:
    """Recall over k; a proposal may find several true boxes.

    Args:
        ranked: proposals, best first.
        truth: true boxes [M, 4], photo pixels.
        iou: a true box is found by a proposal with at least this IoU.

    Raises:
        ValueError: there is no true box.
    """
    boxes = np.asarray(truth, np.float32).reshape(-1, 4)
    if not len(boxes):
        raise ValueError("recall needs a true box")
    k = np.arange(1, len(ranked) + 1)
    if not len(ranked):
        nothing = np.zeros(len(boxes))
        return Recall(nothing.astype(np.int64), nothing.astype(np.float32), k, np.zeros(0))
    overlap = iou_matrix(ranked.boxes.astype(np.float32), boxes)
    found = overlap >= np.float32(iou)
    first = np.where(found.any(axis=0), found.argmax(axis=0) + 1, 0)
    count = np.bincount(first[first > 0], minlength=len(ranked) + 1)[1:].cumsum()
    return Recall(first, overlap.max(axis=0), k, count / len(boxes))


def _field(opened: Opened) -> AnchorField:
    if not opened.two_stage:
        raise UserError(f"{opened.net.name} has no region proposals; choose a two-stage detector.")
    assert opened.trace.field is not None
    return opened.trace.field
