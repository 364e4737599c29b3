"""The controls that decide which candidates are shown, and how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import streamlit as st

from pages.shared import glossary, state
from pages.shared.state import Field
from vision_core.inference import DetectionTrace
from vision_core.records import NMS_VARIANTS, Thresholds

NMS_WORDS = {
    "hard": "hard (greedy)",
    "soft-linear": "soft, linear",
    "soft-gaussian": "soft, Gaussian",
    "none": "none",
}
# Detectron draws joints from a heatmap logit of 2 on; 0.2 is usual for probabilities.
_JOINTS = {"keypoint_rcnn": (-5.0, 20.0, 2.0, "heatmap logit")}
_JOINT_PROBABILITY = (0.0, 1.0, 0.2, "probability")


@dataclass(frozen=True)
class Controls:
    """What the controls say: thresholds for the boxes, and how parts are drawn."""

    thresholds: Thresholds
    mask: float = 0.5
    joint: float | None = None
    opacity: float = 0.5
    captions: bool = True
    steps: tuple[float, float] = (0.01, 0.01)  # of the score and the IoU threshold


def class_names(trace: DetectionTrace) -> list[str]:
    """The classes that a user may filter by: no background, no unused ids."""
    skip = {"N/A", "__background__", "background", "no person"}
    return sorted(name for name in trace.info.labels if name not in skip)


def _joint_range(trace: DetectionTrace) -> tuple[float, float, float, str]:
    return _JOINTS.get(trace.info.family, _JOINT_PROBABILITY)


def fields(trace: DetectionTrace) -> tuple[Field, ...]:
    """The controls' fields, with the model's own thresholds as defaults."""
    own = trace.defaults
    low, high, joint, _ = _joint_range(trace)
    return (
        Field("score", own.score, state.number(0, 1), "{:g}".format),
        Field("iou", own.iou, state.number(0, 1), "{:g}".format),
        Field("nms", own.nms, state.one_of(NMS_VARIANTS)),
        Field("sigma", own.sigma, state.number(0.05, 2), "{:g}".format),
        Field("agnostic", own.agnostic, state.flag, lambda v: str(int(v))),
        Field("max", own.max_detections, state.whole(1, _most(trace))),
        Field("classes", [], state.some_of(class_names(trace)), ",".join),
        Field("mask", 0.5, state.number(0, 1), "{:g}".format),
        Field("joint", joint, state.number(low, high), "{:g}".format),
        OPACITY,
        CAPTIONS,
    )


OPACITY = Field("opacity", 0.5, state.number(0, 1), "{:g}".format)
CAPTIONS = Field("captions", True, state.flag, lambda v: str(int(v)))


def _most(trace: DetectionTrace) -> int:
    return max(300, trace.defaults.max_detections)


def controls(trace: DetectionTrace, kind: str | None, beside: Any = None) -> Controls:
    """Draw the controls of a detector.

    Args:
        trace: what they act on.
        kind: ``masks``, ``keypoints`` or ``None``: which parts the network has.
        beside: a place beside the picture for the controls of these parts.
    """
    used = fields(trace)
    state.use(*used)
    # The sliders lie under the picture; here the same numbers can be typed.
    st.number_input(
        "Score threshold",
        0.0,
        1.0,
        step=step_of(trace.defaults.score),
        format="%g",
        key="score",
        help=glossary.with_help("candidate", "Keep only candidates with a greater score."),
    )
    nms = st.session_state["nms"]
    st.number_input(
        "NMS IoU threshold",
        0.0,
        1.0,
        step=step_of(trace.defaults.iou),
        format="%g",
        key="iou",
        disabled=nms in ("none", "soft-gaussian"),
        help=glossary.with_help(
            "IoU",
            "Of two boxes that overlap by more than this, the better one stays. Gaussian soft NMS "
            "has no such threshold.",
        ),
    )
    st.slider(
        "Max detections",
        1,
        _most(trace),
        key="max",
        help="Keep at most this many, those with the best scores.",
    )
    st.selectbox(
        "Non-maximum suppression",
        NMS_VARIANTS,
        key="nms",
        format_func=NMS_WORDS.__getitem__,
        help=glossary.with_help("NMS", "Soft NMS: Bodla et al. 2017."),
    )
    if nms == "soft-gaussian":
        st.slider("Sigma", 0.05, 2.0, step=0.05, key="sigma", help="Width of the decay.")
    st.toggle("Class-agnostic", key="agnostic", help="Boxes of all classes suppress each other.")
    st.multiselect("Show only", class_names(trace), key="classes", placeholder="all classes")
    with beside or st.container():
        joint = _part_controls(trace, kind)
    st.toggle("Labels on the picture", key="captions")
    st.button(
        "Reset to the model's own",
        on_click=state.reset,
        args=used,
        width="stretch",
        icon=":material/restart_alt:",
        key="reset_thresholds",
    )
    value = st.session_state
    return Controls(
        Thresholds(
            score=float(value["score"]),
            iou=float(value["iou"]),
            nms=value["nms"],
            sigma=float(value["sigma"]),
            agnostic=value["agnostic"],
            max_detections=int(value["max"]),
            classes=frozenset(value["classes"]) or None,
        ),
        float(value["mask"]),
        joint,
        float(value["opacity"]),
        value["captions"],
        (step_of(trace.defaults.score), step_of(trace.defaults.iou)),
    )


def _part_controls(trace: DetectionTrace, kind: str | None) -> float | None:
    if kind == "masks":
        left, right = st.columns(2, gap="medium")
        left.slider(
            "Mask threshold",
            0.0,
            1.0,
            step=0.01,
            key="mask",
            help="A pixel belongs to an instance from this probability on.",
        )
        right.slider("Opacity of the masks", 0.0, 1.0, step=0.05, key="opacity")
    if kind == "keypoints":
        low, high, _, unit = _joint_range(trace)
        st.slider(
            f"Joint threshold ({unit})",
            low,
            high,
            step=0.5 if high > 1 else 0.01,
            key="joint",
            help="Joints below it are left out, and their limbs with them.",
        )
        st.caption("Limbs with a white edge are left, with a black edge right.")
        return float(st.session_state["joint"])
    return None


def step_of(default: float) -> float:
    """Hundredths, or thousandths where the model's own threshold needs them."""
    return 0.01 if round(default * 100) == default * 100 else 0.001
