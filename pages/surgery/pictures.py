"""The two results beside each other, and the numbers of what differs."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st

from pages.components import canvas
from pages.shared import charts, engine, results, scene, shell, state, thresholds
from pages.shared.plain import plain
from pages.shared.state import Field
from vision_core import figures
from vision_core.figures import differences
from vision_core.images import Photo
from vision_core.inference import (
    ClassificationTrace,
    DetectionTrace,
    PartSource,
    SegmentationTrace,
    Trace,
    predict,
)
from vision_core.models import Model
from vision_core.records import Prediction

Pair = tuple[Prediction, Prediction]
TITLES = ("Untouched", "Operated")
_TALLEST = "max(14rem, 100vh - 26.5rem)"
_LIVE_TALLEST = "max(14rem, 100vh - 29rem)"  # sliders stand below
_ON_STAGE = "max(14rem, 100vh - 25rem)"
_KINDS = {
    "both": "in both",
    "other_class": "another class",
    "shifted": "shifted",
    "only_a": "lost",
    "only_b": "new",
}


def fields(trace: Trace) -> tuple[Field, ...]:
    """What the pictures add to the address: thresholds of boxes, opacity of class maps."""
    if isinstance(trace, DetectionTrace):
        own, unit = trace.defaults, state.number(0, 1)
        return (
            Field("score", own.score, unit, "{:g}".format),
            Field("iou", own.iou, unit, "{:g}".format),
        )
    return (thresholds.OPACITY,) if isinstance(trace, SegmentationTrace) else ()


def made(model: Model, photo: Photo, trace: Trace) -> Prediction:
    """The result at the thresholds of the page, masks and joints included."""
    if not isinstance(trace, DetectionTrace):
        return predict(trace)
    value = st.session_state
    chosen = replace(trace.defaults, score=float(value["score"]), iou=float(value["iou"]))
    return predict(trace, chosen, _parts(model, photo, trace))


def _parts(model: Model, photo: Photo, trace: DetectionTrace) -> PartSource:
    return engine.parts_of(model, photo, trace)


def show(photo: Photo, model: Model, pair: Pair) -> None:
    """Both pictures, which zoom together and have their sliders in common."""
    joint = _joint(model)
    for place, title, one in zip(st.columns(2, gap="small"), TITLES, pair, strict=True):
        with place:
            st.markdown(f"**{title}**: {_said(one)}")
            canvas.picture(
                photo,
                _scene(photo, one, joint),
                key=f"surgery_{title.lower()}",
                present=shell.presenting(),
                tallest=_LIVE_TALLEST if one.selection is not None else _TALLEST,
                on_stage=_ON_STAGE,
                on_thresholds=_moved,
            )
            if isinstance(one.trace, SegmentationTrace):
                results.legend(figures.legend(one.trace)[:6], inline=True)


def _joint(model: Model) -> float | None:
    """Below which score joints are not drawn; the usual value of the Predictions page."""
    return 0.2 if model.card.family == "pose_heatmap" else None


def _said(one: Prediction) -> str:
    if isinstance(one.trace, ClassificationTrace):
        label, probability = one.trace.top(1)[0]
        return f"{plain(label)} {probability:.3f}"
    if one.selection is not None:
        count = len(one.selection.detections)
        return f"{count} detection{'' if count == 1 else 's'}"
    assert isinstance(one.trace, SegmentationTrace)
    return f"{len(one.trace.pixel_counts())} classes"


def _moved(values: dict[str, Any]) -> None:
    for name in ("score", "iou"):
        state.put(name, min(max(round(float(values[name]), 6), 0.0), 1.0))


def _scene(photo: Photo, one: Prediction, joint: float | None) -> canvas.Scene:
    look: dict[str, Any] = {"group": "surgery", "zoom": True}
    if one.selection is not None:
        step = thresholds.step_of(one.selection.trace.defaults.score)
        controls = thresholds.Controls(one.selection.thresholds, joint=joint, steps=(step, 0.01))
        drawn = scene.detections(photo, one.selection, controls, one.masks, one.keypoints)
        return dataclasses.replace(drawn, **look, shared=True, plain=True, asks="")
    if isinstance(one.trace, SegmentationTrace):
        opacity = float(st.session_state["opacity"])
        drawn = scene.class_map(photo, one.trace, opacity, None)
        words = drawn.description.split(". Click")[0] + "."
        return canvas.Scene(overlay=drawn.overlay, description=words, **look)
    assert isinstance(one.trace, ClassificationTrace)
    return dataclasses.replace(scene.seen(photo, one.trace), **look)


def numbers(pair: Pair, told: dict[str, Any]) -> None:
    """What differs, as the comparison counts it."""
    if "changes" in told:
        _classes(told)
    elif "agreement" in told:
        _pixels(pair, told)
    elif "f1" in told:
        _boxes(told)


def _classes(told: dict[str, Any]) -> None:
    rows = told["changes"]
    values = {
        title: [row[key] for row in rows]
        for title, key in zip(TITLES, ("before", "after"), strict=True)
    }
    charts.show(
        differences.grouped_bars([row["label"] for row in rows], values),
        "surgery_bars",
        "Probability of each class, untouched and operated",
    )
    st.caption(
        f"The five best classes of each. {told['moved']:.1%} of the probability changed its class: "
        "half the sum of all changes."
    )


def _pixels(pair: Pair, told: dict[str, Any]) -> None:
    left, right = st.columns([1, 2])
    left.metric("Pixels with another class", f"{1 - told['agreement']:.1%}")
    if told["iou"]:
        with right:
            best = sorted(told["iou"].items(), key=lambda item: -item[1])
            results.bars("surgery_iou", best, what="IoU of the two class maps for each class")
            st.caption("IoU of the two class maps for each class; 1: nothing changed.")


def _boxes(told: dict[str, Any]) -> None:
    row = st.container(horizontal=True, gap="medium")
    for kind, words in _KINDS.items():
        row.metric(words.capitalize(), len(told[kind]), width="content")
    row.metric("F1", f"{told['f1']:.2f}", width="content")
    joints = told.get("joints")
    if joints and joints["oks"] is not None:
        row.metric("OKS of the joints", f"{joints['oks']:.2f}", width="content")
    rows = [
        {
            "what": words,
            "untouched": _box(found["a"]),
            "operated": _box(found["b"]),
            "IoU": found["iou"] or None,
            **({"mask IoU": found.get("mask_iou")} if "mask_iou" in found else {}),
        }
        for kind, words in _KINDS.items()
        for found in told[kind]
    ]
    if rows:
        st.dataframe(
            pd.DataFrame(rows),
            hide_index=True,
            width="stretch",
            key="surgery_rows",
            height=min(40 + 35 * len(rows), 300),
            column_config={
                name: st.column_config.NumberColumn(format="%.3f") for name in ("IoU", "mask IoU")
            },
        )
    st.caption(
        "Boxes are matched one to one: the same class at an IoU of 0.5 or more is in both, an IoU "
        "of 0.1 is shifted. F1: the share of all boxes that is in both."
    )


def _box(side: dict[str, Any] | None) -> str:
    return "" if side is None else f"{side['label']} {side['score']:.3f}"
