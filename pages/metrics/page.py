"""Metrics: how good the answers are, on numbers that can be followed one by one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from pages.metrics import average_precision, calibration, errors, many, pixels, pose, table
from pages.shared import operator_page
from pages.shared.guard import guarded
from pages.shared.state import Field

SECTIONS = {
    "ap": "Average precision",
    "errors": "Kinds of error",
    "pixels": "Segmentation",
    "pose": "Pose",
    "calibration": "Calibration",
    "many": "Many photos",
}
_LEDES = {
    "ap": "Detections are sorted by score and matched with true boxes one by one; the second "
    "detection of an object is a **false positive**. **Average precision** is the area under the "
    "curve of precision by recall (Everingham et al. 2010, Lin et al. 2014).",
    "errors": "A detection that is no hit has one thing wrong: its **class**, its **location**, "
    "**both**, it is a **duplicate**, or it lies on the **background**; a true box can be "
    "**missed**. Press a kind to see its boxes (Bolya et al. 2020).",
    "pixels": "A class map is scored pixel by pixel: **pixel accuracy**, **IoU** (Jaccard) and "
    "**F1**, which is **Dice**. The background is large, so that a high pixel accuracy says "
    "little; the mean over the classes says more (Long et al. 2015).",
    "pose": "Is a joint at its place? **PCK** draws a circle around each true joint and counts the "
    "joints inside (Yang and Ramanan 2013); **OKS** counts each by its distance, more strictly for "
    "an eye than for a hip (Lin et al. 2014).",
    "calibration": "Of the detections with a score of 0.8, are 80 % right? The **reliability "
    "diagram** compares score and share of right ones bin by bin; the **expected calibration "
    "error** is the mean of the gaps (Guo et al. 2017).",
    "many": "One or two networks over all your photos. Look first at those on which the two "
    "**disagree**, that have most **errors**, or where the scores lie near the threshold "
    "(**doubt**): this is how a weak spot of a network, or a wrong truth, is found.",
}
_PARTS: dict[str, Callable[[Any, tuple[Field, ...]], None]] = {
    "ap": average_precision.show,
    "errors": errors.show,
    "pixels": pixels.show,
    "pose": pose.show,
    "calibration": calibration.show,
    "many": many.show,
}


def main() -> None:
    """The page: a section, what it is given, and the numbers."""
    menu, lede, fields = operator_page.head("Metrics", SECTIONS)
    section = st.session_state["section"]
    operator_page.say(lede, _LEDES[section])
    with guarded("scoring"):
        _PARTS[section](menu, fields)
    operator_page.notes(lede)
    table.count_run()
