"""What the Predictions page is made of: pickers in the rail, then the panel of the task."""

from __future__ import annotations

import streamlit as st

from pages.predictions import panels
from pages.shared import engine, frame, model_picker, photos, state
from pages.shared.guard import guarded
from pages.shared.plain import plain, short
from vision_core.images import Photo
from vision_core.inference import Trace
from vision_core.models import Card, Model

# What to look at, by task: the textbook's term and the paper.
_LEDE = {
    "detection": "Each box is a **candidate** whose score passed the threshold and that "
    "**non-maximum suppression** (NMS) did not remove for overlapping a better one. Lower the "
    "score threshold until wrong boxes appear, then raise the NMS IoU threshold until objects "
    "get two boxes (Girshick et al. 2014; soft NMS: Bodla et al. 2017).",
    "instance": "Each instance has a box and a **mask** of 28 x 28 probabilities, predicted from "
    "its own RoI-aligned features and pasted into the box (Mask R-CNN, He et al. 2017). Move the "
    "mask threshold and watch the outline: it is a level set of those probabilities.",
    "keypoint": "Each person has one **heatmap** per joint; the joint is drawn at its maximum "
    "(Mask R-CNN, He et al. 2017). Scores here are heatmap logits, not probabilities: occluded "
    "joints get a position too, with a lower score.",
    "pose": "**Top-down pose**: a detector finds each person, then a second network predicts one "
    "**heatmap** per joint inside the box (Tompson et al. 2014; Xiao et al. 2018). Raise the "
    "joint threshold: joints that the network is unsure about leave first, with their limbs.",
    "segmentation": "**Semantic segmentation** gives every pixel a class: logits on a coarse "
    "grid are upsampled and the largest wins (FCN, Long et al. 2015). It does not tell two "
    "cats apart. Click near an outline to see how close the second class is.",
    "classification": "The network sees one crop and answers with one **softmax** distribution "
    "over all its classes (AlexNet, Krizhevsky et al. 2012). Look at the second and third class: "
    "what do they share with the first?",
}


def main() -> None:
    """The page: pickers in the rail, then the panel of the task."""
    words = frame.top()
    with st.sidebar:
        entry = photos.pick()
        card = model_picker.pick()
    outer = (frame.PRESENT, *photos.fields(), *model_picker.fields())
    words.html(frame.words("Predictions", _LEDE[card.task]))
    state.write(*outer)
    notes = st.container()
    photos.strip()
    model = model_picker.load(card)
    photo = frame.photo_of(entry)
    if photo is not None and model is not None:
        _show(model, photo, card, outer)
    with notes:
        state.show_notes()


def _show(model: Model, photo: Photo, card: Card, outer: tuple[state.Field, ...]) -> None:
    trace = _traced(model, photo, card)
    if trace is None:
        return
    panels.show(model, photo, trace, outer)
    notes = (*photo.notes, *trace.info.notes)
    about = [model_picker.about(card), *(f"Photo: {note}." for note in notes)]
    st.caption(" ".join(about))


def _traced(model: Model, photo: Photo, card: Card) -> Trace | None:
    with guarded(f"running {card.name} on {short(photo.name)}"):
        if engine.is_traced(model, photo):
            return engine.trace_of(model, photo)
        size = f"{photo.width} x {photo.height} pixels, {card.parameters / 1e6:.1f} M parameters"
        words = f"Running {card.title} on {plain(photo.name)} ({size}){engine.queue_words()} …"
        with st.spinner(words, show_time=True):
            return engine.trace_of(model, photo)
    return None
