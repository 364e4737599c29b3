"""Detectors beside each other: pictures with linked zoom, and every difference as a filter."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import partial
from itertools import combinations

import numpy as np
import streamlit as st

from pages.compare import after_boxes, columns, dials, drawing
from pages.compare.columns import JudgedColumn, Made
from pages.compare.sides import Side, detectors, pair_field, pick_pair
from pages.components import canvas
from pages.shared import engine, scene, shell, state, truth
from pages.shared.guard import guarded
from pages.shared.state import Field
from pages.shared.thresholds import Controls
from vision_core.comparison.boxes import KINDS, BoxComparison, compare_boxes
from vision_core.comparison.truth import Judged, Truth, judge
from vision_core.figures.colours import DIFFERENCES, GROUND_TRUTH, VERDICTS
from vision_core.images import Photo
from vision_core.inference import DetectionTrace, predict
from vision_core.labels import comparable

WORDS = {
    "both": "in both",
    "other_class": "another class",
    "shifted": "shifted",
    "only_a": "only {a}",
    "only_b": "only {b}",
}
ONLY = Field("only", None, state.one_of(KINDS), str)
BOX = Field("picked", "")


@st.fragment
def show(photo: Photo, sides: Sequence[Side], outer: tuple[Field, ...]) -> None:
    """The columns, the differences of two of them, and what follows below.

    Args:
        photo: the photo.
        sides: two to four, some of which may have failed.
        outer: the fields of the pickers, which share the address bar with the panel's.
    """
    with guarded("comparing the detections"):
        found = detectors(sides)
        if not found:
            columns.errors_only(sides)
            return
        alive = [side for side, _ in found]
        used = [*dials.fields(found), ONLY, BOX, truth.FIELD, truth.DRAWING]
        if len(alive) > 1:
            used.append(pair_field(alive))
        state.use(*used)
        with st.sidebar:
            dials.controls(found)
        known = dials.names(found)
        truth.prepare(known, _likely(found[0][1]))
        there = truth.current(photo)
        shown = [_shown(photo, side, trace, there) for side, trace in found]
        made = {
            (a.side.letter, b.side.letter): compare_boxes(a.kept, b.kept)
            for a, b in combinations(shown, 2)
        }
        pair = tuple(st.session_state["pair"]) if len(alive) > 1 else ("", "")
        with st.container(horizontal=True, vertical_alignment="bottom"):
            if len(alive) > 1:
                _filters(alive, made)
            drawing.button(known)
        _pictures(photo, sides, shown, made, pair, there)
        state.write(*outer, *used)
        after_boxes.show(photo, sides, shown, made, there)


def _likely(trace: DetectionTrace) -> str:
    """The class of the best candidate."""
    return comparable(trace.label(int(trace.scores.argmax()))) if len(trace) else ""


def _shown(photo: Photo, side: Side, trace: DetectionTrace, there: Truth | None) -> JudgedColumn:
    assert side.model is not None
    parts = engine.parts_of(side.model, photo, trace)
    made = predict(trace, dials.thresholds(side, trace), parts)
    column = columns.column(side, made)
    assert made.selection is not None
    return JudgedColumn(
        side, column, made, judge(made.selection.detections, there) if there else None
    )


def _pictures(
    photo: Photo,
    sides: Sequence[Side],
    shown: Sequence[JudgedColumn],
    made: Made,
    pair: tuple[str, ...],
    there: Truth | None,
) -> None:
    by_letter = {s.side.letter: s for s in shown}
    chosen = columns.partners(shown, made)
    for place, side in zip(columns.places(len(sides)), sides, strict=True):
        with place:
            columns.head(side)
            one = by_letter.get(side.letter)
            if one is None:
                columns.say_error(side)
                continue
            comparison = made.get((pair[0], pair[1]))
            drawn = _scene(photo, one, comparison, pair, there)
            canvas.picture(
                photo,
                drawn,
                key=f"column_{side.letter}",
                present=shell.presenting(),
                selected=chosen.get(side.letter, -1),
                tallest="calc(100vh - 21rem)",
                on_stage=columns.on_stage(len(sides)),
                on_pick=partial(_picked, side.letter),
                on_thresholds=partial(dials.moved, side),
                on_ask=lambda at: truth.add(photo, at),
            )
            columns.counts(one.column, one.judged)
            columns.cost(one.column)


def _picked(letter: str, pick: dict[str, int]) -> None:
    at = pick.get("id", -1)
    state.put("picked", f"{letter}{at}" if at >= 0 else "")


def _scene(
    photo: Photo,
    one: JudgedColumn,
    comparison: BoxComparison | None,
    pair: tuple[str, ...],
    there: Truth | None,
) -> canvas.Scene:
    side = one.side
    controls = Controls(one.selection.thresholds, steps=dials.step(one.trace))
    drawn = scene.detections(photo, one.selection, controls, one.made.masks, one.made.keypoints)
    kinds = _kinds(side.letter, comparison, pair)
    how = st.session_state["colour"]
    ids = one.kept.candidate.tolist()
    tints: dict[str, str] = {}
    if how == "difference":
        tints = {str(ids[row]): DIFFERENCES[kind] for row, kind in kinds.items()}
    elif how == "truth" and one.judged is not None:
        tints = {
            str(ids[row]): VERDICTS["hit" if at >= 0 else "false"]
            for row, at in enumerate(one.judged.hit)
        }
    only = st.session_state["only"]
    rows = list(range(len(ids)))
    if only and side.letter in pair:
        rows = [row for row in rows if kinds.get(row) == only]
    marks = _true_marks(there, one.judged) if how == "truth" and there is not None else []
    return dataclasses.replace(
        drawn,
        boxes=[drawn.boxes[i] for i in rows],
        ids=[drawn.ids[i] for i in rows],
        labels=[drawn.labels[i] for i in rows],
        scores=[drawn.scores[i] for i in rows],
        colours=[tints.get(str(ids[i]), drawn.colours[i]) for i in rows],
        skeletons=None if drawn.skeletons is None else [drawn.skeletons[i] for i in rows],
        group="compare",
        shared=bool(st.session_state["together"]),
        plain=True,
        asks="draw" if drawing.drawing() else "",
        tints=tints,
        marks=marks,
        only=[ids[i] for i in rows] if len(rows) < len(ids) else None,
    )


def _kinds(letter: str, comparison: BoxComparison | None, pair: tuple[str, ...]) -> dict[int, str]:
    """What became of each row of one side in the comparison of two."""
    if comparison is None or letter not in pair:
        return {}
    own = "a" if letter == pair[0] else "b"
    rows = {getattr(p, own): p.kind for p in comparison.pairs}
    rows.pop(None, None)
    return rows


def _true_marks(there: Truth, judged: Judged | None) -> list[canvas.Mark]:
    missed = set() if judged is None else set(judged.missed.tolist())
    return [
        canvas.Mark(
            np.round(box, 1).tolist(),
            GROUND_TRUTH,
            f"missed {label}" if i in missed else "",
            (4, 2) if i in missed else (1, 2),
        )
        for i, (box, label) in enumerate(zip(there.boxes, there.labels, strict=True))
    ]


def _filters(alive: Sequence[Side], made: Made) -> None:
    """The counts of the differences; one that is pressed leaves only its boxes."""
    a, b = pick_pair(alive)
    comparison = made[(a.letter, b.letter)]
    counts = comparison.counts()
    sides = {"a": a.letter.upper(), "b": b.letter.upper()}
    st.pills(
        "Differences: press one to see its boxes alone",
        KINDS,
        key="only",
        format_func=lambda kind: f"{WORDS[kind].format(**sides)}: {counts[kind]}",
    )
    st.markdown(
        f"Agreement: **F1 {comparison.f1:.2f}**",
        width="content",
        help="F1: the share of all boxes that both models found, with the same class and "
        "an IoU of at least 0.5. Two models that find nothing agree.",
    )
