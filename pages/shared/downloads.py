"""Downloads of what is on the page; a file is made when its button is pressed, not before."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import PurePath
from typing import Any

import numpy as np
import streamlit as st

from vision_core.export import coco_json, prediction_record
from vision_core.figures.browser.standalone import pages
from vision_core.figures.stage import Stage
from vision_core.images import Photo
from vision_core.inference import ClassificationTrace
from vision_core.records import Prediction

File = tuple[str, Callable[[], bytes], str]
"""Of a download: the ending of its name, what makes its bytes, and its MIME type."""
TAKE_HOME = "Take home (HTML)"
"""What is on the page as one file that works without a server: for a phone or a course's page."""


def buttons(stem: str, files: dict[str, File]) -> None:
    """A row of download buttons.

    Args:
        stem: what the file names start with.
        files: label to (ending, what makes the bytes, MIME type).
    """
    safe = PurePath(stem).stem or "photo"
    row = st.container(horizontal=True, gap="small")
    for label, (ending, make, mime) in files.items():
        row.download_button(
            label,
            data=make,
            file_name=f"{safe}{ending}",
            mime=mime,
            on_click="ignore",
            key=f"download{ending}",
            icon=":material/download:",
        )


def numbers(photo: Photo, prediction: Prediction) -> dict[str, File]:
    """The downloads of a prediction: what the command ``predict`` writes with the same options.

    Args:
        photo: the photo.
        prediction: of that photo.

    Returns:
        as ``buttons`` takes them; a classifier has no place in the photo, so no COCO file.
    """
    made: dict[str, File] = {}
    if not isinstance(prediction.trace, ClassificationTrace):
        made["COCO"] = (
            "_coco.json",
            lambda: as_json(coco_json([(photo, prediction)])),
            "application/json",
        )
    made["Numbers"] = (
        "_numbers.json",
        lambda: as_json(prediction_record(photo, prediction)),
        "application/json",
    )
    return made


def walkthrough_page(stage: Stage, stem: str) -> dict[str, File]:
    """A walkthrough with its player as a page of its own."""
    title = stem.replace("_", " ").capitalize()
    return _page(lambda: pages.walkthrough_html(stage, title, stem))


def prediction_page(photo: Photo, prediction: Prediction, **look: Any) -> dict[str, File]:
    """The live picture of a detector, and NMS on it, as a page of its own.

    Args:
        photo: the photo.
        prediction: of a detector on it.
        look: as ``detection_scene`` takes it, beside the thresholds of masks and joints.
    """
    selection, masks, joints = prediction.selection, prediction.masks, prediction.keypoints
    assert selection is not None
    look |= {"mask": prediction.mask_threshold, "joint": prediction.joint_threshold}
    return _page(lambda: pages.prediction_html(photo, selection, masks, joints, **look))


def maps_page(photo: Photo, maps: Sequence[tuple[str, np.ndarray]], words: str) -> dict[str, File]:
    """Attribution maps as a film strip on a page of its own.

    Args:
        photo: what they belong to.
        maps: title and signed values ``[H, W]`` of each.
        words: a sentence on what they explain.
    """
    return _page(lambda: pages.maps_html(photo, [(*one, "") for one in maps], words))


def _page(make: Callable[[], str]) -> dict[str, File]:
    return {TAKE_HOME: (".html", lambda: make().encode(), "text/html")}


def as_json(value: Any) -> bytes:
    """A JSON file, indented for people."""
    return json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False).encode()
