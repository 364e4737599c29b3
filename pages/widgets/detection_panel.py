"""The panel of a detector: live picture, table, "why is nothing here?", funnel and timing."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

import numpy as np
import streamlit as st

from pages.widgets import (
    canvas,
    downloads,
    engine,
    funnel,
    replay,
    results,
    scene,
    shell,
    state,
    thresholds,
    why_not,
)
from pages.widgets.guard import guarded
from pages.widgets.state import Field
from vision_core import figures
from vision_core.export import coco_json
from vision_core.images import Photo
from vision_core.inference import DetectionTrace, Keypoints, PartSource
from vision_core.models import Model
from vision_core.selection.types import Selection

_WIDE = [5, 3]
BOX = Field("box", -1, state.whole(-1, 10**7))


@st.fragment
def show(model: Model, photo: Photo, trace: DetectionTrace, outer: tuple[Field, ...]) -> None:
    """Boxes, masks and skeletons with everything that decides about them.

    Args:
        model: what made the trace.
        photo: what it was made from.
        trace: what the network said.
        outer: the fields of the pickers, which share the address bar with the panel's.
    """
    with guarded("showing the detections"):
        parts = engine.parts_of(model, photo, trace)
        state.use(BOX)
        why_not.use(trace)
        with st.sidebar:
            said = thresholds.controls(trace, parts.kind)
        selection, masks, joints, spent = _selected(parts, trace, said)
        funnel.use(selection)
        left, right = st.columns(_WIDE, gap="medium")
        answer, behind = why_not.answer(selection), funnel.chosen(selection)
        with left:
            drawn = scene.detections(photo, selection, said, masks, joints)
            marks, links, pin = why_not.marks(selection, answer)
            _picture(photo, selection, dataclasses.replace(
                drawn, marks=marks, links=links, pin=pin, crowd=funnel.crowd(behind),
            ))
            results.spent(selection, engine.passes(model, photo), spent)
            if parts.reran:
                st.caption("The backbone had to run once more: its features had made room.")
            _files(photo, selection, said, masks, joints)
        with right:
            why_not.show(trace, answer)
            found, stages = st.tabs(["Detections", "Funnel"])
            with found:
                _numbers(trace, selection)
            with stages:
                funnel.show(selection, behind)
            why_not.form(trace)
        timing, steps = st.tabs(["Timing", "NMS replay"], on_change="rerun", key="below")
        with timing:
            results.timing(trace, engine.passes(model, photo))
        if steps.open:
            with steps:
                replay.show(photo, trace, said.thresholds)
        state.write(
            *outer, *thresholds.fields(trace), BOX, *why_not.fields(trace), funnel.field(selection)
        )


def _picture(photo: Photo, selection: Selection, drawn: canvas.Scene) -> None:
    canvas.picture(
        photo, drawn, key="picture", selected=results.selected(selection),
        present=shell.presenting(),
        on_pick=lambda pick: state.put("box", pick.get("id", -1)),
        on_thresholds=_thresholds_moved,
        on_ask=why_not.asked,
    )


def _thresholds_moved(values: dict[str, float]) -> None:
    """A live slider was let go: the same state as that of the native sliders."""
    for name in ("score", "iou"):
        state.put(name, min(max(round(float(values[name]), 6), 0.0), 1.0))


def _selected(
    parts: PartSource, trace: DetectionTrace, said: thresholds.Controls
) -> tuple[Selection, np.ndarray | None, Keypoints | None, float]:
    started = time.perf_counter()
    selection = trace.select(said.thresholds)
    spent = 1000 * (time.perf_counter() - started)
    kept = selection.detections.candidate
    masks = parts.masks(kept) if parts.kind == "masks" else None
    joints = parts.keypoints(kept) if parts.kind == "keypoints" else None
    return selection, masks, joints, spent


def _numbers(trace: DetectionTrace, selection: Selection) -> None:
    """The table, and the classes of the selected box."""
    chosen = results.selected(selection)
    results.table(selection, chosen)
    if selection.ties_open:
        st.caption("Equal scores at the limit: torchvision may keep others.")
    if chosen >= 0:
        results.distribution(trace, chosen)
    elif len(selection.detections):
        st.caption("Click a box or a row for the scores of all its classes.")


def _files(
    photo: Photo,
    selection: Selection,
    said: thresholds.Controls,
    masks: np.ndarray | None,
    joints: Keypoints | None,
) -> None:
    def picture() -> bytes:
        return figures.png(figures.draw(
            photo, selection, masks=masks, keypoints=joints, mask_threshold=said.mask,
            joint_threshold=said.joint, opacity=said.opacity, labels=said.captions,
        ))

    def coco() -> bytes:
        return downloads.as_json(coco_json(
            photo, selection, masks=masks, keypoints=joints, mask_threshold=said.mask
        ))

    downloads.buttons(photo.name, {
        "Picture": ("_picture.png", picture, "image/png"),
        "COCO": ("_coco.json", coco, "application/json"),
        "Numbers": ("_numbers.json", lambda: downloads.as_json(numbers(selection)),
                    "application/json"),
    })


def numbers(selection: Selection) -> dict[str, Any]:
    """What stands on the page about a selection, as JSON-ready values."""
    found, trace = selection.detections, selection.trace
    rows = [
        {
            "label": found.labels[i], "score": float(found.scores[i]),
            "box": [float(v) for v in found.boxes[i]],
            "classes": [{"label": n, "score": p} for n, p in trace.distribution(int(candidate))],
        }
        for i, candidate in enumerate(found.candidate)
    ]
    return {
        "model": trace.info.model, "image": trace.info.photo_name,
        "sha256": trace.info.photo_sha256, "thresholds": selection.thresholds.as_dict(),
        "detections": rows, "fates": selection.counts(),
        "funnel": [{"name": s.name, "count": s.count} for s in trace.funnel],
        "timing_ms": dict(trace.info.timing_ms), "device": trace.info.device,
    }
