"""The sections of "Inside a detector": words and numbers of each, and the boxes for the photo."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
import pandas as pd
import streamlit as st

from pages.components.canvas import Mark, Overlay
from pages.shared import charts, state, truth
from vision_core.figures.charts import class_distribution, stage_words
from vision_core.figures.colours import INPUT, KERNEL, OUTPUT, rgb
from vision_core.figures.encode import indexed_png
from vision_core.figures.saliency import by_colour, own_limit, signed_colours
from vision_core.images import Photo
from vision_core.inside import anchors as anchor_numbers
from vision_core.inside.assignment import limits
from vision_core.inside.coordinates import follow
from vision_core.inside.losses import NAMES
from vision_core.inside.opened import Opened, photo_boxes
from vision_core.inside.pictures import density
from vision_core.labels import comparable
from vision_core.records import Thresholds
from vision_core.selection import select

PLACE = KERNEL
DRAWN = 300
"""Boxes on the photo at most."""
WHEN = {"before": "before NMS", "after": "after NMS"}
DASHED, SOLID = (6, 4), ()
_INPUT_WIDTH = 720
"""Of the picture of the input, pixels."""
_SHADES = 40
"""Steps of a density's opacity."""


@dataclass(frozen=True, eq=False)
class OnPhoto:
    """What a section puts on the photo, in its pixels.

    Attributes:
        boxes, labels, colours, dashes: of each box.
        text: what they are, for those who do not see them.
        crowd: many thin outlines, float32 [N, 4].
        overlay: a picture over the photo.
        marks, links: boxes that are pointed out and lines between them.
    """

    boxes: list[Any]
    labels: list[str]
    colours: list[str]
    dashes: list[tuple[int, ...]]
    text: str
    crowd: np.ndarray | None = None
    overlay: Overlay | None = None
    marks: list[Mark] = field(default_factory=list)
    links: list[tuple[int, int, str]] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class Asked:
    """What every section is asked about.

    Attributes:
        here: the opened detector.
        photo: that it was opened on.
        at: the chosen place (x, y), photo pixels.
        box: the box that was dragged on the photo, photo pixels; ``None`` for none.
    """

    here: Opened
    photo: Photo
    at: tuple[float, float]
    box: tuple[float, ...] | None = None


def fields(module: Any) -> tuple[state.Field, ...]:
    """What the sections keep in the address bar.

    Args:
        module: the detector; the IoU limits begin with those that it was trained with.
    """
    high, low = limits(module) or (0.7, 0.3)
    return (
        state.Field("level", 0, state.whole(0, 9)),
        state.Field("map_channel", -1, state.whole(-1, 4095)),
        state.Field("k", 50, state.whole(1, 2000)),
        state.Field("when", "after", state.one_of(tuple(WHEN))),
        state.Field("high", high, state.number(0, 1), "{:g}".format),
        state.Field("low", low, state.number(0, 1), "{:g}".format),
        state.Field("seed", 0, state.whole(0, 99)),
        state.Field("gamma", 2.0, state.number(0, 5), "{:g}".format),
        state.Field("alpha", 0.25, state.number(0, 1), "{:g}".format),
        state.Field("loss", "smooth L1", state.one_of(NAMES)),
        state.Field("weight", 1.0, state.number(0, 10), "{:g}".format),
        state.Field("cut", 0.5, state.number(0, 1), "{:g}".format),
        truth.FIELD,
    )


def true_boxes(asked: Asked) -> tuple[np.ndarray, list[str], bool]:
    """Boxes [M, 4] that stand for the truth, their classes, and whether a user gave them.

    Without a drawn or uploaded truth it is what the network keeps at its own thresholds.
    """
    given = truth.current(asked.photo)
    if given is not None:
        return np.asarray(given.boxes, np.float64), list(given.labels), True
    here = asked.here
    kept = select(here.trace, Thresholds.torchvision(here.net)).detections
    return np.asarray(kept.boxes, np.float64), list(kept.labels), False


def truth_editor(asked: Asked) -> None:
    """The class of the next true box, the list of boxes, and the file that may hold more."""
    names = sorted({comparable(n) for n in asked.here.trace.info.labels if n != "__background__"})
    truth.prepare(names, "person")
    boxes, _, given = true_boxes(asked)
    said = f"{len(boxes)} true boxes" if len(boxes) != 1 else "one true box"
    where = "yours" if given else "what the network keeps; drag on the photo to draw your own"
    with st.expander(f"Truth: {said} ({where})"):
        st.selectbox("Class of the next box", names, key=truth.CLASS)
        truth.edit(asked.photo)


def crowded(asked: Asked, boxes: np.ndarray, colour: str) -> tuple[Overlay, int]:
    """Boxes as a density over the photo, where they are too many to be outlined.

    Args:
        asked: about the photo.
        boxes: [N, 4], photo pixels, at least one.
        colour: of the place that most boxes cover; its strength is the number of boxes.

    Returns:
        the overlay, and how many boxes cover that place.
    """
    size = (asked.photo.width, asked.photo.height)
    counts = density(boxes, size)
    most = max(int(counts.max()), 1)

    def make() -> bytes:
        shade = np.arange(256).clip(0, _SHADES)
        table = np.full((256, 4), (*rgb(colour), 0), np.uint8)
        table[:, 3] = np.round(175 * shade / _SHADES)
        ids = np.ceil(_SHADES * counts / most).astype(np.uint8)  # one box can be seen
        return indexed_png(ids, table, 6)

    name = hashlib.sha256(np.ascontiguousarray(boxes, np.float32).tobytes()).hexdigest()[:12]
    return Overlay(f"density-{asked.here.trace.info.id}-{name}-{colour}", make), most


