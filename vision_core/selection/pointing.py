"""The boxes that an answer to "why not here?" names, so that a figure can point at them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from vision_core.records import Selection
from vision_core.selection.why import Why


@dataclass(frozen=True)
class Named:
    """A box that an answer names.

    Attributes:
        role: ``candidate``, ``suppressor``, ``anchor``, ``network_box`` (what the network made of
            that anchor) or ``winner`` (the proposal that the RPN's NMS preferred).
        box: [x1, y1, x2, y2], photo pixels.
        text: a few words for its corner.
        iou: of a suppressor or winner with what it suppressed; ``None`` for the others.
    """

    role: str
    box: list[float]
    text: str
    iou: float | None = None


def named_boxes(selection: Selection, answer: Why) -> tuple[Named, ...]:
    """The boxes of an answer, the one that the answer is about first.

    Args:
        selection: what the answer was made from.
        answer: from ``why_box`` or ``why_spot``.
    """
    if answer.candidate is not None:
        return _of_candidate(selection, answer)
    return _of_anchor(selection, answer.facts)


def _of_candidate(selection: Selection, answer: Why) -> tuple[Named, ...]:
    trace, facts = selection.trace, answer.facts
    text = f"{facts['label']} {facts['score']:.2f}"
    found = [Named("candidate", list(facts["box"]), text)]
    if "by" in facts:
        by = int(facts["by"])
        who = f"box {facts['by_rank'] + 1}: " if facts["by_rank"] >= 0 else ""
        text = f"{who}{facts['by_label']} {facts['by_score']:.2f}"
        found.append(Named("suppressor", trace.boxes[by].tolist(), text, facts["iou"]))
    return tuple(found)


def _of_anchor(selection: Selection, facts: Any) -> tuple[Named, ...]:
    field = selection.trace.field
    if field is None or "anchor" not in facts:
        return ()
    info = selection.trace.info
    scale = np.tile(np.array(info.photo_size) / np.array(info.network_size), 2)

    def photo(boxes: np.ndarray, anchor: int) -> list[float]:
        return [float(v) for v in boxes[anchor] * scale]

    anchor = int(facts["anchor"])
    score = f"{field.scores[anchor]:.3f}"
    found = [
        Named("network_box", photo(field.boxes_net, anchor), f"box of the anchor, {score}"),
        Named("anchor", photo(field.anchors_net, anchor), f"anchor, level {facts['level']}"),
    ]
    if "to_anchor" in facts:
        winner = int(facts["to_anchor"])
        text = f"{facts['to']}, {facts['to_objectness']:.3f}"
        found.append(Named("winner", photo(field.boxes_net, winner), text, facts["iou"]))
    return tuple(found)
