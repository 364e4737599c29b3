"""Pictures of a comparison as data URLs, for one file that needs no other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np

from vision_core import figures
from vision_core.comparison.column import Column
from vision_core.comparison.maps import compare_maps
from vision_core.comparison.report import judged
from vision_core.comparison.truth import Truth
from vision_core.figures import canvas
from vision_core.figures.colours import DIFFERENCES, VERDICTS
from vision_core.figures.differences import marked
from vision_core.figures.encode import data_url
from vision_core.images import Photo, from_array
from vision_core.inference import ClassificationTrace, SegmentationTrace
from vision_core.records import Selection

WIDTH = 1000
"""Pixels of width at the most."""
_LABELLED = 40  # with more boxes than this, labels would hide the photo


class BoxMark(NamedTuple):
    """A box with a label: xyxy in photo pixels, ``#RRGGBB`` and text, which may be empty."""

    box: Sequence[float]
    colour: str
    text: str


def answer(photo: Photo, entry: Column) -> str:
    """What a model said, painted on the photo; the photo alone where it said nothing."""
    made = entry.prediction
    if made is not None and made.selection is not None:
        picture = figures.draw(
            photo, made.selection, masks=made.masks, keypoints=made.keypoints, max_width=WIDTH
        )
    elif isinstance(entry.trace, SegmentationTrace):
        picture = figures.draw_class_map(photo, entry.trace, with_legend=False, max_width=WIDTH)
    elif isinstance(entry.trace, ClassificationTrace):
        label, probability = entry.trace.top(1)[0]
        text = f"{label} {probability:.2f}"
        picture = _paint(photo, [BoxMark(entry.trace.seen_box, figures.class_colour(label), text)])
    else:
        picture = canvas.fitted(photo, WIDTH)[0]
    return _jpeg(picture)


def against_truth(photo: Photo, selection: Selection, truth: Truth) -> str:
    """Hits, false positives and misses; the true boxes of hits are not drawn."""
    kept, found = selection.detections, judged(selection, truth)
    marks = [
        BoxMark(truth.boxes[i], VERDICTS["missed"], f"missed {truth.labels[i]}")
        for i in found["missed"]
    ]
    rows = zip(kept.boxes, kept.labels, kept.scores, found["true_box"], strict=True)
    for box, label, score, at in rows:
        verdict, word = ("false", "false") if at is None else ("hit", "hit")
        marks.append(BoxMark(box, VERDICTS[verdict], f"{word} {label} {score:.2f}"))
    return _jpeg(_paint(photo, marks))


def box_differences(photo: Photo, difference: Mapping[str, Any], a: str, b: str) -> str:
    """The boxes of two detectors, coloured by what became of them in the matching.

    Args:
        photo: the photo.
        difference: of one pair, from ``vision_core.comparison.report.pairs``.
        a, b: letters of the two.
    """
    marks = []
    for kind, colour in DIFFERENCES.items():
        for row in difference[kind]:
            sides = [row[side] for side in "ab" if row[side] is not None]
            names = list(dict.fromkeys(side["label"] for side in sides))
            where = {"only_a": f"only {a} ", "only_b": f"only {b} ", "shifted": "shifted "}
            text = where.get(kind, "") + " / ".join(names)
            marks += [
                BoxMark(one["box"], colour, text if i == 0 else "") for i, one in enumerate(sides)
            ]
    return _jpeg(_paint(photo, marks))


def map_differences(photo: Photo, a: SegmentationTrace, b: SegmentationTrace) -> str:
    """Where two class maps disagree: those pixels coloured, the others darkened."""
    picture, _ = canvas.fitted(photo, WIDTH)
    size = (picture.shape[1], picture.shape[0])
    disagree = compare_maps(a, b).disagree.astype(np.uint8)
    layer = marked(cv2.resize(disagree, size, interpolation=cv2.INTER_NEAREST).astype(bool))
    alpha = layer[..., 3:].astype(np.float32) / 255
    mixed = picture * (1 - alpha) + layer[..., :3] * alpha
    return _jpeg(np.round(mixed).astype(np.uint8))


def _paint(photo: Photo, marks: Sequence[BoxMark]) -> np.ndarray:
    picture, scale = canvas.fitted(photo, WIDTH)
    height, width = picture.shape[:2]
    size = canvas.text_size(height, width)
    for mark in marks:
        box = np.asarray(mark.box, float) * scale
        canvas.draw_box(picture, box, mark.colour, canvas.line_width(height, width) + 1)
    taken: list[tuple[int, int, int, int]] = []
    for mark in marks if len(marks) <= _LABELLED else ():
        if not mark.text:
            continue
        corner = np.asarray(mark.box, float)[:2] * scale
        place = canvas.label_rect(picture, mark.text, corner, size)
        place = canvas.free_place(place, taken, height)
        taken.append(place)
        canvas.draw_label(picture, mark.text, place, mark.colour, size)
    return picture


def _jpeg(picture: np.ndarray) -> str:
    return data_url(figures.jpeg(from_array(picture), WIDTH), "jpeg")
