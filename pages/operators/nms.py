"""Non-maximum suppression, step by step, on boxes that the reader drags."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from pages.components.player import numbers
from pages.shared import operator_page, state
from pages.shared.operator import Control, Operator
from vision_core.figures.stage import Stage
from vision_core.figures.stage_views import view_of

_LEDE = (
    "Greedy NMS (**non-maximum suppression**) keeps the box with the **best score** and removes "
    "all boxes that overlap it by more than the IoU threshold; then it goes on with the best box "
    "left. Drag a box, or draw a new one, and play again (Girshick et al. 2014)."
)


def main() -> None:
    """The page: draggable boxes and the player."""
    menu, lede, fields = operator_page.head("NMS", {"boxes": "Boxes"})
    operator_page.say(lede, _LEDE)
    controls = (Control("iou_threshold", "IoU threshold", 0, 1, 0.05),)
    operator = Operator("nms/boxes", "nms", controls, ("boxes", "scores"))
    shown = operator.show(menu)
    stage = Stage(tuple(view_of(walk) for walk in shown.walks))
    operator_page.play(operator, shown, stage, fields, ("scores",), on_drag=_take_boxes)
    facts = shown.walks[0].facts
    left, right = st.columns(2)
    left.markdown(f"Kept, best first: **{', '.join(map(str, facts['kept']))}**")
    left.markdown(f"`{shown.walks[0].formula[0]}`")
    right.caption("IoU of every pair")
    right.dataframe(np.round(facts["iou"], 3), width="content")
    operator_page.files(stage, "nms")
    operator_page.notes(lede)


def _take_boxes(drag: dict[str, Any]) -> None:
    boxes = numbers.to_array(st.session_state["boxes"], 2)
    scores = numbers.to_array(st.session_state["scores"], 1)
    box = [round(v) for v in drag["box"]]
    if drag["index"] < len(boxes):
        boxes[drag["index"]] = box
    elif len(boxes) < 12:
        boxes.append(box)
        scores.append(round(max(min(scores) - 0.05, 0.05), 2))
    state.put("boxes", numbers.to_text(boxes))
    state.put("scores", numbers.to_text(scores))
