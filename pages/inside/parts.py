"""The sections of "Inside a detector": words and numbers of each, and the boxes for the photo."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from pages.shared import charts, state
from vision_core.errors import UserError
from vision_core.figures.charts import class_distribution, stage_words
from vision_core.figures.colours import GROUND_TRUTH, INPUT, KERNEL, OUTPUT
from vision_core.inside import anchors as anchor_numbers
from vision_core.inside import assignment
from vision_core.inside import proposals as ranking
from vision_core.inside.coordinates import follow
from vision_core.inside.head import look, needs_head
from vision_core.inside.opened import Opened, network_boxes, photo_boxes
from vision_core.records import Thresholds
from vision_core.selection import select

PLACE = KERNEL
DRAWN = 300
"""Boxes on the photo at most."""
WHEN = {"before": "before NMS", "after": "after NMS"}
DASHED, SOLID = (6, 4), ()


@dataclass(frozen=True)
class Shown:
    """Boxes for the photo, in its pixels, each with its label, colour and dash; what they are."""

    boxes: list[Any]
    labels: list[str]
    colours: list[str]
    dashes: list[tuple[int, ...]]
    text: str


def fields() -> tuple[state.Field, ...]:
    """What the sections keep in the address bar."""
    return (
        state.Field("k", 50, state.whole(1, 2000)),
        state.Field("when", "after", state.one_of(tuple(WHEN))),
        state.Field("high", 0.7, state.number(0, 1), "{:g}".format),
        state.Field("low", 0.3, state.number(0, 1), "{:g}".format),
    )


def coordinates(here: Opened, at: tuple[float, float]) -> Shown:
    """A point through photo, input and feature maps."""
    place = follow(here, *at)
    info = here.trace.info
    photo, net = info.photo_size, info.network_size
    padded = here.padded_size
    st.markdown(
        f"The photo of {photo[0]} x {photo[1]} pixels is resized to **{net[0]} x {net[1]}** and "
        f"padded to {padded[0]} x {padded[1]}, so that every stride divides it."
    )
    st.code("\n".join(str(term) for term in place.terms), language=None)
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
    return Shown(
        boxes, names, [INPUT] * len(boxes), [SOLID] * len(boxes), "The cell of every level"
    )


def anchors(here: Opened, at: tuple[float, float]) -> Shown:
    """All anchors of the place with what the network said of each."""
    place = follow(here, *at)
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
    best = sorted(found, key=lambda a: -a.score)[:3]
    boxes = [a.anchor for a in found] + [a.box for a in best]
    return Shown(
        boxes,
        [f"anchor {a.width:.0f} x {a.height:.0f}" for a in found] + ["predicted box"] * len(best),
        [INPUT] * len(found) + [OUTPUT] * len(best),
        [DASHED] * len(found) + [SOLID] * len(best),
        f"{len(found)} anchors, and the boxes made of the best {len(best)}",
    )


def proposals(here: Opened, at: tuple[float, float]) -> Shown:
    """The best k of the region proposal network."""
    ranking.best(here, "after", 1)  # says no before any control is drawn
    st.segmented_control(
        "Proposals", tuple(WHEN), key="when", required=True, format_func=WHEN.__getitem__
    )
    st.slider("k, the best proposals", 1, 2000, key="k")
    k = int(st.session_state["k"])
    ranked = ranking.best(here, st.session_state["when"], k)
    every = {when: len(ranking.best(here, when)) for when in ("before", "after")}
    st.markdown(
        f"**{every['before']:,}** boxes are left of {len(here.logits):,} anchors before the RPN's "
        f"NMS, **{every['after']:,}** after it; the best {len(ranked):,} are shown"
        + (f", of which {DRAWN} are drawn." if len(ranked) > DRAWN else ".")
    )
    kept = _kept(here)
    if len(kept) and len(ranked):
        found = ranking.recall(ranked, kept, 0.5)
        st.markdown(
            f"**Recall {100 * float(found.recall[-1]):.0f} %**: of what the network keeps in the "
            f"end ({len(kept)}), the share that one of these k boxes covers with an IoU of 0.5."
        )
    best, worst = (f"{float(v):.3f}" for v in (ranked.scores[0], ranked.scores[-1]))
    st.caption(f"Objectness from {best} down to {worst}.")
    boxes = list(ranked.boxes[:DRAWN])[::-1]
    return Shown(
        boxes,
        ["proposal"] * len(boxes),
        [OUTPUT] * len(boxes),
        [SOLID] * len(boxes),
        f"{len(boxes)} proposals",
    )


def second_stage(here: Opened, at: tuple[float, float]) -> Shown:
    """What the box head says of the best proposal that holds the place."""
    needs_head(here)
    net = network_boxes(here, np.array([[*at, *at]]))[0][:2]
    given = here.trace.source_boxes_net
    holds = ((given[:, :2] <= net) & (given[:, 2:] >= net)).all(1)
    if not holds.any():
        raise UserError("No proposal holds this place; click nearer to an object.")
    row = int(np.flatnonzero(holds)[0])  # best objectness first
    view = look(here, given[row])
    order = np.argsort(-view.scores)
    pairs = [(view.labels[i], float(view.scores[i])) for i in order]
    charts.show(class_distribution(pairs), "inside_classes", "Scores of all classes")
    st.markdown(
        f"Proposal {row + 1} of {len(given)}, cut from level **{view.level_name}** into "
        f"{view.crop.shape[1]} x {view.crop.shape[2]} cells of {view.crop.shape[0]} channels."
    )
    best = next(int(i) for i in order if i > 0)
    code = ", ".join(
        f"{name} {value:+.3f}"
        for name, value in zip(("dx", "dy", "dw", "dh"), view.codes[best], strict=True)
    )
    st.markdown(f"The class **{view.labels[best]}** would move it by {code} (drawn solid).")
    return Shown(
        [view.box, view.boxes[best]],
        ["proposal", view.labels[best]],
        [INPUT, OUTPUT],
        [DASHED, SOLID],
        "A proposal, and the box after the regression of its best class",
    )


def taught(here: Opened, at: tuple[float, float]) -> Shown:
    """Which anchors become positive, negative or ignored."""
    true = _kept(here)
    if not len(true):
        raise UserError("The network keeps no box here that could stand for the truth.")
    own = assignment.limits(here)
    high = low = None
    if own is not None:
        st.slider("Positive from an IoU of", 0.0, 1.0, step=0.05, key="high")
        st.slider("Negative below an IoU of", 0.0, 1.0, step=0.05, key="low")
        high = float(st.session_state["high"])
        low = min(float(st.session_state["low"]), high)
        st.caption(f"This network was trained with {own[0]:g} and {own[1]:g}.")
    found = assignment.assign(here, true, high, low)
    counts = found.counts()
    per = counts["negative"] / max(counts["positive"], 1)
    st.markdown(
        f"**{counts['positive']:,} positive**, {counts['negative']:,} negative, "
        f"{counts['ignored']:,} ignored: {per:,.0f} negatives for each positive."
        + (
            f" {counts['forced']:,} of the positives lie below the limit and are taken because no "
            "anchor overlaps their true box better."
            if counts["forced"]
            else ""
        )
    )
    rule = {
        "iou": "An anchor is compared with every true box by IoU; only positives learn a box.",
        "points": "A point is positive in the middle of a true box whose size fits its level.",
        "cells": "The cell that holds the middle of a true box is responsible for it.",
    }
    st.caption(rule[found.rule])
    rows = found.positive[:DRAWN]
    field = here.trace.field
    assert field is not None
    boxes = list(photo_boxes(here, field.anchors_net[rows])) + list(true)
    return Shown(
        boxes,
        ["positive anchor"] * len(rows) + ["true box"] * len(true),
        [INPUT] * len(rows) + [GROUND_TRUTH] * len(true),
        [DASHED] * len(rows) + [SOLID] * len(true),
        f"{len(rows)} positive anchors and {len(true)} true boxes",
    )


def _kept(here: Opened) -> np.ndarray:
    """What the network keeps at its own thresholds, [K, 4], photo pixels."""
    chosen = select(here.trace, Thresholds.torchvision(here.net)).detections
    return np.asarray(chosen.boxes, np.float64)
