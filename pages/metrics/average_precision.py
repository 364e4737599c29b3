"""The section "Average precision": the walkthrough, the curve, and the areas by three rules."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from pages.components import canvas
from pages.components.player import player
from pages.metrics import given, table
from pages.shared import charts, operator_page, state, truth
from pages.shared.operator import keep_step
from pages.shared.plain import short
from pages.shared.state import Field
from vision_core.figures import jpeg, metrics
from vision_core.figures.stage import Stage, View
from vision_core.figures.stage_curve import Backdrop, curve_blocks
from vision_core.images import Photo
from vision_core.labels import comparable
from vision_core.metrics.working_point import WorkingPoint, working_point
from vision_core.models import Card
from vision_core.walkthroughs import PRESETS, Walkthrough, build, preset

MOST = 40
"""Detections of a photo that are stepped through: the best ones."""
_SOURCES = {"example": "Example", "table": "My numbers", "photo": "This photo"}
_RULES = {
    "eleven_point": "11 points",
    "all_point": "all points",
    "hundred_one_point": "101 points",
}
_PRESETS = tuple(p.name for p in PRESETS["average_precision"])
_MATCHING = {"voc": "Pascal VOC: the best true box only", "coco": "COCO: the best free true box"}
Numbers = tuple[Any, Any, dict[str, Backdrop]]
"""True boxes and detections by photo, and the photos behind them."""


def _fields() -> tuple[Field, ...]:
    """The section's fields; an example brings its own limit, unless one was chosen."""
    source = Field("numbers", "example", state.one_of(_SOURCES))
    example = Field("preset", _PRESETS[0], state.one_of(_PRESETS))
    state.use(source, example)
    own: dict[str, Any] = {}
    if st.session_state["numbers"] == "example":
        own = preset("average_precision", st.session_state["preset"]).params
    first = preset("average_precision", _PRESETS[0]).params
    rest = (
        Field("match_iou", own.get("iou_threshold", 0.5), state.number(0, 1), "{:g}".format),
        Field("whole_pixels", own.get("whole_pixels", False), state.flag, lambda v: str(int(v))),
        Field("matching", "voc", state.one_of(_MATCHING)),
        Field("step", 2, state.whole(0, 10**6)),
        Field("scored_class", ""),
        Field("threshold", 0.5, state.number(0, 1), "{:g}".format),
        *table.fields(first["truth"], first["detections"]),
    )
    state.use(*rest)
    return source, example, *rest


def show(menu: Any, outer: tuple[Field, ...]) -> None:
    """Draw the section.

    Args:
        menu: a place for the choice of the numbers.
        outer: fields of the page.
    """
    used = [*outer, *_fields()]
    with menu:
        st.segmented_control(
            "Numbers",
            tuple(_SOURCES),
            key="numbers",
            required=True,
            format_func=_SOURCES.__getitem__,
            label_visibility="collapsed",
        )
    source = st.session_state["numbers"]
    photo, card = None, None
    with st.sidebar:
        if source == "photo":
            photo, card, more = given.picked()
            used += more
        _controls(source)
    try:
        if source == "example":
            example = preset("average_precision", st.session_state["preset"])
            _scored((example.params["truth"], example.params["detections"], {}), example.name)
        elif source == "table":
            _scored(_edited(), source)
        elif photo is not None and card is not None:
            numbers = _of_photo(photo, card)
            if numbers is not None:
                _scored(numbers, f"{photo.sha256[:8]}-{card.name}")
    finally:
        state.write(*used)


def _controls(source: str) -> None:
    """The rules of matching."""
    if source == "example":
        st.selectbox(
            "Example",
            _PRESETS,
            key="preset",
            format_func=lambda name: name.replace("-", " ").capitalize(),
        )
    st.number_input(
        "IoU for a hit",
        0.0,
        1.0,
        step=0.05,
        format="%g",
        key="match_iou",
        help="A detection is a true positive from this IoU on; 0.5 in Pascal VOC.",
    )
    st.selectbox("Matching", tuple(_MATCHING), key="matching", format_func=_MATCHING.__getitem__)
    st.toggle(
        "Count whole pixels",
        key="whole_pixels",
        help="As Pascal VOC's tools do: a box from 1 to 10 is 10 pixels wide, not 9.",
    )


def _edited() -> Numbers:
    """The numbers of the two tables."""
    left, right = st.columns([4, 5], gap="medium")
    with left:
        true = table.edit("true_rows", "True boxes: photo, left, top, width and height")
    with right:
        found = table.edit("found_rows", "Detections: the same, with a score from 0 to 1")
    return true, found, {}


