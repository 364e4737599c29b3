"""The section "Segmentation": a class map against a truth, every formula with its numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from zlib import crc32

import numpy as np
import pandas as pd
import streamlit as st

from pages.components import canvas
from pages.metrics import brush, given, outline, quick
from pages.shared import caps, charts, downloads, engine, model_picker, state, truth
from pages.shared.plain import plain
from pages.shared.state import Field
from vision_core import figures
from vision_core.comparison.truth import Truth
from vision_core.errors import UserError
from vision_core.figures import differences
from vision_core.figures.segmentation import BETWEEN, palette
from vision_core.images import Photo
from vision_core.inference import SegmentationTrace
from vision_core.labels import canonical, comparable
from vision_core.metrics.class_maps import ClassPicture, filled, read_class_picture
from vision_core.metrics.painted import painted
from vision_core.metrics.pixels import IGNORED, Formula, PixelScores, lit, pixel_scores

_FIRST = "fcn_voc_s"
_FILE = "_class_picture"
_LIT = {"TP": "true positives", "FP": "false positives", "FN": "false negatives"}
_NONE = "not counted"
_NO_BOXES = Truth(np.zeros((0, 4), np.float32), ())
_LISTED = 32
"""Values of a file whose class can be chosen: those with the most pixels."""


def show(menu: Any, outer: tuple[Field, ...]) -> None:
    """Draw the section.

    Args:
        menu: a place at the head of the page, which this section leaves empty.
        outer: fields of the page.
    """
    used = [
        Field("lit", "TP", state.one_of(_LIT)),
        Field("pixel_class", ""),
        outline.FIELD,
        *brush.FIELDS,
    ]
    state.use(*used)
    quick.settle("painting", "outlines")
    with st.sidebar:
        photo, card, more = given.picked(_FIRST)
    try:
        if card.task != "segmentation":
            given.offer(card, "makes no class map", _FIRST)
            return
        model = None if photo is None else model_picker.load(card)
        if photo is None or model is None:
            return
        with st.spinner(f"Running {card.title}{engine.queue_words()} …"):
            trace = engine.trace_of(model, photo)
        assert isinstance(trace, SegmentationTrace)
        boxes, stand_in = given.there(photo, card, str(model.device))
        if stand_in and (outline.drawn(photo) or brush.strokes(photo)):  # truths of their own
            boxes, stand_in = _NO_BOXES, ""
        _shown(photo, trace, boxes, stand_in)
    finally:
        state.write(*outer, *more, *used)


def _shown(photo: Photo, trace: SegmentationTrace, boxes: Truth, stand_in: str) -> None:
    labels = trace.info.labels
    left, right = st.columns([1, 1], gap="medium")
    place, tools = left.container(), left.container()
    with left:
        picture = _file(photo)
    with tools:
        if picture is None:
            known = sorted({comparable(n) for n in labels if canonical(n) != "background"})
            given.truth_controls(known, boxes.labels, stand_in)
            _tools(photo, known, next(iter(boxes.labels), ""))
            below = filled(boxes, photo.width, photo.height, labels, outline.drawn(photo))
            true = painted(below, brush.strokes(photo), labels)
    with left:
        if picture is None:
            truth.edit(photo)
        else:
            true = picture.truth(_meaning(photo, picture, labels))
    try:
        scores = pixel_scores(true, trace.class_map, labels)
    except UserError:
        with place:
            _draw(photo, boxes, canvas.Scene(description=photo.name))
        raise
    with right:
        chosen = _class(scores)
        st.segmented_control(
            "Pixels that are lit",
            tuple(_LIT),
            key="lit",
            required=True,
            format_func=_LIT.__getitem__,
        )
    with place:
        if picture is None and _painting():
            _draw(photo, boxes, _canvas(photo, true, labels))
            st.caption(
                "In colour: the truth so far. Stop drawing to see which of its pixels are right."
            )
        else:
            which = st.session_state["lit"]
            mask = lit(true, trace.class_map, chosen, which)
            scene = _scene(trace, mask, labels[chosen], which)
            _draw(photo, boxes if picture is None else None, scene)
            st.caption(
                f"Lit: the {mask.sum():,} {_LIT[which]} of **{plain(labels[chosen])}**, "
                f"{mask.mean():.1%} of the photo."
            )
    with right:
        _formulas(f"{labels[chosen]} against all others", scores.of(chosen).formulas())
        _formulas("All classes", scores.formulas())
    _below(photo, scores, true)


def _below(photo: Photo, scores: PixelScores, true: np.ndarray) -> None:
    """The confusion matrix, and the truth as a file."""
    labels = scores.labels
    rows = list(scores.present)
    charts.show(
        differences.confusion(
            [labels[i] for i in rows], scores.table[np.ix_(rows, rows)], "truth", "network"
        ),
        "metrics_confusion",
        "Of the pixels of each true class, the shares by the network's class",
    )
    indices = np.where(true == IGNORED, 255, true).astype(np.uint8)
    downloads.buttons(
        photo.name, {"Truth (PNG)": ("_truth.png", lambda: figures.png(indices), "image/png")}
    )


def _painting() -> bool:
    return truth.drawing() and st.session_state["tool"] == "brush"


def _tools(photo: Photo, known: Sequence[str], likely: str) -> None:
    """What is drawn with, while something is drawn; then what is there already."""
    if truth.drawing():
        st.segmented_control(
            "Draw with",
            tuple(brush.TOOLS),
            key="tool",
            required=True,
            format_func=brush.TOOLS.__getitem__,
            label_visibility="collapsed",
        )
    if _painting():
        brush.controls(photo, known, likely)
    else:
        outline.controls(photo)
        st.caption("Shapes are filled: the smallest lies on top, the rest is background.")
    brush.undo(photo)


def _canvas(photo: Photo, true: np.ndarray, labels: Sequence[str]) -> canvas.Scene:
    """The truth in the colours of its classes, to be painted on."""
    ids = np.where(true == IGNORED, BETWEEN, true).astype(np.uint8)
    table = palette(tuple(labels), 0.6)
    return canvas.Scene(
        overlay=canvas.Overlay(
            f"painted-{crc32(ids.tobytes())}-{len(labels)}", lambda: figures.indexed_png(ids, table)
        ),
        description=f"{photo.name}: drag to paint {st.session_state[brush.CLASS]}.",
        zoom=True,
        asks="paint",
        brush=brush.look(photo),
    )


def _draw(photo: Photo, boxes: Truth | None, scene: canvas.Scene) -> None:
    """The photo with a scene, and with boxes and outlines where they are the truth."""
    if boxes is not None:
        marks, links = outline.marks(photo)
        scene = replace(scene, marks=marks, links=links)
    asked: Any = brush.asked if scene.brush else outline.asked
    given.draw(photo, boxes or _NO_BOXES, scene, "pixels_photo", on_ask=asked)


def _scene(trace: SegmentationTrace, mask: np.ndarray, label: str, which: str) -> canvas.Scene:
    name = f"lit-{trace.info.id}-{label}-{which}-{int(mask.sum())}-{crc32(mask.tobytes())}"
    return canvas.Scene(
        overlay=canvas.Overlay(name, lambda: figures.png(differences.marked(mask))),
        description=f"{int(mask.sum())} pixels are lit: {_LIT[which]} of {label}.",
        zoom=True,
    )


def _class(scores: PixelScores) -> int:
    """The class whose pixels are counted: the largest true one that is no background, at first."""
    names = {scores.labels[i]: i for i in scores.present}
    true = scores.table.sum(1)
    order = sorted(names, key=lambda n: (canonical(n) == "background", -true[names[n]]))
    if st.session_state.get("pixel_class") not in names:
        state.put("pixel_class", order[0])
    st.selectbox("Class", order, key="pixel_class")
    return names[st.session_state["pixel_class"]]


def _formulas(title: str, formulas: Sequence[Formula]) -> None:
    lines = [
        f"{f.name} = {f.rule} = {f.numbers} = "
        + (f"**{f.value:.3f}**" if f.value is not None else "**0/0**, which is no number")
        for f in formulas
    ]
    st.markdown(f"**{plain(title)}**  \n" + "  \n".join(lines))


def _file(photo: Photo) -> ClassPicture | None:
    """The truth of an uploaded file, which counts for the photo that it was given for."""
    st.file_uploader(
        "A PNG with the true classes: indices or colours",
        type=["png"],
        max_upload_size=caps.PHOTO_FILE_MB,
        key="class_picture",
        on_change=_take,
        args=(photo,),
    )
    held = st.session_state.get(_FILE)
    if held is None or held[0] != photo.sha256:
        return None
    if not st.session_state.get("class_picture"):  # another section was open in between
        st.button(
            f"Take {plain(held[3])} away",
            key="class_picture_away",
            on_click=_forget,
            type="tertiary",
        )
    picture: ClassPicture = held[1]
    return picture


def _forget() -> None:
    st.session_state[_FILE] = None


def _take(photo: Photo) -> None:
    """Read the file once, when it comes."""
    file = st.session_state.get("class_picture")
    st.session_state[_FILE] = None
    if file is None:
        return
    try:
        found = read_class_picture(file.getvalue(), photo.width, photo.height)
        st.session_state[_FILE] = (photo.sha256, found, file.file_id, file.name)
    except UserError as error:
        state.note(str(error))


def _meaning(photo: Photo, picture: ClassPicture, labels: Sequence[str]) -> dict[int, int]:
    """The class of each value of a file, as guessed and as changed in a table."""
    guessed = picture.guesses(labels)
    listed = list(picture.found)[:_LISTED]
    names = [_NONE, *labels]
    st.caption("What the values of the file mean; the classes can be changed.")
    edited = st.data_editor(
        pd.DataFrame(
            {
                "value": [picture.word(v) for v in listed],
                "pixels": [picture.found[v] for v in listed],
                "class": [names[guessed[v] + 1] for v in listed],
            }
        ),
        key=f"meaning_{st.session_state[_FILE][2]}_{len(labels)}",
        disabled=["value", "pixels"],
        hide_index=True,
        width="stretch",
        height=min(44 + 35 * len(listed), 220),
        column_config={
            "pixels": st.column_config.NumberColumn(format="localized"),
            "class": st.column_config.SelectboxColumn(options=names, required=True),
        },
    )
    places = {name: i - 1 for i, name in enumerate(names)}
    said = {v: places.get(n, IGNORED) for v, n in zip(listed, edited["class"], strict=True)}
    return {**guessed, **said}
