"""Thresholds of the compared detectors: one set for all, or one for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from pages.compare.sides import Side
from pages.shared import state
from pages.shared.state import Field
from pages.shared.thresholds import NMS_WORDS, step_of
from vision_core.inference import DetectionTrace
from vision_core.labels import comparable
from vision_core.records import NMS_VARIANTS, Thresholds

TOGETHER = Field("together", True, state.flag, lambda v: str(int(v)))
COLOUR = Field("colour", "class", state.one_of(("class", "difference", "truth")))
_COLOURS = {"class": "class", "difference": "difference", "truth": "truth"}

Found = Sequence[tuple[Side, DetectionTrace]]


def names(found: Found) -> list[str]:
    """The classes that any of the models knows, by the names under which they are compared."""
    known = {comparable(n) for side, _ in found for n in side.card.classes}
    return sorted(known)


def fields(found: Found) -> tuple[Field, ...]:
    """The fields of the controls; the first model's own thresholds are the shared defaults."""
    own = found[0][1].defaults
    unit = state.number(0, 1)
    each = [
        Field(f"{name}_{side.letter}", getattr(trace.defaults, name), unit, "{:g}".format)
        for side, trace in found
        for name in ("score", "iou")
    ]
    return (
        TOGETHER,
        COLOUR,
        Field("score", own.score, unit, "{:g}".format),
        Field("iou", own.iou, unit, "{:g}".format),
        Field("nms", own.nms, state.one_of(NMS_VARIANTS)),
        Field("agnostic", own.agnostic, state.flag, lambda v: str(int(v))),
        Field("only_classes", [], state.some_of(names(found)), ",".join),
        *each,
    )


def controls(found: Found) -> None:
    """Draw the controls; score and IoU stand under the pictures."""
    st.toggle(
        "One set of thresholds for all",
        key="together",
        help="Scores of different networks need not mean the same: separate thresholds let "
        "each of them keep its own.",
    )
    st.segmented_control(
        "Colours",
        list(_COLOURS),
        key="colour",
        required=True,
        width="stretch",
        format_func=_COLOURS.__getitem__,
    )
    st.selectbox(
        "Non-maximum suppression", NMS_VARIANTS, key="nms", format_func=NMS_WORDS.__getitem__
    )
    st.toggle("Class-agnostic", key="agnostic", help="Boxes of all classes suppress each other.")
    st.multiselect("Show only", names(found), key="only_classes", placeholder="all classes")
    st.button(
        "Reset to the models' own",
        on_click=state.reset,
        args=fields(found),
        width="stretch",
        icon=":material/restart_alt:",
        key="reset_comparison",
    )


def thresholds(side: Side, trace: DetectionTrace) -> Thresholds:
    """What one model selects with."""
    value = st.session_state
    chosen = set(value["only_classes"])
    known = frozenset(n for n in side.card.classes if comparable(n) in chosen)
    return replace(
        trace.defaults,
        score=float(value[_key("score", side)]),
        iou=float(value[_key("iou", side)]),
        nms=value["nms"],
        agnostic=value["agnostic"],
        classes=known if chosen else None,
    )


def moved(side: Side, values: dict[str, Any]) -> None:
    """A slider under a picture was let go."""
    for name in ("score", "iou"):
        state.put(_key(name, side), min(max(round(float(values[name]), 6), 0.0), 1.0))


def step(trace: DetectionTrace) -> tuple[float, float]:
    """Of the score and the IoU slider, as on the Predictions page."""
    return step_of(trace.defaults.score), step_of(trace.defaults.iou)


def _key(name: str, side: Side) -> str:
    return name if st.session_state["together"] else f"{name}_{side.letter}"