def _of_photo(photo: Photo, card: Card) -> Numbers | None:
    """Detections of one class on this photo, at any score, against its true boxes."""
    scored = given.scored(photo, card)
    if scored is None:
        return None
    names = [comparable(label) for label in scored.truth.labels]
    common = [name for name, _ in Counter(names).most_common()]
    left, right = st.columns([3, 2], gap="medium")
    with right:
        given.truth_controls(scored.known, common, scored.stand_in)
        truth.edit(photo)
    if common and st.session_state["scored_class"] not in common:
        state.put("scored_class", common[0])
    with right:
        if common:
            st.selectbox("Class that is scored", common, key="scored_class")
    name = st.session_state["scored_class"]
    every = scored.kept(0.0)
    rows = [i for i, label in enumerate(every.labels) if comparable(label) == name]
    best = sorted(rows, key=lambda i: -every.scores[i])[:MOST]
    with left:
        given.draw(
            photo,
            scored.truth,
            canvas.Scene(description=f"{photo.name} with its true boxes."),
            "ap_photo",
            tallest="38vh",
        )
    if not common:
        st.info("No true box is there; draw one on the photo.", icon=":material/draw:")
        return None
    if len(rows) > MOST:
        right.caption(f"The best {MOST} of {len(rows)} detections are stepped through.")
    true = [_xywh(b) for b, n in zip(scored.truth.boxes, names, strict=True) if n == name]
    found = [[float(every.scores[i]), *_xywh(every.boxes[i])] for i in best]
    behind = Backdrop(jpeg(photo, 480), photo.width, photo.height)
    key = short(photo.name, 24)
    return {key: true}, {key: found}, {key: behind}


def _xywh(box: np.ndarray) -> list[float]:
    x1, y1, x2, y2 = (round(float(v), 2) for v in box)
    return [x1, y1, x2 - x1, y2 - y1]


def _scored(numbers: Numbers, name: str) -> None:
    """The walkthrough of these numbers, and the curve."""
    value = st.session_state
    walk = build(
        "average_precision",
        truth=numbers[0],
        detections=numbers[1],
        iou_threshold=float(value["match_iou"]),
        whole_pixels=bool(value["whole_pixels"]),
        matching=value["matching"],
    )
    stage = Stage((View("", walk, tuple(curve_blocks(walk, numbers[2]))),))
    if value["step"] >= len(stage.timeline):
        state.put("step", len(stage.timeline) - 1)
    player(
        stage,
        key="player_metrics",
        step=value["step"],
        scene=f"metrics/{name}",
        above=operator_page.above({}, more=80),
        stem="average_precision",
        on_step=keep_step,
    )
    st.caption(
        "Vermilion: true boxes, dashed until they are found. Blue: the detection of this step. "
        "Green: true positives; grey and dashed: false positives."
    )
    _curve(walk)
    operator_page.files(stage, "average_precision")


def _curve(walk: Walkthrough) -> None:
    """The curve with the threshold as a point on it, and the areas by three rules."""
    precision, recall = (walk.operands[n].array for n in ("precision", "recall"))
    scores, true = walk.operands["detections"].array[:, 1], len(walk.operands["truth"].array)
    left, right = st.columns([3, 2], gap="medium")
    with right:
        st.slider("Score threshold", 0.0, 1.0, step=0.01, key="threshold")
        threshold = float(st.session_state["threshold"])
        now = working_point(scores, walk.facts["hits"], true, threshold)
        st.markdown(_words(now, threshold))
        st.dataframe(
            pd.DataFrame(
                {
                    "area": list(_RULES.values()),
                    f"IoU {walk.facts['iou_threshold']:g}": list(walk.plain_result().values()),
                    "mean of ten": list(walk.facts["mean_over_ious"].values()),
                }
            ).round(4),
            hide_index=True,
            width="stretch",
        )
        st.caption(
            "11 points: Pascal VOC until 2009; all points: Pascal VOC since 2010; 101 points: "
            "COCO. The mean is over ten IoU limits from 0.5 to 0.95."
        )
    with left:
        left_over = now.hits + now.false > 0
        charts.show(
            metrics.precision_by_recall(
                recall, precision, (now.recall, now.precision) if left_over else None
            ),
            "metrics_curve",
            "Precision by recall",
        )
    with st.expander("Ten IoU limits, from 0.5 to 0.95 (COCO)"):
        st.dataframe(
            pd.DataFrame(walk.facts["over_ious"]).rename(
                columns={"iou_threshold": "IoU for a hit", **_RULES}
            ),
            hide_index=True,
            width="stretch",
        )


def _words(now: WorkingPoint, threshold: float) -> str:
    """Precision, recall and F1 with their numbers filled in."""
    found, there = now.hits + now.false, now.hits + now.missed
    both = 2 * now.hits + now.false + now.missed
    precision = (
        f"{now.hits}/{found} = **{now.precision:.3f}**" if found else "1, as nothing is left"
    )
    return (
        f"Above a score of {threshold:g}: {now.hits} true positives, {now.false} false positives, "
        f"{now.missed} missed.  \n"
        f"Precision = TP / (TP + FP) = {precision}  \n"
        f"Recall = TP / (TP + FN) = {now.hits}/{there} = **{now.recall:.3f}**  \n"
        f"F1 = 2 TP / (2 TP + FP + FN) = {2 * now.hits}/{both} = **{now.f1:.3f}**"
    )
