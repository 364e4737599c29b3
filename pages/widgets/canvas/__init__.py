"""The picture of a page: a photo with its results on a canvas that can be clicked and walked.

The photo goes to the browser once, as JPEG; masks and class maps as one PNG; everything else as
numbers. Whatever a slider changes is a few kilobytes, so the picture follows without a flash.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import streamlit as st

from vision_core.figures import jpeg
from vision_core.images import Photo

_HERE = Path(__file__).parent
_TALLEST_ON_STAGE = "calc(100vh - 10rem)"
_HELD_BY_BROWSER = 8  # images; fewer than view.js keeps, and it asks for what it lacks
_HTML = """<div class="stage"><canvas tabindex="0" role="application"
 aria-roledescription="picture with results"></canvas>
<div class="tip"></div><div class="say" aria-live="polite"></div></div>"""

_mount = st.components.v2.component(
    "convscope_picture",
    html=_HTML,
    css=(_HERE / "canvas.css").read_text(encoding="utf-8"),
    js="\n".join((_HERE / n).read_text(encoding="utf-8") for n in ("paint.js", "view.js")),
)


@dataclass(frozen=True)
class Scene:
    """What lies on the photo, in photo pixels.

    Attributes:
        boxes: [x1, y1, x2, y2] each, best first.
        ids: what is reported when a box is picked.
        labels: class name of each box.
        scores: score of each box; ``None`` where a box has none.
        colours: ``#RRGGBB`` of each box.
        dashes: on-off lengths of each outline, in line widths; missing ones are solid.
        skeletons: joints (x, y) of each box, ``None`` where one is not shown.
        limbs: pairs of joint indices.
        overlay: id of a picture of masks or a class map, and what makes its PNG file.
        pin: a marked pixel (x, y).
        picks: ``boxes`` or ``pixels``: what a click means.
        captions: write class and score at each box.
        description: the result in words, for those who do not see it.
    """

    boxes: list[list[float]] = field(default_factory=list)
    ids: list[int] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    scores: list[float] | list[None] = field(default_factory=list)
    colours: list[str] = field(default_factory=list)
    dashes: list[tuple[int, ...]] = field(default_factory=list)
    skeletons: list[list[list[float] | None]] | None = None
    limbs: list[tuple[int, int]] = field(default_factory=list)
    overlay: tuple[str, Callable[[], bytes]] | None = None
    pin: tuple[int, int] | None = None
    picks: str = "boxes"
    captions: bool = True
    description: str = ""


def picture(
    photo: Photo,
    scene: Scene,
    *,
    key: str,
    selected: int = -1,
    tallest: str = "calc(100vh - 14rem)",
    present: bool = False,
    on_pick: Callable[[dict[str, int]], None] = lambda pick: None,
) -> None:
    """Show a photo with a scene on it.

    Args:
        photo: the photo; sent only if the browser does not hold it yet.
        scene: what lies on it.
        key: of the element; also of what the browser is believed to hold.
        selected: the id of the box that stands out, -1 for none.
        tallest: CSS length that the picture's height stays under.
        present: larger type and lines, and the largest picture that leaves room for the counts.
        on_pick: called with ``{"id": ...}`` (-1 for none) or ``{"x": ..., "y": ...}``.
    """
    if present:
        tallest = _TALLEST_ON_STAGE
    held: dict[str, None] = st.session_state.setdefault(f"_held_{key}", {})
    scale = {"id": photo.sha256, "width": photo.width, "height": photo.height}
    numbers = {
        name: getattr(scene, name)
        for name in ("boxes", "ids", "labels", "scores", "colours", "dashes", "skeletons",
                     "limbs", "pin", "picks", "captions", "description")
    }
    overlay = None
    if scene.overlay is not None:
        name, make = scene.overlay
        overlay = {"id": name} | _file(held, name, make, "png")
    _mount(
        key=key,
        data={
            **numbers,
            "photo": scale | _file(held, photo.sha256, lambda: jpeg(photo), "jpeg"),
            "overlay": overlay,
            "selected": selected,
            "tallest": tallest,
            "present": present,
        },
        on_pick_change=lambda: _picked(key, on_pick),
        on_missing_change=held.clear,
    )


def _file(
    held: dict[str, None], name: str, make: Callable[[], bytes], kind: str
) -> dict[str, str]:
    """The file as a data URL, or nothing when the browser holds it."""
    if name in held:
        held[name] = held.pop(name)  # the last used is the last to go, here and in the browser
        return {}
    held[name] = None
    while len(held) > _HELD_BY_BROWSER:
        del held[next(iter(held))]
    return {"url": f"data:image/{kind};base64,{base64.b64encode(make()).decode()}"}


def _picked(key: str, on_pick: Callable[[dict[str, int]], None]) -> None:
    state: Any = st.session_state.get(key)
    pick = state.get("pick") if state else None
    if pick:
        on_pick(pick)
