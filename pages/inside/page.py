"""Inside a detector: what happens before a candidate exists, and how the network is taught."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import streamlit as st

from pages.components import canvas
from pages.components.player import numbers
from pages.inside import parts
from pages.shared import engine, frame, model_picker, operator_page, photos, shell, state
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
    "anchors": "Anchors",
    "proposals": "Proposals",
    "head": "Head",
    "taught": "Training",
}
_LEDES = {
    "place": "Click the photo. The point is followed through the resized input to the **cell** of "
    "each level of the feature pyramid that answers for it (Lin et al. 2017).",
    "anchors": "All **anchors** of the cell that you click (dashed), and the boxes that the "
    "network makes of the best: four numbers move and stretch each anchor (Ren et al. 2015), or "
    "are distances from a point (Tian et al. 2020).",
    "proposals": "The **region proposal network** ranks all anchors by objectness. Move k, and "
    "compare before and after its own NMS.",
    "head": "The best proposal at the place that you click, cut out by **RoI Align**: the scores "
    "of all classes, and where the best class would move the box.",
    "taught": "Nobody labels anchors. **True boxes** label them by a rule: by IoU with two limits "
    "(Ren et al. 2015), or by the points inside a box (Tian et al. 2020). Here what the network "
    "keeps stands for the truth.",
}
_PARTS: dict[str, Callable[[Opened, tuple[float, float]], parts.Shown]] = {
    "place": parts.coordinates,
    "anchors": parts.anchors,
    "proposals": parts.proposals,
    "head": parts.second_stage,
    "taught": parts.taught,
}


@st.cache_resource(show_spinner=False)
def _held() -> ByteLRU[Opened]:
    return ByteLRU(192 * 2**20, size=lambda found: found.nbytes)


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
    used = (state.Field("at", middle, numbers.parser(1)), *parts.fields())
    state.use(*used)
    with st.spinner(f"Opening {model.card.title}{engine.queue_words()} …"):
        here = opened_of(model, photo)
    at = _place(photo)
    left, right = st.columns([1, 1], gap="medium")
    with right:
        try:
            shown = _PARTS[section](here, at)
        except UserError as error:
            st.info(sentence(str(error)), icon=":material/block:")
            shown = parts.Shown([], [], [], [], "The photo")
    with left:
        canvas.picture(
            photo, _scene(shown, at), key="inside", present=shell.presenting(), on_pick=_picked
        )
    state.write(*outer, *used)


def _picked(pick: dict[str, Any]) -> None:
    state.put("at", f"{pick.get('x', 0)},{pick.get('y', 0)}")


def _place(photo: Photo) -> tuple[float, float]:
    """The chosen point; one that lies outside this photo gives its middle."""
    given = numbers.to_array(st.session_state["at"], 1)
    if len(given) == 2 and 0 <= given[0] <= photo.width and 0 <= given[1] <= photo.height:
        return float(given[0]), float(given[1])
    return photo.width / 2, photo.height / 2


def _scene(shown: parts.Shown, at: tuple[float, float]) -> canvas.Scene:
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
        description=f"{shown.text}. The place is {x:g}, {y:g}.",
    )
