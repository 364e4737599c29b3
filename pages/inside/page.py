"""Inside a detector: what happens before a candidate exists, and how the network is taught."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from pages.components import canvas
from pages.components.player import numbers
from pages.inside import head, losses, parts, proposals, pyramid, training
from pages.shared import (
    dragged,
    engine,
    frame,
    model_picker,
    operator_page,
    photos,
    shell,
    state,
    truth,
)
from pages.shared.guard import guarded
from pages.shared.plain import sentence, short
from vision_core.errors import UserError
from vision_core.images import Photo
from vision_core.inference.cache import ByteLRU
from vision_core.inside.kinds import DETECTORS
from vision_core.inside.opened import Opened, opened
from vision_core.models import Card, Model

SECTIONS = {
    "place": "Coordinates",
    "pyramid": "Pyramid",
    "anchors": "Anchors",
    "proposals": "Proposals",
    "head": "Head",
    "parts": "Masks",
    "taught": "Training",
    "losses": "Losses",
}
_LEDES = {
    "place": "Click the photo. The point is followed through the resized input to the **cell** of "
    "each level of the feature pyramid that answers for it (Lin et al. 2017).",
    "pyramid": "The **feature maps** that the head looks at, and the level that serves a box of a "
    "given size. Drag a box on the photo (Lin et al. 2017).",
    "anchors": "All **anchors** of the cell that you click (dashed), and the boxes that the "
    "network makes of the best: four numbers move and stretch each anchor (Ren et al. 2015), or "
    "are distances from a point (Tian et al. 2020).",
    "proposals": "The **region proposal network** ranks all anchors by objectness. Move k, and "
    "compare before and after its own NMS.",
    "head": "The best proposal at the place that you click, cut out by **RoI Align**: the scores "
    "of all classes, and where the best class would move the box.",
    "parts": "The **mask head** (or keypoint head) of the best detection at the place that you "
    "click, and what training would ask of it (He et al. 2017).",
    "taught": "Nobody labels anchors. **True boxes** label them by a rule: by IoU with two limits "
    "(Ren et al. 2015), or by the points inside a box (Tian et al. 2020). So a region proposal "
    "network learns without labelled proposals.",
    "losses": "How far is a box from the truth? Seven **box losses** with their gradients, and "
    "the **imbalance** of the class loss that the focal loss answers (Lin et al. 2017).",
}
_PARTS: dict[str, Callable[[parts.Asked], parts.OnPhoto]] = {
    "place": parts.coordinates,
    "pyramid": pyramid.show,
    "anchors": parts.anchors,
    "proposals": proposals.show,
    "head": head.second_stage,
    "parts": head.parts,
    "taught": training.show,
    "losses": losses.show,
}
_DRAWS = {"pyramid": "box", "losses": "box", "taught": "truth", "proposals": "truth"}
"""What a box means that is dragged on the photo."""


@st.cache_resource(show_spinner=False)
def _held() -> ByteLRU[Opened]:
    return ByteLRU(192 * 2**20, lambda found: found.nbytes, "opened detectors")


def opened_of(model: Model, photo: Photo) -> Opened:
    """One pass for everybody who asks; see ``vision_core.inside.opened``.

    Raises:
        UserError: the network is no detector, or the photo is too long and thin for it.
    """
    key = engine.key_of(model, photo)
    return _held().get_or_make(key, lambda: opened(model, photo))


def main() -> None:
    """The page: a section, the photo, and the numbers beside it."""
    _, lede, fields = operator_page.head("Inside a detector", SECTIONS)
    section = st.session_state["section"]
    operator_page.say(lede, _LEDES[section])
    with st.sidebar:
        entry = photos.pick()
        card = model_picker.pick()
    outer = (*fields, *photos.fields(), *model_picker.fields())
    photo = frame.photo_of(entry)
    if not _is_detector(card):
        st.info(
            f"{card.title} has no anchors to look at; choose a task with boxes.",
            icon=":material/block:",
        )
        state.write(*outer)
    elif photo is not None and (model := model_picker.load(card)) is not None:
        with guarded(f"opening {card.name} on {short(photo.name)}"):
            _show(model, photo, section, outer)
    else:
        state.write(*outer)
    operator_page.notes(lede)


def _is_detector(card: Card) -> bool:
    return card.family in DETECTORS


def _show(model: Model, photo: Photo, section: str, outer: tuple[state.Field, ...]) -> None:
    middle = f"{photo.width // 2},{photo.height // 2}"
    used = (
        state.Field("at", middle, numbers.parser(1)),
        dragged.FIELD,
        *parts.fields(model.module),
    )
    state.use(*used)
    with st.spinner(f"Opening {model.card.title}{engine.queue_words()} …"):
        here = opened_of(model, photo)
    asked = parts.Asked(here, photo, _place(photo), dragged.box(photo))
    left, right = st.columns([1, 1], gap="medium")
    with right:
        try:
            shown = _PARTS[section](asked)
        except UserError as error:
            st.info(sentence(str(error)), icon=":material/block:")
            shown = parts.OnPhoto([], [], [], [], "The photo")
    with left:
        canvas.picture(
            photo,
            _scene(shown, asked.at, section),
            key="inside",
            present=shell.presenting(),
            on_pick=_picked,
            on_ask=partial(_drawn, photo, section),
        )
    state.write(*outer, *used)


def _picked(pick: dict[str, Any]) -> None:
    state.put("at", f"{pick.get('x', 0)},{pick.get('y', 0)}")


def _drawn(photo: Photo, section: str, place: list[float]) -> None:
    """A click chooses a place; a box that was dragged is a question or a true box."""
    if len(place) != 4:
        state.put("at", ",".join(f"{v:.0f}" for v in place[:2]))
    elif _DRAWS[section] == "truth":
        truth.add(photo, place)
    else:
        state.put("drag", ",".join(f"{v:.0f}" for v in place))


def _place(photo: Photo) -> tuple[float, float]:
    """The chosen point; one that lies outside this photo gives its middle."""
    given = numbers.to_array(st.session_state["at"], 1)
    if len(given) == 2 and 0 <= given[0] <= photo.width and 0 <= given[1] <= photo.height:
        return float(given[0]), float(given[1])
    return photo.width / 2, photo.height / 2


def _scene(shown: parts.OnPhoto, at: tuple[float, float], section: str) -> canvas.Scene:
    """The boxes, and a small square around the place."""
    x, y = at
    boxes = [*shown.boxes, [x - 3, y - 3, x + 3, y + 3]]
    return canvas.Scene(
        boxes=[[float(v) for v in box] for box in np.asarray(boxes)],
        ids=list(range(len(boxes))),
        labels=[*shown.labels, "place"],
        scores=[None] * len(boxes),
        colours=[*shown.colours, parts.PLACE],
        dashes=[*shown.dashes, ()],
        captions=False,
        picks="pixels",
        overlay=shown.overlay,
        crowd=shown.crowd,
        marks=shown.marks,
        links=shown.links,
        asks="draw" if section in _DRAWS else "",
        description=f"{shown.text}. The place is {x:g}, {y:g}.",
    )
