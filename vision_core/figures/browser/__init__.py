"""What runs in a browser: ES modules, styles and markup of each component, with or without the app.

The app's pages mount them through Streamlit (``pages/components``); ``standalone`` writes them into
a file that needs no server.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

from vision_core.figures.browser.bundle import bundle

HERE = Path(__file__).parent
NAMES = ("canvas", "player", "replay", "occluder", "wipe", "strip", "limits")
_ENTRIES = {"canvas": "view"}


@dataclass(frozen=True)
class Component:
    """What a browser needs of a component.

    Attributes:
        html: the markup that the script fills, without its root.
        css: the styles; they need a shadow root, and Streamlit's theme variables.
        js: one module whose default export takes ``{data, parentElement, setTriggerValue}`` at
            every update and returns what ends it.
    """

    html: str
    css: str
    js: str


@functools.cache
def component(name: str) -> Component:
    """The component of a name: one of ``NAMES``."""
    folder = HERE / name
    return Component(
        html=(folder / f"{name}.html").read_text(encoding="utf-8"),
        css=(folder / f"{name}.css").read_text(encoding="utf-8"),
        js=bundle(folder / f"{_ENTRIES.get(name, name)}.js"),
    )
