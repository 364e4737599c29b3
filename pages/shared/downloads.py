"""Downloads of what is on the page; a file is made when its button is pressed, not before."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import PurePath
from typing import Any

import streamlit as st

from vision_core.export import coco_json, prediction_record
from vision_core.images import Photo
from vision_core.inference import ClassificationTrace
from vision_core.records import Prediction


def buttons(stem: str, files: dict[str, tuple[str, Callable[[], bytes], str]]) -> None:
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


def numbers(
    photo: Photo, prediction: Prediction
) -> dict[str, tuple[str, Callable[[], bytes], str]]:
    """The downloads of a prediction: what the command ``predict`` writes with the same options.

    Args:
        photo: the photo.
        prediction: of that photo.

    Returns:
        as ``buttons`` takes them; a classifier has no place in the photo, so no COCO file.
    """
    made: dict[str, tuple[str, Callable[[], bytes], str]] = {}
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


def as_json(value: Any) -> bytes:
    """A JSON file, indented for people."""
    return json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False).encode()
