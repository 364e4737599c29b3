"""Non-maximum suppression replayed on the real candidates of a photo, three variants at a time.

All steps of all variants go to the browser as numbers; playing, stepping and scrubbing need no
server. The steps are those of ``vision_core.selection.replay``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import streamlit as st

from vision_core.figures import jpeg
from vision_core.figures.browser import component
from vision_core.figures.colours import class_colour
from vision_core.figures.encode import data_url
from vision_core.images import Photo
from vision_core.inference import DetectionTrace
from vision_core.records import Thresholds
from vision_core.selection.replay import ReplayStep, replay

MOST = 100
"""Candidates at the most: with more boxes on a picture nobody sees anything."""
VARIANTS = {"hard": "Hard", "soft-linear": "Soft, linear", "soft-gaussian": "Soft, Gaussian"}
_WIDTH = 640  # of the pictures that are sent; three stand beside each other
_PARTS = component("replay")
_mount = st.components.v2.component(
    "convscope_replay", html=_PARTS.html, css=_PARTS.css, js=_PARTS.js
)


def show(
    photo: Photo, trace: DetectionTrace, thresholds: Thresholds, *, key: str = "replay"
) -> None:
    """Show hard, linear and Gaussian soft NMS on the same candidates, step by step.

    Args:
        photo: the picture behind the boxes.
        trace: its candidates.
        thresholds: score, IoU, sigma and class-agnostic are taken from here; the variant, the
            limit and the class filter are not, since the replay ends before they act.
        key: of the element.
    """
    used, above = at_most(trace, thresholds)
    if not above:
        st.info("No candidate lies above the score threshold: nothing to replay.")
        return
    if used.score != thresholds.score:
        st.caption(
            f"{above:,} candidates lie above the score threshold {thresholds.score:g}; the replay "
            f"takes the best of them, those above {used.score:.3f}."
        )
    _mount(key=key, data=content(photo, trace, used))


def at_most(trace: DetectionTrace, thresholds: Thresholds) -> tuple[Thresholds, int]:
    """Thresholds that leave at most ``MOST`` candidates, and how many the given ones leave."""
    above = np.sort(trace.scores[trace.scores > np.float32(thresholds.score)])[::-1]
    if len(above) <= MOST:
        return thresholds, len(above)
    return replace(thresholds, score=float(above[MOST])), len(above)


def content(photo: Photo, trace: DetectionTrace, thresholds: Thresholds) -> dict[str, Any]:
    """What the component is sent: the photo, the candidates, and the steps of each variant."""
    alive = np.flatnonzero(trace.scores > np.float32(thresholds.score))
    place = {int(candidate): i for i, candidate in enumerate(alive)}
    labels = [trace.label(int(candidate)) for candidate in alive]
    variants = []
    for name, title in VARIANTS.items():
        steps = replay(trace, replace(thresholds, nms=name, classes=None))  # type: ignore[arg-type]
        variants.append(
            {
                "name": name,
                "title": title,
                "rule": _rule(name, thresholds),
                "steps": [_numbers(step, place) for step in steps],
            }
        )
    return {
        "photo": {"width": photo.width, "height": photo.height, "url": _file(photo.sha256, photo)},
        "ids": alive.tolist(),
        "boxes": np.round(trace.boxes[alive], 2).tolist(),
        "scores": trace.scores[alive].astype(float).round(4).tolist(),
        "labels": labels,
        "colours": [class_colour(label) for label in labels],
        "variants": variants,
    }


def _numbers(step: ReplayStep, place: dict[int, int]) -> list[Any]:
    effects = [
        [place[e.candidate], round(e.iou, 4), round(e.before, 4), round(e.after, 4), int(e.out)]
        for e in step.effects
    ]
    return [place[step.kept], round(step.score, 4), effects]


def _rule(name: str, thresholds: Thresholds) -> str:
    if name == "hard":
        return f"drops what overlaps by IoU > {thresholds.iou:g}"
    if name == "soft-linear":
        return f"score x (1 - IoU) where IoU > {thresholds.iou:g}"
    return f"score x exp(-IoU² / {thresholds.sigma:g})"


@st.cache_data(max_entries=16, show_spinner=False)
def _file(sha256: str, _photo: Photo) -> str:
    return data_url(jpeg(_photo, _WIDTH), "jpeg")