def density_words(count: int, most: int, what: str) -> str:
    """Why no outlines are there, and what the colour means."""
    return (
        f"{count:,} {what} are more than a picture can show as outlines: the colour on the photo "
        f"is their density, from none to {most:,} over one place."
    )


def map_picture(values: np.ndarray, side: int = 320) -> np.ndarray:
    """A small map in the colours of a signed map, each cell enlarged by whole pixels."""
    times = max(1, side // max(values.shape))
    return signed_colours(values, own_limit(values)).repeat(times, 0).repeat(times, 1)


def coordinates(asked: Asked) -> OnPhoto:
    """A point through photo, input and feature maps."""
    here = asked.here
    place = follow(here, *asked.at)
    info = here.trace.info
    photo, net = info.photo_size, info.network_size
    padded = here.padded_size
    st.markdown(
        f"The photo of {photo[0]} x {photo[1]} pixels is resized to **{net[0]} x {net[1]}** and "
        f"padded to {padded[0]} x {padded[1]}, so that every stride divides it."
    )
    st.code("\n".join(str(term) for term in place.terms), language=None)
    with st.expander("The network's input"):
        _input(here)
    st.dataframe(
        pd.DataFrame(
            [
                {
                    "level": level.level.name,
                    "stride": f"{level.level.stride[0]:g}",
                    "u": level.u,
                    "v": level.v,
                    "column": level.column,
                    "row": level.row,
                    "anchors": len(level.anchors),
                }
                for level in place.levels
            ]
        ),
        hide_index=True,
        width="stretch",
        column_config={
            "u": st.column_config.NumberColumn(format="%.2f", help="x in cells: x / stride"),
            "v": st.column_config.NumberColumn(format="%.2f", help="y in cells: y / stride"),
        },
    )
    st.caption("Row and column are those of the cell whose anchors are centred nearest.")
    cells = []
    for level in place.levels:
        (x, y), (width, height) = level.centre, level.level.stride
        cells.append([x - width / 2, y - height / 2, x + width / 2, y + height / 2])
    names = [f"level {level.level.name}" for level in place.levels]
    boxes = list(photo_boxes(here, np.array(cells)))
    return OnPhoto(
        boxes, names, [INPUT] * len(boxes), [SOLID] * len(boxes), "The cell of every level"
    )


def _cell(here: Opened, index: int) -> None:
    """YOLO: the class probabilities of the cell, and what all cells together say."""
    if here.classes is None:
        return
    chances = anchor_numbers.cell_classes(here, [index])[0]
    pairs = sorted(
        zip(here.trace.info.labels, map(float, chances), strict=True), key=lambda p: -p[1]
    )
    charts.show(class_distribution(pairs), "inside_cell", "Class probabilities of the cell")
    side, per, classes = here.levels[0].rows, here.levels[0].per_place, len(pairs)
    st.caption(
        f"The cell's class probabilities. A box's score is its confidence times these. The whole "
        f"answer is {side} x {side} x (5 x {per} + {classes}) = "
        f"{side * side * (5 * per + classes):,} numbers (Redmon et al. 2016)."
    )


def _input(here: Opened) -> None:
    """The normalised, padded input as grey around zero, and the range of its values."""
    pixels = here.pixels.transpose(1, 2, 0)
    size = " x ".join(map(str, here.padded_size))
    shown = by_colour(pixels, float(np.abs(pixels).max()))
    scale = min(1.0, _INPUT_WIDTH / shown.shape[1])
    if scale < 1:
        shown = cv2.resize(shown, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    st.image(
        shown,
        output_format="JPEG",
        caption=f"{size} pixels after subtracting the mean and dividing by the standard deviation "
        f"of each colour: values from {pixels.min():.2f} to {pixels.max():.2f}, grey is 0. "
        "Padding lies right and below.",
    )


def anchors(asked: Asked) -> OnPhoto:
    """All anchors of the place with what the network said of each."""
    here = asked.here
    place = follow(here, *asked.at)
    found = [a for level in place.levels for a in anchor_numbers.describe(here, level.anchors)]
    names = anchor_numbers.code_names(here)
    st.dataframe(
        pd.DataFrame(
            [
                {
                    "level": here.levels[a.level].name,
                    "size": f"{a.width:.0f} x {a.height:.0f}",
                    "score": a.score,
                    **({"class": a.label} if a.label is not None else {}),
                    **({"confidence": a.confidence} if a.confidence is not None else {}),
                    **{name: a.code[name] for name in names},
                    "stopped by": "" if a.fate == "source" else stage_words(a.fate),
                }
                for a in found
            ]
        ),
        hide_index=True,
        width="stretch",
        column_config={
            name: st.column_config.NumberColumn(format="%.3f")
            for name in ("score", "confidence", *names)
        },
    )
    unit = "pixels of the network's input" if names[0] == "l" else "shares of the anchor's sides"
    st.caption(
        f"The score is the objectness of a two-stage network, else that of the best class. "
        f"{', '.join(names)}: {unit}" + (", sides as logarithms." if names[0] == "dx" else ".")
    )
    _cell(here, found[0].index)
    best = sorted(found, key=lambda a: -a.score)[:3]
    boxes = [a.anchor for a in found] + [a.box for a in best]
    return OnPhoto(
        boxes,
        [f"anchor {a.width:.0f} x {a.height:.0f}" for a in found] + ["predicted box"] * len(best),
        [INPUT] * len(found) + [OUTPUT] * len(best),
        [DASHED] * len(found) + [SOLID] * len(best),
        f"{len(found)} anchors, and the boxes made of the best {len(best)}",
    )
