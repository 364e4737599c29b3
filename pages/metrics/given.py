"""What is scored: a detector's boxes on this photo, and what stands for the truth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st

from pages.components import canvas
from pages.shared import engine, frame, model_picker, photos, shell, state, truth
from pages.shared.plain import short
from pages.shared.state import Field
from vision_core import models
from vision_core.comparison.truth import Truth
from vision_core.figures.colours import GROUND_TRUTH
from vision_core.images import Photo
from vision_core.inference import DetectionTrace
from vision_core.labels import comparable
from vision_core.models import Card
from vision_core.records import Detections, Thresholds

_STAND_INS = ("faster_rcnn_s", "fcos_s")
"""Bundled detectors whose boxes stand for the truth until somebody draws it."""


@dataclass(frozen=True, eq=False)
class Scored:
    """A detector's answer and what is there.

    Attributes:
        photo: that it looked at.
        card: of the detector.
        trace: what it said.
        truth: drawn, or another detector's boxes.
        stand_in: title of that other detector; empty where the truth was drawn.
    """

    photo: Photo
    card: Card
    trace: DetectionTrace
    truth: Truth
    stand_in: str

    @property
    def known(self) -> list[str]:
        """Classes of the detector, by the names under which they are compared."""
        return sorted({comparable(name) for name in self.card.classes})

    def kept(self, score: float) -> Detections:
        """Its detections above a score, after its own NMS."""
        return self.trace.select(at_score(self.trace, score)).detections

    @property
    def score(self) -> Field:
        """The score threshold, with the network's own as the default."""
        return Field("score", self.trace.defaults.score, state.number(0, 1), "{:g}".format)


def picked(first: str = "") -> tuple[Photo | None, Card, tuple[Field, ...]]:
    """Draw the pickers of photo and model, here and now; their fields come along.

    Args:
        first: the model with which a section opens, where nobody has chosen one.
    """
    entry = photos.pick()
    card = model_picker.pick(first)
    state.use(truth.FIELD, truth.DRAWING)
    fields = (*photos.fields(), *model_picker.fields(first), truth.FIELD, truth.DRAWING)
    return frame.photo_of(entry), card, fields


def at_score(trace: DetectionTrace, score: float) -> Thresholds:
    """A network's own thresholds with another score."""
    return replace(trace.defaults, score=score)


def scored(photo: Photo, card: Card) -> Scored | None:
    """Run the detector and find the truth; ``None`` after saying what is missing."""
    if card.task in ("segmentation", "classification"):
        offer(card, "finds no boxes", _STAND_INS[1])
        return None
    model = model_picker.load(card)
    if model is None:
        return None
    with st.spinner(f"Running {card.title}{engine.queue_words()} …"):
        trace = engine.trace_of(model, photo)
    assert isinstance(trace, DetectionTrace)
    return Scored(photo, card, trace, *there(photo, card, str(model.device)))


def offer(card: Card, words: str, other: str) -> None:
    """Say that a network does not fit a section, and offer one that does.

    Args:
        card: of the network.
        words: what it does not do.
        other: name of a bundled network that does.
    """
    fits = models.card(other)
    st.info(f"{card.title} {words}.", icon=":material/block:")
    st.button(
        f"Use {fits.title}",
        key="use_fitting",
        on_click=model_picker.use,
        args=(fits,),
        type="primary",
    )


def there(photo: Photo, card: Card, device: str) -> tuple[Truth, str]:
    """The drawn boxes; else those of another detector than ``card``, and its title."""
    drawn = truth.current(photo)
    if drawn is not None:
        return drawn, ""
    name = next(n for n in _STAND_INS if n != card.name)
    other = engine.load_model(name, device)
    trace = engine.trace_of(other, photo)
    assert isinstance(trace, DetectionTrace)
    found = trace.select(trace.defaults).detections
    labels = tuple(comparable(label) for label in found.labels)
    return Truth(found.boxes, labels), models.card(name).title


def draw(
    photo: Photo,
    true: Truth,
    scene: canvas.Scene,
    key: str,
    named: bool = True,
    tallest: str = "calc(100vh - 24rem)",
    on_ask: Callable[[Photo, Sequence[float]], None] = truth.add,
) -> None:
    """The photo with the true boxes and a scene on it; a box that is dragged is a true one.

    Args:
        photo: the photo.
        true: boxes that are marked.
        scene: what else lies on the photo.
        key: of the picture.
        named: whether the class of each true box stands at it.
        tallest: CSS length that the picture's height stays under.
        on_ask: takes the place that was dragged or clicked while boxes are drawn.
    """
    marks = [
        canvas.Mark(
            np.round(box, 1).tolist(),
            GROUND_TRUTH,
            f"true {short(label, 24)}" if named else "",
            (1, 2),
        )
        for box, label in zip(true.boxes, true.labels, strict=True)
    ]
    canvas.picture(
        photo,
        replace(
            scene,
            marks=[*marks, *scene.marks],
            links=[(a + len(marks), b + len(marks), text) for a, b, text in scene.links],
            asks=(scene.asks if scene.brush else "draw") if truth.drawing() else "",
        ),
        key=key,
        present=shell.presenting(),
        tallest=tallest,
        on_stage=tallest,
        on_ask=lambda at: on_ask(photo, at),
    )


def truth_controls(known: Sequence[str], likely: Sequence[str], stand_in: str) -> None:
    """The button that starts drawing, and a sentence on what stands for the truth.

    Args:
        known: classes that a box may have.
        likely: classes that the next box may have, the likeliest first.
        stand_in: the detector whose boxes stand for the truth; empty where it was drawn.
    """
    truth.prepare(known, next(iter(likely), ""))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        truth.button(known)
    if stand_in:
        st.caption(
            f"No box is drawn yet: what **{stand_in}** keeps stands for the truth, so that "
            "the numbers say how far the two agree."
        )
