"""What the picture component needs to select by itself while a hand is on the slider."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from vision_core.figures.charts import fate_word
from vision_core.figures.colours import FATE_COLOURS, FATE_DASHES, class_colour
from vision_core.inference import DetectionTrace
from vision_core.records import FATES, Selection

MOST = 5000  # candidates that a browser gets: the best ones


@dataclass(frozen=True)
class Live:
    """Thresholds for the component's own selection, and the trace that it selects from.

    Attributes:
        selection: what Python selected; it stands as soon as no hand is on a slider.
        steps: of the score and the IoU slider.
    """

    selection: Selection
    steps: tuple[float, float] = (0.01, 0.01)
    sent: np.ndarray | None = field(init=False)  # candidates that the browser gets; None: all

    def __post_init__(self) -> None:
        object.__setattr__(self, "sent", best(self.selection.trace))

    @property
    def id(self) -> str:
        """Names the candidates among all that a browser may hold."""
        return f"{self.selection.trace.info.id}-{len(self.selection.trace)}"

    def message(self) -> dict[str, Any]:
        """What goes to the browser each time."""
        trace, given = self.selection.trace, self.selection.thresholds
        classes = given.classes
        wanted = None
        if classes is not None:
            wanted = [i for i, name in enumerate(trace.info.labels) if name in classes]
        lowest, note = 0.0, ""
        if self.sent is not None:
            lowest = _rounded_up(float(trace.scores[self.sent].min()), self.steps[0])
            note = (
                f"While you drag, the best {MOST:,} of {len(trace):,} candidates count: "
                f"the live score starts at {lowest:g}."
            )
        return {
            "id": self.id,
            "thresholds": {
                "score": given.score,
                "iou": given.iou,
                "nms": given.nms,
                "sigma": given.sigma,
                "agnostic": given.agnostic,
                "max": given.max_detections,
                "classes": wanted,
            },
            "counts": list(self.selection.counts().values()),
            "limits": {"score": [lowest, self.steps[0]], "iou": [0, self.steps[1]]},
            "note": note,
        }

    def candidates(self) -> dict[str, Any]:
        """The candidates as numbers, for a browser that does not hold them yet."""
        trace = self.selection.trace
        rows = slice(None) if self.sent is None else self.sent
        (width, height), (net_width, net_height) = trace.info.photo_size, trace.info.network_size
        return {
            "boxes": packed(trace.boxes_net[rows], "f4"),
            "scores": packed(trace.scores[rows], "f4"),
            "labels": packed(trace.label_ids[rows], "i4"),
            **_ranks(trace, rows),
            "ids": None if self.sent is None else packed(self.sent, "i4"),
            "scale": [width / net_width, height / net_height],
            "names": list(trace.info.labels),
            "colours": [class_colour(name) for name in trace.info.labels],
            "fates": [
                {
                    "name": name,
                    "word": fate_word(name),
                    "colour": FATE_COLOURS[name],
                    "dash": FATE_DASHES[name],
                }
                for name in FATES
            ],
        }


def _ranks(trace: DetectionTrace, rows: Any) -> dict[str, Any]:
    """What the order of equal scores depends on, where a top-k came before and scores are equal."""
    tied = len(np.unique(trace.scores)) < len(trace)
    if trace.group is None or trace.position is None or not tied:
        return {"topk": None}
    return {
        "group": packed(trace.group[rows], "i4"),
        "position": packed(trace.position[rows], "i4"),
        "topk": trace.topk,
    }


def best(trace: DetectionTrace, most: int = MOST) -> np.ndarray | None:
    """The candidates with the best scores in the order of the trace; ``None`` for all of them."""
    if len(trace) <= most:
        return None
    return np.sort(np.argsort(-trace.scores, kind="stable")[:most])


def packed(array: np.ndarray, dtype: str) -> str:
    """Base64 of an array's bytes in little-endian order, as JavaScript's typed arrays take them."""
    return base64.b64encode(np.ascontiguousarray(array, f"<{dtype}").tobytes()).decode()


def _rounded_up(value: float, step: float) -> float:
    return round(float(np.ceil(value / step)) * step, 6)
