"""The section "Calibration": whether a score says how often a detection is right."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from pages.components import canvas
from pages.metrics import given, table
from pages.shared import charts, state, truth
from pages.shared.state import Field
from vision_core.comparison.truth import judge
from vision_core.figures import metrics
from vision_core.figures.colours import VERDICTS
from vision_core.images import Photo
from vision_core.metrics.calibration import MOST_BINS, Calibration, calibration
from vision_core.models import Card

MOST = 60
"""Rows of the list; the address holds them all."""
_SOURCES = {"list": "A list", "photo": "This photo"}
_EXAMPLE = (
    "0.98:1;0.96:1;0.95:1;0.94:0;0.93:1;0.91:1;0.88:1;0.86:0;0.85:1;0.82:0;0.78:1;0.74:0;"
    "0.72:1;0.66:0;0.63:1;0.55:0;0.52:0;0.44:1;0.38:0;0.31:0;0.22:0;0.15:0;0.12:1;0.08:0"
)
"""Scores that promise more than they hold, as those of most deep networks do."""
Answers = tuple[list[float], list[bool]]


def _rows(text: str) -> Answers:
    """The scores and answers of ``score:1;score:0;...``.

    Raises:
        ValueError: it is no such text.
    """
    pairs = [part.split(":") for part in text.split(";") if part]
    scores = [float(pair[0]) for pair in pairs]
    if len(pairs) > MOST or any(
        len(pair) != 2 or pair[1] not in ("0", "1") or not 0 <= score <= 1
        for pair, score in zip(pairs, scores, strict=True)
    ):
        raise ValueError(f"at most {MOST} answers as score:1;score:0;...")
    return scores, [pair[1] == "1" for pair in pairs]


def _text(answers: Answers) -> str:
    return ";".join(f"{s:g}:{int(r)}" for s, r in zip(*answers, strict=True))


def show(menu: Any, outer: tuple[Field, ...]) -> None:
    """Draw the section.

    Args:
        menu: a place for the choice of the answers.
        outer: fields of the page.
    """
    used = [
        Field("answers", "list", state.one_of(_SOURCES)),
        Field("bins", 5, state.whole(1, MOST_BINS)),
        Field("answer_rows", _EXAMPLE, lambda text: _text(_rows(text))),
        Field("score_from", 0.1, state.number(0, 1), "{:g}".format),
        Field("match_iou", 0.5, state.number(0, 1), "{:g}".format),
    ]
    state.use(*used)
    with menu:
        st.segmented_control(
            "Answers",
            tuple(_SOURCES),
            key="answers",
            required=True,
            format_func=_SOURCES.__getitem__,
            label_visibility="collapsed",
        )
    of_photo = st.session_state["answers"] == "photo"
    with st.sidebar:
        if of_photo:
            photo, card, more = given.picked()
            used += more
        st.slider("Bins", 1, MOST_BINS, key="bins")
        if of_photo:
            _limits()
    try:
        left, right = st.columns([3, 2], gap="medium")
        if not of_photo:
            with right:
                found = _edited()
            with left:
                _result(found)
        elif photo is not None:
            with right:
                judged = _judged(photo, card)
            if judged is not None:
                with left:
                    _result(judged)
    finally:
        state.write(*outer, *used)


def _limits() -> None:
    st.number_input(
        "Only scores above",
        0.0,
        1.0,
        step=0.05,
        format="%g",
        key="score_from",
        help="A detector gives thousands of low scores, which would outweigh all others.",
    )
    st.number_input("IoU for a hit", 0.0, 1.0, step=0.05, format="%g", key="match_iou")


def _judged(photo: Photo, card: Card) -> Answers | None:
    """The detections of the photo, each right where it is a hit."""
    scored = given.scored(photo, card)
    if scored is None:
        return None
    value = st.session_state
    found = scored.kept(float(value["score_from"]))
    hit = judge(found, scored.truth, float(value["match_iou"])).hit >= 0
    drawn = canvas.Scene(
        boxes=[[float(v) for v in box] for box in found.boxes],
        ids=list(range(len(found))),
        labels=list(found.labels),
        scores=[float(s) for s in found.scores],
        colours=[VERDICTS["hit" if h else "false"] for h in hit],
        dashes=[() if h else (4, 2) for h in hit],
        captions=len(found) <= 8,
        description=f"{int(hit.sum())} hits, {int((~hit).sum())} false positives.",
    )
    given.draw(photo, scored.truth, drawn, "calibration_photo", named=False, tallest="40vh")
    st.caption("Green: hits. Red and dashed: false positives. Dotted: the true boxes.")
    given.truth_controls(scored.known, scored.truth.labels, scored.stand_in)
    truth.edit(photo)
    if not len(found):
        st.info("No detection is left; lower the limit of the score.", icon=":material/search_off:")
        return None
    return found.scores.astype(np.float64).tolist(), hit.tolist()


def _edited() -> Answers:
    """The answers of the list, and what was changed in it."""
    text = str(st.session_state["answer_rows"])
    held = table.base("answer_rows", lambda: _frame(*_rows(text)))
    edited = st.data_editor(
        held.frame,
        key=held.key,
        num_rows="dynamic",
        hide_index=True,
        width="stretch",
        height=380,
        column_config={
            "score": st.column_config.NumberColumn(min_value=0.0, max_value=1.0, format="%g"),
            "right": st.column_config.CheckboxColumn(default=False),
        },
    )
    whole = edited[edited["score"].between(0, 1)].head(MOST)
    answers = (
        [float(f"{v:g}") for v in whole["score"]],
        [bool(v) for v in whole["right"].fillna(False)],
    )
    table.keep("answer_rows", held, _text(answers))
    return answers


def _frame(scores: list[float], right: list[bool]) -> pd.DataFrame:
    frame = pd.DataFrame({"score": scores, "right": right})
    return frame.astype({"score": float, "right": bool})


def _result(answers: Answers) -> None:
    found = calibration(*answers, bins=int(st.session_state["bins"]))
    charts.show(
        metrics.reliability(
            [found.bins[0].low, *(one.high for one in found.bins)],
            [one.accuracy for one in found.bins],
            [one.confidence for one in found.bins],
            [one.count for one in found.bins],
        ),
        "reliability",
        "Share of right answers by score",
    )
    st.markdown(_words(found))
    st.dataframe(
        pd.DataFrame(
            [
                {
                    "scores": f"{one.low:.2f} to {one.high:.2f}",
                    "answers": one.count,
                    "mean score": one.confidence,
                    "share right": one.accuracy,
                    "gap": one.gap,
                }
                for one in found.bins
                if one.count
            ]
        ),
        hide_index=True,
        width="stretch",
        column_config={
            name: st.column_config.NumberColumn(format="%.3f")
            for name in ("mean score", "share right", "gap")
        },
    )
    if found.count < 100:
        st.caption(f"{found.count} answers are few: a bin with one answer says 0 or 1.")


def _words(found: Calibration) -> str:
    """The error with its numbers filled in."""
    terms = [f"{one.count}/{found.count} · {one.gap:.3f}" for one in found.bins if one.count]
    more = f" + … ({len(terms) - 4} more)" if len(terms) > 5 else ""
    shown = " + ".join(terms[:4] if more else terms) + more
    return (
        "Expected calibration error = sum of share of the answers · gap  \n"
        f"= {shown} = **{found.error:.3f}**; the largest gap is {found.largest:.3f}."
    )
