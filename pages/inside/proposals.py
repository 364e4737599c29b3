"""Section "Proposals": objectness as a heat map, the best k, and the recall of the true boxes."""

from __future__ import annotations

import numpy as np
import streamlit as st

from pages.components.canvas import Overlay
from pages.inside.parts import (
    DRAWN,
    SOLID,
    WHEN,
    Asked,
    OnPhoto,
    crowded,
    density_words,
    true_boxes,
    truth_editor,
)
from pages.inside.pyramid import pick_level, veil
from pages.shared import charts
from vision_core.figures.colours import GROUND_TRUTH, OUTPUT
from vision_core.figures.inside import recall_over_k
from vision_core.inside import proposals as ranking
from vision_core.inside.opened import Level, Opened
from vision_core.inside.pictures import shown_size
from vision_core.inside.proposals import Ranked

_BOLD = 20
"""The best proposals have thick outlines, all others thin ones."""
_IOU = 0.5
"""A true box counts as found from this IoU on."""


def show(asked: Asked) -> OnPhoto:
    """The best k of the region proposal network."""
    here = asked.here
    ranking.best(here, "after", 1)  # says no before any control is drawn
    level = pick_level(here)
    st.segmented_control(
        "Proposals", tuple(WHEN), key="when", required=True, format_func=WHEN.__getitem__
    )
    st.slider("k, the best proposals", 1, ranking.MOST, key="k")
    k = int(st.session_state["k"])
    every = {"before": ranking.best(here, "before"), "after": ranking.best(here, "after")}
    ranked = ranking.best(here, st.session_state["when"], k)
    _counts(here, every, ranked)
    others = ranked.boxes[_BOLD:].astype(np.float32)
    words = f"{len(ranked)} proposals, and the objectness of level {level.name} over the photo"
    overlay = _overlay(here, level)
    if len(ranked) > DRAWN:
        overlay, most = crowded(asked, ranked.boxes, OUTPUT)
        words = density_words(len(ranked), most, "proposals")
        st.caption(f"{words} Up to k = {DRAWN} the objectness of a level is drawn there.")
        others = others[:0]
    boxes, labels, _ = true_boxes(asked)
    if len(boxes) and len(ranked):
        _recall(every, ranked, boxes, k)
    truth_editor(asked)
    drawn = list(ranked.boxes[:_BOLD])[::-1]
    return OnPhoto(
        [*drawn, *boxes],
        ["proposal"] * len(drawn) + [f"true {label}" for label in labels],
        [OUTPUT] * len(drawn) + [GROUND_TRUTH] * len(boxes),
        [SOLID] * (len(drawn) + len(boxes)),
        f"{words}; {len(boxes)} true boxes",
        crowd=others if len(others) else None,
        overlay=overlay,
    )


def _counts(here: Opened, every: dict[str, Ranked], ranked: Ranked) -> None:
    st.markdown(
        f"**{len(every['before']):,}** boxes are left of {len(here.logits):,} anchors before the "
        f"RPN's NMS, **{len(every['after']):,}** after it; the best {len(ranked):,} are shown"
        + (f", the best {_BOLD} with thick lines." if len(ranked) > _BOLD else ".")
    )
    if len(ranked):
        best, worst = (f"{float(v):.3f}" for v in (ranked.scores[0], ranked.scores[-1]))
        st.caption(f"Objectness from {best} down to {worst}.")


def _recall(every: dict[str, Ranked], ranked: Ranked, boxes: np.ndarray, k: int) -> None:
    found = ranking.recall(ranked, boxes, _IOU)
    st.markdown(
        f"**Recall {100 * float(found.recall[-1]):.0f} %** of the true boxes: the share that one "
        f"of these k boxes covers with an IoU of {_IOU:g}."
    )
    curves = {WHEN[when]: ranking.recall(one, boxes, _IOU).recall for when, one in every.items()}
    charts.show(recall_over_k(curves, k), "inside_recall", "Recall over the number of proposals")


def _overlay(here: Opened, level: Level) -> Overlay:
    """Objectness of a level over the photo; full colour is objectness 1."""
    columns, rows = shown_size(here, level)

    def make() -> bytes:
        values = ranking.objectness_maps(here)[level.index][:rows, :columns]
        return veil(here, level, values, 1.0)

    return Overlay(f"objectness-{here.trace.info.id}-{level.index}", make)
