"""Downloads of what is on the page; a file is made when its button is pressed, not before."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import PurePath
from typing import Any

import streamlit as st


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
            label, data=make, file_name=f"{safe}{ending}", mime=mime,
            on_click="ignore", key=f"download{ending}", icon=":material/download:",
        )


def as_json(value: Any) -> bytes:
    """A JSON file, indented for people."""
    return json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False).encode()
