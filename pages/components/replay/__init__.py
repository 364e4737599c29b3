"""Non-maximum suppression replayed on the real candidates of a photo, three variants at a time.

All steps of all variants go to the browser as numbers; playing, stepping and scrubbing need no
server. The steps are those of ``vision_core.selection.replay``.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from vision_core.figures import jpeg
from vision_core.figures.browser import component
from vision_core.figures.browser.replaying import MOST, WIDTH, at_most, replay_data
from vision_core.figures.encode import data_url
from vision_core.images import Photo
from vision_core.inference import DetectionTrace
from vision_core.records import Thresholds

__all__ = ["MOST", "at_most", "content", "show"]

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


def content(photo: Photo, trace: DetectionTrace, thresholds: Thresholds) -> dict[str, Any]:
    """What the component is sent; the photo's file is made once."""
    return replay_data(photo, trace, thresholds, _file(photo.sha256, photo))


@st.cache_data(max_entries=16, show_spinner=False)
def _file(sha256: str, _photo: Photo) -> str:
    return data_url(jpeg(_photo, WIDTH), "jpeg")
