"""One panel per kind of trace: picture, controls and numbers in one fragment."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import streamlit as st

from pages.widgets import canvas, downloads, engine, results, scene, shell, state, thresholds
from pages.widgets.guard import guarded
from pages.widgets.state import Field
from vision_core import figures
from vision_core.export import coco_json
from vision_core.images import Photo
from vision_core.inference import (
    ClassificationTrace,
    DetectionTrace,
    Keypoints,
    PartSource,
    SegmentationTrace,
    Trace,
)
from vision_core.models import Model
from vision_core.selection.types import Selection

_WIDE = [5, 3]
BOX = Field("box", -1, state.whole(-1, 10**7))
AT = Field("at", "", str)
TOP = Field("top", 5, state.whole(1, 20))


def show(model: Model, photo: Photo, trace: Trace, outer: tuple[Field, ...]) -> None:
    """Show a trace with the panel of its kind.

    Args:
        model: what made it.
        photo: what it was made from.
        trace: what the network said.
        outer: the fields of the pickers, which share the address bar with the panel's.
    """
    if isinstance(trace, DetectionTrace):
        detection(model, photo, trace, outer)
        left, right = st.columns(2, gap="medium")
        with left:
            results.funnel(trace)
        with right:
            results.timing(trace, engine.passes(model, photo))
        return
    if isinstance(trace, SegmentationTrace):
        segmentation(model, photo, trace, outer)
    else:
        classification(model, photo, trace, outer)
    results.timing(trace, engine.passes(model, photo))


@st.fragment
def detection(
    model: Model, photo: Photo, trace: DetectionTrace, outer: tuple[Field, ...]
) -> None:
    """Boxes, masks and skeletons with everything that decides about them."""
    with guarded("showing the detections"):
        parts = engine.parts_of(model, photo, trace)
        state.use(BOX)
        with st.sidebar:
            said = thresholds.controls(trace, parts.kind)
        selection, masks, joints, spent = _selected(parts, trace, said)
        chosen = results.selected(selection)
        left, right = st.columns(_WIDE, gap="medium")
        with left:
            canvas.picture(
                photo, scene.detections(photo, selection, said, masks, joints), key="picture",
                selected=chosen, present=shell.presenting(),
                on_pick=lambda pick: state.put("box", pick.get("id", -1)),
            )
            results.fates(selection, engine.passes(model, photo), spent)
            if parts.reran:
                st.caption("The backbone had to run once more: its features had made room.")
            _detection_files(photo, selection, said, masks, joints)
        with right:
            results.table(selection, chosen)
            if chosen >= 0:
                results.distribution(trace, chosen)
            elif len(selection.detections):
                st.caption("Click a box or a row for the scores of all its classes.")
        state.write(*outer, *thresholds.fields(trace), BOX)


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


def _detection_files(
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


@st.fragment
def segmentation(
    model: Model, photo: Photo, trace: SegmentationTrace, outer: tuple[Field, ...]
) -> None:
    """The class map, its legend, and the classes of a clicked pixel."""
    with guarded("showing the class map"):
        state.use(AT, thresholds.OPACITY)
        with st.sidebar:
            st.slider("Opacity", 0.0, 1.0, step=0.05, key="opacity")
        opacity = float(st.session_state["opacity"])
        pin = _pixel(photo, st.session_state["at"])
        left, right = st.columns(_WIDE, gap="medium")
        with left:
            canvas.picture(
                photo, scene.class_map(photo, trace, opacity, pin), key="picture",
                present=shell.presenting(),
                on_pick=lambda pick: state.put("at", f"{pick['x']},{pick['y']}"),
            )
            downloads.buttons(photo.name, {
                "Picture": ("_classes.png", lambda: figures.png(
                    figures.draw_class_map(photo, trace, opacity=opacity)), "image/png"),
                "Class map": ("_map.png", lambda: figures.png(trace.class_map), "image/png"),
                "Numbers": ("_numbers.json", lambda: downloads.as_json(
                    {"model": model.name, "labels": trace.info.labels,
                     "pixels": trace.pixel_counts()}), "application/json"),
            })
        with right:
            results.legend(figures.legend(trace))
            if pin is None:
                st.caption("Click a pixel for the probability of every class there.")
            else:
                st.markdown(f"**Classes at pixel ({pin[0]}, {pin[1]})**")
                results.bars("pixel", trace.probabilities_at(*pin))
        state.write(*outer, AT, thresholds.OPACITY)


def _pixel(photo: Photo, text: str) -> tuple[int, int] | None:
    if not text:
        return None
    try:
        x, y = (int(part) for part in text.split(","))
    except ValueError:
        x = y = -1
    if 0 <= x < photo.width and 0 <= y < photo.height:
        return x, y
    state.put("at", "")
    state.note(f"The address asks for the pixel “{text[:30]}”, which this photo does not have.")
    return None


@st.fragment
def classification(
    model: Model, photo: Photo, trace: ClassificationTrace, outer: tuple[Field, ...]
) -> None:
    """The most probable classes, and the part of the photo that the network saw."""
    with guarded("showing the classes"):
        state.use(TOP)
        with st.sidebar:
            st.slider("Classes shown", 1, 20, key="top")
        best = trace.top(st.session_state["top"])
        left, right = st.columns(_WIDE, gap="medium")
        with left:
            seen = canvas.Scene(
                boxes=[list(trace.seen_box)], ids=[0], labels=["what the network saw"],
                scores=[None], colours=["#0072B2"], dashes=[(3, 2)], captions=False,
                description=f"{photo.name}: {best[0][0]}, probability {best[0][1]:.2f}.",
            )
            canvas.picture(photo, seen, key="picture", present=shell.presenting())
            downloads.buttons(photo.name, {
                "Numbers": ("_numbers.json", lambda: downloads.as_json({
                    "model": model.name,
                    "classes": [{"label": n, "probability": p} for n, p in trace.top(10**6)],
                }), "application/json"),
            })
        with right:
            st.markdown(f"**{best[0][0]}**, probability {best[0][1]:.3f}")
            results.bars("classes_bars", best)
            st.caption("The dashed frame is what the network saw after its resize and crop.")
        state.write(*outer, TOP)
