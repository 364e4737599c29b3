"""What the picture component shows on a photo, all in photo pixels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from vision_core.figures.browser.live import Live, packed
from vision_core.figures.colours import INPUT


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

    def message(self) -> dict[str, Any]:
        """What goes to the browser each time: all but the file."""
        look: dict[str, Any] = {"id": self.id}
        if self.owners:
            look |= {name: getattr(self, name) for name in ("owners", "colours", "opacity")}
        return look


@dataclass(frozen=True)
class Brush:
    """A round brush.

    Attributes:
        radius: photo pixels.
        colour: ``#RRGGBB``.
        label: what a stroke with it is told with.
        done: number of the last stroke that was taken up; the browser keeps those after it.
    """

    radius: float
    colour: str
    label: str
    done: int


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
        limbs: pairs of joint indices, each with the side of the body or an empty word.
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
        asks: what a place is asked for: ``why`` nothing is there, ``draw`` a box, ``move`` a joint
            (a drag tells where it began and ended), ``paint`` with the brush, or nothing.
        brush: of ``paint``.
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
    limbs: list[tuple[int, int, str]] = field(default_factory=list)
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
    brush: Brush | None = None
    only: list[int] | None = None
    tints: dict[str, str] = field(default_factory=dict)


def numbers(scene: Scene) -> dict[str, Any]:
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
        "brush": None if scene.brush is None else vars(scene.brush),
    }
