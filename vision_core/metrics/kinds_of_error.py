"""What is wrong with each detection, and with each true box that is not found.

Source: Bolya, Foley, Hays, Hoffman: "TIDE: A General Toolbox for Identifying Object Detection
Errors" (2020). Detections are matched as COCO does it; what is no hit gets the first kind that
fits, in the order in which the authors' tool asks: location, class, duplicate, background, both.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vision_core.comparison.truth import Truth, judge
from vision_core.errors import UserError
from vision_core.labels import comparable
from vision_core.records import Detections
from vision_core.selection.nms import iou_matrix

FOREGROUND, BACKGROUND = 0.5, 0.1
"""The limits of the paper: IoU of a hit, and below which a detection lies on nothing."""
KINDS = ("correct", "class", "location", "both", "duplicate", "background", "missed")
"""Of detections, and ``missed`` of true boxes."""
WORDS = {
    "correct": "the right class, and an IoU of at least the upper limit with a free true box",
    "class": "well placed on a true box, but of another class",
    "location": "the right class, but the IoU lies between the two limits",
    "both": "another class, and the IoU lies between the two limits",
    "duplicate": "right, but a detection with a better score has this true box already",
    "background": "no true box overlaps it by as much as the lower limit",
    "missed": "a true box that no detection finds and that mending a class or a place would not "
    "find either",
}


@dataclass(frozen=True, eq=False)
class ErrorKinds:
    """What became of detections and true boxes.

    Attributes:
        kinds: of each of the N detections, one of ``KINDS`` without ``missed``.
        about: int64 ``[N]``, the true box that the kind speaks of, -1 for none.
        iou: float64 ``[N]``, IoU with that box; with the nearest one where there is none.
        missed: int64, true boxes that are missed.
        covered: int64, true boxes that nobody finds, but a detection with a wrong class or a
            wrong place means them; they are not missed.
    """

    kinds: tuple[str, ...]
    about: np.ndarray
    iou: np.ndarray
    missed: np.ndarray
    covered: np.ndarray

    def counts(self) -> dict[str, int]:
        """How many there are of each kind, in the order of ``KINDS``."""
        found = {kind: self.kinds.count(kind) for kind in KINDS}
        return found | {"missed": len(self.missed)}


def kinds_of_error(
    found: Detections, truth: Truth, upper: float = FOREGROUND, lower: float = BACKGROUND
) -> ErrorKinds:
    """Give every detection exactly one kind.

    Args:
        found: detections of one photo, any order.
        truth: what is there.
        upper: IoU of a hit, 0 to 1.
        lower: IoU below which a detection lies on nothing, 0 to ``upper``.

    Raises:
        UserError: the limits are no such numbers.
    """
    if not 0 <= lower <= upper <= 1:
        raise UserError(
            f"The limits must be 0 <= lower <= upper <= 1, and {lower:g} and {upper:g} are not."
        )
    judged = judge(found, truth, upper)
    overlap = iou_matrix(found.boxes.astype(np.float32), truth.boxes.astype(np.float32))
    names = np.array([comparable(n) for n in truth.labels], dtype=str)
    kinds, about, ious = [], [], []
    for row, label in enumerate(found.labels):
        if judged.hit[row] >= 0:
            kind, box = "correct", int(judged.hit[row])
        else:
            kind, box = _wrong(overlap[row], names == comparable(label), upper, lower)
        kinds.append(kind)
        about.append(box)
        ious.append(float(overlap[row, box]) if box >= 0 else float(overlap[row].max(initial=0.0)))
    meant = {b for k, b in zip(kinds, about, strict=True) if k in ("class", "location")}
    free = judged.missed.tolist()
    return ErrorKinds(
        tuple(kinds),
        np.array(about, np.int64),
        np.array(ious),
        np.array([b for b in free if b not in meant], np.int64),
        np.array([b for b in free if b in meant], np.int64),
    )


def _wrong(overlap: np.ndarray, own: np.ndarray, upper: float, lower: float) -> tuple[str, int]:
    """Kind of a detection that is no hit, and the true box that it speaks of.

    Args:
        overlap: ``[M]``, IoU with every true box.
        own: bool ``[M]``, the true boxes of its class.
        upper, lower: the limits.
    """
    if not len(overlap):
        return "background", -1
    of_own, of_others = np.where(own, overlap, -1.0), np.where(own, -1.0, overlap)
    mine, other = int(of_own.argmax()), int(of_others.argmax())
    if lower <= of_own[mine] < upper:
        return "location", mine
    if of_others[other] >= upper:
        return "class", other
    if of_own[mine] >= upper:
        return "duplicate", mine
    if of_others[other] < lower:
        return "background", -1
    return "both", other
