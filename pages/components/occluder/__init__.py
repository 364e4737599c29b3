"""A patch that is dragged over the photo while the scores follow.

One sweep holds the scores for every place of the patch; they go to the browser as numbers, so that
dragging asks no server and runs no network.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from vision_core.attribution import Question
from vision_core.attribution.occlusion import Sweep
from vision_core.attribution.words import quantity
from vision_core.figures import jpeg
from vision_core.figures.browser import component
from vision_core.figures.colours import class_colour
from vision_core.figures.encode import data_url
from vision_core.images import Photo

SHOWN = 6
"""Classes with a bar: those that come out on top somewhere, then the most probable ones."""
_WIDTH = 720
_PARTS = component("occluder")
_mount = st.components.v2.component(
    "convscope_occluder", html=_PARTS.html, css=_PARTS.css, js=_PARTS.js
)


def show(photo: Photo, question: Question, sweep: Sweep, *, key: str = "occluder") -> None:
    """Show the photo with a patch to drag, and a bar for each score.

    Args:
        photo: the photo.
        question: tells where the network's input lies on it.
        sweep: a whole sweep.
        key: of the element.
    """
    _mount(key=key, data=content(photo, question, sweep))


def content(photo: Photo, question: Question, sweep: Sweep) -> dict[str, Any]:
    """What the component is sent: places of the patch in photo pixels, and scores at each."""
    window = question.window
    corners = sweep.corners.numpy().astype(float)
    left = window.left + corners[:, 1] * window.scale_x
    top = window.top + corners[:, 0] * window.scale_y
    own, there, unit = scores(sweep)
    order = np.argsort(-own, kind="stable")
    ever = [int(i) for i in np.unique(there.argmax(1)) if i in order[: 3 * SHOWN]]
    chosen = list(dict.fromkeys([int(order[0]), *ever, *order.tolist()]))[:SHOWN]
    chosen.sort(key=lambda i: -own[i])
    names = [sweep.labels[i] for i in chosen]
    if len(own) == 1:  # a target's text, such as box:12, is for links only
        names, unit = [quantity(question.target)], ""
    return {
        "photo": {
            "id": photo.sha256,
            "width": photo.width,
            "height": photo.height,
            "url": _file(photo.sha256, photo),
        },
        "patch": [sweep.patch * window.scale_x, sweep.patch * window.scale_y],
        "places": np.stack([left, top], 1).round(2).tolist(),
        "names": names,
        "colours": [class_colour(n) for n in names],
        "unit": unit,
        "own": own[chosen].round(5).tolist(),
        "there": there[:, chosen].round(5).tolist(),
    }


def scores(sweep: Sweep) -> tuple[np.ndarray, np.ndarray, str]:
    """Scores without a patch ``[K]`` and with it at each place ``[P, K]``, and what they are.

    A classifier's logits become probabilities; a single target keeps its logit.
    """
    own = sweep.own.numpy().astype(np.float64)
    there = own - sweep.drops.numpy().astype(np.float64)
    if len(own) == 1:
        return own, there, "score"
    return _softmax(own), _softmax(there), "probability"


def _softmax(logits: np.ndarray) -> np.ndarray:
    shifted = np.exp(logits - logits.max(-1, keepdims=True))
    return shifted / shifted.sum(-1, keepdims=True)


@st.cache_data(max_entries=16, show_spinner=False)
def _file(sha256: str, _photo: Photo) -> str:
    return data_url(jpeg(_photo, _WIDTH), "jpeg")
