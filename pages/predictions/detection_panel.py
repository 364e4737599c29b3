"""The panel of a detector: live picture, table, "why is nothing here?", funnel and timing."""

from __future__ import annotations

import dataclasses

import streamlit as st

from pages.components import canvas, replay
from pages.predictions import funnel, knows, why_not
from pages.shared import downloads, engine, results, scene, shell, state, thresholds
from pages.shared.guard import guarded
from pages.shared.state import Field
from vision_core import figures
from vision_core.images import Photo
from vision_core.inference import DetectionTrace, predict
from vision_core.models import Model
from vision_core.records import Prediction, Selection

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
            boxes_place = st.container()
        left, right = st.columns(_WIDE, gap="medium")
        picture_place, parts_place = left.container(), left.container()
        with boxes_place:
            said = thresholds.controls(trace, parts.kind, parts_place)
        made = predict(
            trace, said.thresholds, parts, mask_threshold=said.mask, joint_threshold=said.joint
        )
        selection = made.selection
        assert selection is not None
        funnel.use(selection)
        answer, behind = why_not.answer(selection), funnel.chosen(selection)
        with picture_place:
            drawn = scene.detections(photo, selection, said, made.masks, made.keypoints)
            marks, links, pin = why_not.marks(selection, answer)
            _picture(
                photo,
                selection,
                dataclasses.replace(
                    drawn,
                    marks=marks,
                    links=links,
                    pin=pin,
                    crowd=funnel.crowd(behind),
                ),
            )
        with right:
            why_not.show(trace, answer)
            found, stages = st.tabs(["Detections", "Funnel"])
            with found:
                _numbers(model, trace, selection)
            with stages:
                funnel.show(selection, behind)
            why_not.form(trace)
            _files(photo, made, selection, said)
        timing, steps = st.tabs(["Timing", "NMS replay"], on_change="rerun", key="below")
        with timing:
            results.spent(selection, engine.passes(model, photo), made.timing_ms["select"])
            if parts.reran:
                st.caption("The backbone ran once more: its features were no longer in memory.")
            results.timing(trace, engine.passes(model, photo))
        if steps.open:
            with steps:
                replay.show(photo, trace, said.thresholds)
        state.write(
            *outer, *thresholds.fields(trace), BOX, *why_not.fields(trace), funnel.field(selection)
        )


def _picture(photo: Photo, selection: Selection, drawn: canvas.Scene) -> None:
    canvas.picture(
        photo,
        drawn,
        key="picture",
        selected=results.selected(selection),
        present=shell.presenting(),
        on_pick=lambda pick: state.put("box", pick.get("id", -1)),
        on_thresholds=_thresholds_moved,
        on_ask=why_not.asked,
    )


def _thresholds_moved(values: dict[str, float]) -> None:
    """A live slider was let go: the same state as that of the native sliders."""
    for name in ("score", "iou"):
        state.put(name, min(max(round(float(values[name]), 6), 0.0), 1.0))


def _numbers(model: Model, trace: DetectionTrace, selection: Selection) -> None:
    """The table and the classes of the selected box, or what to do when there is none."""
    chosen = results.selected(selection)
    if not len(selection.detections):
        knows.nothing(model.card, trace)
        return
    results.table(selection, chosen)
    if selection.ties_open:
        st.caption("Equal scores at the limit: torchvision may keep others.")
    if chosen >= 0:
        results.distribution(trace, chosen)
    elif len(selection.detections):
        st.caption("Click a box or a row for the scores of all its classes.")
    knows.line(trace)


def _files(photo: Photo, made: Prediction, selection: Selection, said: thresholds.Controls) -> None:
    def picture() -> bytes:
        return figures.png(
            figures.draw(
                photo,
                selection,
                masks=made.masks,
                keypoints=made.keypoints,
                mask_threshold=said.mask,
                joint_threshold=said.joint,
                opacity=said.opacity,
                labels=said.captions,
            )
        )

    downloads.buttons(
        photo.name,
        {
            "Picture": ("_picture.png", picture, "image/png"),
            **downloads.numbers(photo, made),
            **downloads.prediction_page(
                photo, made, opacity=said.opacity, captions=said.captions, steps=said.steps
            ),
        },
    )
