"""The picture of a page: a photo with its results on a canvas that can be clicked and walked.

The photo goes to the browser once, as JPEG; masks and class maps as one PNG; everything else as
numbers. Whatever a slider changes is a few kilobytes, so the picture follows without a flash.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import streamlit as st

from pages.components.canvas.live import Live, packed
from vision_core.figures import jpeg
from vision_core.figures.browser import HERE, component
from vision_core.figures.browser.bundle import bundle
from vision_core.figures.colours import INPUT
from vision_core.figures.encode import data_url
from vision_core.images import Photo

_TALLEST_ON_STAGE = "calc(100vh - 13.7rem)"
_HELD_BY_BROWSER = 9  # images, traces, the code; it keeps more of each, and asks for what it lacks
_PARTS = component("canvas")
_mount = st.components.v2.component(
    "convscope_picture", html=_PARTS.html, css=_PARTS.css, js=bundle(HERE / "canvas" / "start.js")
)
_CODE_ID = hashlib.sha256(_PARTS.js.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Mark:
    """A box that is pointed out: photo pixels, colour, outline and a text at its corner."""

    box: list[float]
    colour: str
    text: str = ""
    dash: tuple[int, ...] = ()


@dataclass(frozen=True)
class Overlay:
    """A picture of masks or a class map that lies on the photo.

    Attributes:
        id: differs whenever the picture does.
        make: makes its PNG file. With ``owners`` its grey values are indices: value i is the
            mask of owner i - 1, from 128 on its outline where there are fewer than 128 owners.
        owners: ids of the boxes that the masks belong to; empty for a picture to show as it is.
        colours: ``#RRGGBB`` of each owner.
        opacity: of the masks.
    """

    id: str
    make: Callable[[], bytes]
    owners: list[int] = field(default_factory=list)
    colours: list[str] = field(default_factory=list)
    opacity: float = 1.0


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
        overlay: a picture of masks or a class map.
        pin: a marked pixel (x, y).
        picks: ``boxes`` or ``pixels``: what a click means.
        captions: write class and score at each box.
        description: the result in words, for those who do not see it.
        live: what the component needs to select while a slider is dragged; ``None``: no sliders.
        marks: boxes that are pointed out.
        links: lines between marks: (from, to, text).
        crowd: many thin outlines, float32 [N, 4].
        zoom: the picture can be zoomed.
        group: pictures of one group zoom and pan together; they show the same photo.
        shared: the live sliders of the group move together as well.
        plain: the live sliders come without counts and without the other candidates.
        asks: what a place is asked for: ``why`` nothing is there, ``draw`` a box, or nothing.
        only: ids of the boxes that may be shown while a slider is dragged; ``None``: any.
        tints: ``#RRGGBB`` by id of a box, in place of its class's colour.
    """

    boxes: list[list[float]] = field(default_factory=list)
    ids: list[int] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    scores: list[float | None] = field(default_factory=list)
    colours: list[str] = field(default_factory=list)
    dashes: list[tuple[int, ...]] = field(default_factory=list)
    skeletons: list[list[list[float] | None]] | None = None
    limbs: list[tuple[int, int]] = field(default_factory=list)
    overlay: Overlay | None = None
    pin: tuple[int, int] | None = None
    picks: str = "boxes"
    captions: bool = True
    description: str = ""
    live: Live | None = None
    marks: list[Mark] = field(default_factory=list)
    links: list[tuple[int, int, str]] = field(default_factory=list)
    crowd: np.ndarray | None = None
    zoom: bool = False
    group: str = ""
    shared: bool = False
    plain: bool = False
    asks: str = "why"
    only: list[int] | None = None
    tints: dict[str, str] = field(default_factory=dict)


