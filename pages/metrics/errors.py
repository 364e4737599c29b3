"""The section "Kinds of error": what is wrong with each detection of this photo."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from pages.components import canvas
from pages.metrics import given
from pages.shared import state, truth
from pages.shared.plain import short
from pages.shared.state import Field
from vision_core.figures.colours import ERROR_KINDS, GROUND_TRUTH
from vision_core.metrics.kinds_of_error import (
    BACKGROUND,
    FOREGROUND,
    KINDS,
    WORDS,
    ErrorKinds,
    kinds_of_error,
)
from vision_core.records import Detections

_DASHES: dict[str, tuple[int, ...]] = {
    "correct": (),
    "class": (8, 3),
    "location": (4, 2),
    "both": (4, 2, 1, 2),
    "duplicate": (1, 3),
    "background": (2, 6),
}
"""Never by colour alone."""


_NAMED = 15
"""Detections with their kind written at them at most."""


def show(menu: Any, outer: tuple[Field, ...]) -> None:
    """Draw the section.

    Args:
        menu: a place at the head of the page, which this section leaves empty.
        outer: fields of the page.
    """
    used = [
        Field("match_iou", FOREGROUND, state.number(0, 1), "{:g}".format),
        Field("low_iou", BACKGROUND, state.number(0, 1), "{:g}".format),
        Field("kind_of_error", None, state.one_of(KINDS), str),
    ]
    with st.sidebar:
        photo, card, more = given.picked()
    try:
        scored = None if photo is None else given.scored(photo, card)
        if scored is None:
            return
        used.append(scored.score)
        state.use(*used)
        with st.sidebar:
            _limits()
        _shown(scored)
    finally:
        state.write(*outer, *more, *used)


def _limits() -> None:
    st.number_input(
        "Score threshold",
        0.0,
        1.0,
        step=0.01,
        format="%g",
        key="score",
        help="Only detections with a greater score are judged.",
    )
    st.number_input(
        "Upper limit of the IoU",
        0.0,
        1.0,
        step=0.05,
        format="%g",
        key="match_iou",
        help="A hit has at least this IoU; 0.5 in the paper.",
    )
    st.number_input(
        "Lower limit of the IoU",
        0.0,
        1.0,
        step=0.05,
        format="%g",
        key="low_iou",
        help="Below it a detection lies on the background; 0.1 in the paper.",
    )


def _shown(scored: given.Scored) -> None:
    value = st.session_state
    upper = float(value["match_iou"])
    found = scored.kept(float(value["score"]))
    kinds = kinds_of_error(found, scored.truth, upper, min(float(value["low_iou"]), upper))
    counts = kinds.counts()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.pills(
            "Kinds: press one to see its boxes alone",
            KINDS,
            key="kind_of_error",
            format_func=lambda kind: f"{kind}: {counts[kind]}",
        )
    chosen = value["kind_of_error"]
    left, right = st.columns([3, 2], gap="medium")
    with right:
        if chosen:
            st.markdown(f"**{chosen.capitalize()}**: {WORDS[chosen]}.")
        given.truth_controls(scored.known, scored.truth.labels, scored.stand_in)
        _table(scored, found, kinds, chosen)
        truth.edit(scored.photo)
    with left:
        drawn = _scene(scored, found, kinds, chosen)
        given.draw(scored.photo, scored.truth, drawn, "errors_photo", named=False)
        st.caption("Dotted: the true boxes.")


def _scene(
    scored: given.Scored, found: Detections, kinds: ErrorKinds, chosen: str | None
) -> canvas.Scene:
    rows = [i for i, kind in enumerate(kinds.kinds) if chosen in (None, kind)]
    missed = kinds.missed.tolist() if chosen in (None, "missed") else []
    return canvas.Scene(
        boxes=[[float(v) for v in found.boxes[i]] for i in rows],
        ids=rows,
        labels=[f"{kinds.kinds[i]}: {short(found.labels[i], 24)}" for i in rows],
        scores=[float(found.scores[i]) for i in rows],
        colours=[ERROR_KINDS[kinds.kinds[i]] for i in rows],
        dashes=[_DASHES[kinds.kinds[i]] for i in rows],
        marks=[
            canvas.Mark(
                [float(v) for v in scored.truth.boxes[i]],
                GROUND_TRUTH,
                f"missed {short(scored.truth.labels[i], 24)}",
                (4, 2),
            )
            for i in missed
        ],
        captions=len(rows) <= _NAMED,
        description=f"{len(rows)} detections of the kind {chosen or 'any'}, "
        f"{len(missed)} missed true boxes.",
    )


def _table(scored: given.Scored, found: Detections, kinds: ErrorKinds, chosen: str | None) -> None:
    """Every detection with its kind and the true box that this speaks of."""
    rows = [
        {
            "kind": kind,
            "detection": found.labels[i],
            "score": float(found.scores[i]),
            "true box": scored.truth.labels[box] if box >= 0 else "",
            "IoU": float(kinds.iou[i]),
        }
        for i, (kind, box) in enumerate(zip(kinds.kinds, kinds.about.tolist(), strict=True))
        if chosen in (None, kind)
    ]
    if set(kinds.kinds) <= {"correct"}:
        st.caption("No detection is wrong; lower the score threshold to see the weaker ones.")
    if not rows:
        return
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        width="stretch",
        height=min(40 + 35 * len(rows), 250),
        column_config={
            name: st.column_config.NumberColumn(format="%.2f") for name in ("score", "IoU")
        },
    )
    if len(kinds.covered):
        st.caption(
            f"{len(kinds.covered)} true boxes have no hit, but mending a class or a place would "
            "find them, so they are not missed."
        )