def picture(
    photo: Photo,
    scene: Scene,
    *,
    key: str,
    selected: int = -1,
    tallest: str = "calc(100vh - 18rem)",
    present: bool = False,
    on_stage: str = _TALLEST_ON_STAGE,
    on_pick: Callable[[dict[str, int]], None] = lambda pick: None,
    on_thresholds: Callable[[dict[str, float]], None] = lambda values: None,
    on_ask: Callable[[list[float]], None] = lambda place: None,
) -> None:
    """Show a photo with a scene on it.

    Args:
        photo: the photo; sent only if the browser does not hold it yet.
        scene: what lies on it.
        key: of the element; also of what the browser is believed to hold.
        selected: the id of the box that stands out, -1 for none.
        tallest: CSS length that the picture's height stays under.
        present: larger type and lines, and ``on_stage`` in place of ``tallest``.
        on_stage: leaves room for the counts unless the caller knows better.
        on_pick: called with ``{"id": ...}`` (-1 for none) or ``{"x": ..., "y": ...}``.
        on_thresholds: called with ``{"score": ..., "iou": ...}`` when a live slider is let go.
        on_ask: called with ``[x, y]`` or ``[x1, y1, x2, y2]``, the place that is asked about.
    """
    if present:
        tallest = on_stage
    held: dict[str, None] = st.session_state.setdefault(f"_held_{key}", {})
    _mount(
        key=key,
        data=_numbers(scene)
        | {
            "code": {"id": _CODE_ID} | ({} if _holds(held, _CODE_ID) else {"text": _PARTS.js}),
            "photo": {"id": photo.sha256, "width": photo.width, "height": photo.height}
            | _file(held, photo.sha256, lambda: jpeg(photo), "jpeg"),
            "overlay": _overlay(held, scene.overlay),
            "live": _live(held, scene.live),
            "selected": selected,
            "tallest": tallest,
            "present": present,
        },
        on_pick_change=lambda: _told(key, "pick", on_pick),
        on_thresholds_change=lambda: _told(key, "thresholds", on_thresholds),
        on_ask_change=lambda: _told(key, "ask", lambda said: on_ask(said["at"])),
        on_missing_change=held.clear,
    )


def _numbers(scene: Scene) -> dict[str, Any]:
    """All of a scene that is not a file."""
    plain = (
        "boxes",
        "ids",
        "labels",
        "scores",
        "colours",
        "dashes",
        "skeletons",
        "limbs",
        "pin",
        "picks",
        "captions",
        "description",
        "zoom",
        "group",
        "shared",
        "plain",
        "asks",
        "only",
        "tints",
    )
    crowd = (
        None
        if scene.crowd is None
        else {
            "boxes": packed(scene.crowd, "f4"),
            "colour": INPUT,
            "alpha": max(0.25, 1 - len(scene.crowd) / 1000),
        }
    )
    return {name: getattr(scene, name) for name in plain} | {
        "marks": [vars(mark) for mark in scene.marks],
        "links": [
            {"from": a, "to": b, "text": text, "colour": scene.marks[b].colour}
            for a, b, text in scene.links
        ],
        "rects": crowd,
    }


def _overlay(held: dict[str, None], overlay: Overlay | None) -> dict[str, Any] | None:
    if overlay is None:
        return None
    look: dict[str, Any] = {"id": overlay.id}
    if overlay.owners:
        look |= {name: getattr(overlay, name) for name in ("owners", "colours", "opacity")}
    return look | _file(held, overlay.id, overlay.make, "png")


def _live(held: dict[str, None], live: Live | None) -> dict[str, Any] | None:
    if live is None:
        return None
    sent = {} if _holds(held, live.id) else {"candidates": live.candidates()}
    return live.message() | sent


def _holds(held: dict[str, None], name: str) -> bool:
    """Whether the browser holds something; afterwards it is believed to."""
    known = name in held
    held.pop(name, None)
    held[name] = None  # the last used is the last to go, here and in the browser
    while len(held) > _HELD_BY_BROWSER:
        del held[next(iter(held))]
    return known


def _file(held: dict[str, None], name: str, make: Callable[[], bytes], kind: str) -> dict[str, str]:
    """The file as a data URL, or nothing when the browser holds it."""
    if _holds(held, name):
        return {}
    return {"url": data_url(make(), kind)}


def _told(key: str, name: str, hear: Callable[[Any], None]) -> None:
    """Hand on what the component said, where it said anything."""
    state: Any = st.session_state.get(key)
    said = state.get(name) if state else None
    if said:
        hear(said)
