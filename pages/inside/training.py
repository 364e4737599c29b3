"""Section "Training": which anchors learn what from true boxes, and where the class loss is."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
import streamlit as st

from pages.components import limits
from pages.inside.parts import (
    DASHED,
    DRAWN,
    SOLID,
    Asked,
    OnPhoto,
    crowded,
    density_words,
    true_boxes,
    truth_editor,
)
from pages.shared import charts, state
from vision_core.errors import UserError
from vision_core.figures.colours import GROUND_TRUTH, INPUT
from vision_core.figures.inside import focal_over_probability, loss_shares
from vision_core.inside import assignment
from vision_core.inside.anchors import code_names
from vision_core.inside.assignment import Assignment
from vision_core.inside.imbalance import Imbalance, focal_curve, imbalance
from vision_core.inside.limits import limit_table
from vision_core.inside.opened import photo_boxes
from vision_core.inside.report import label_ids

_RULE = {
    "iou": "An anchor is compared with every true box by IoU; only positives learn a box.",
    "points": "A point is positive in the middle of a true box whose size fits its level.",
    "cells": "The cell that holds the middle of a true box is responsible for it.",
}
_ROWS = 60
"""Targets that are listed; all others have the same columns."""


class Balance(NamedTuple):
    """The imbalance of the class loss, and how many anchors are positive (at least 1)."""

    made: Imbalance
    positives: int


def show(asked: Asked) -> OnPhoto:
    """Which anchors become positive, negative or ignored."""
    true, labels, _ = true_boxes(asked)
    truth_editor(asked)
    if not len(true):
        raise UserError("There is no true box yet; drag one on the photo.")
    found = _assigned(asked, true)
    if found.rule != "iou":
        _counts(found)
    st.caption(_RULE[found.rule])
    _tests(found)
    _sampled(asked, found)
    with st.expander("Regression targets"):
        _targets(asked, found)
    rows = _farthest_first(found)
    field = asked.here.trace.field
    assert field is not None
    anchors = photo_boxes(asked.here, field.anchors_net[rows])
    if len(rows) > DRAWN:
        return _as_density(asked, anchors, true, labels)
    return OnPhoto(
        [*anchors, *true],
        ["positive anchor"] * len(rows) + [f"true {label}" for label in labels],
        [INPUT] * len(rows) + [GROUND_TRUTH] * len(true),
        [DASHED] * len(rows) + [SOLID] * len(true),
        f"{len(rows)} positive anchors and {len(true)} true boxes",
    )


def _as_density(asked: Asked, anchors: np.ndarray, true: np.ndarray, labels: list[str]) -> OnPhoto:
    """More positive anchors than can be outlined."""
    overlay, most = crowded(asked, anchors, INPUT)
    words = density_words(len(anchors), most, "positive anchors")
    st.caption(words)
    return OnPhoto(
        list(true),
        [f"true {label}" for label in labels],
        [GROUND_TRUTH] * len(true),
        [SOLID] * len(true),
        f"{words} {len(true)} true boxes",
        overlay=overlay,
    )


def _assigned(asked: Asked, true: np.ndarray) -> Assignment:
    """The assignment at the limits, where the rule has limits; the counts follow their sliders."""
    own = assignment.limits(asked.here.module)
    if own is None:
        return assignment.assign(asked.here, true)
    high = float(st.session_state["high"])
    single = assignment.has_one_limit(asked.here.module)
    low = high if single else min(float(st.session_state["low"]), high)
    limits.show(
        limit_table(asked.here, true, (high, low), single),
        high,
        low,
        key="inside_limits",
        on_limits=_limited,
    )
    st.caption(
        f"This network was trained with {own[0]:g}"
        + ("." if single else f" and {own[1]:g}.")
        + " Bars count anchors, on a logarithmic scale."
    )
    return assignment.assign(asked.here, true, high, low)


def _limited(high: float, low: float) -> None:
    state.put("high", high)
    state.put("low", low)


def _counts(found: Assignment) -> None:
    counts = found.counts()
    per = counts["negative"] / max(counts["positive"], 1)
    st.markdown(
        f"**{counts['positive']:,} positive**, {counts['negative']:,} negative: {per:,.0f} "
        "negatives for each positive."
    )


def _tests(found: Assignment) -> None:
    """FCOS: how many points pass each test of a true box."""
    if found.tests is None:
        return
    alone = {name: int(test.any(1).sum()) for name, test in found.tests.items()}
    st.caption(
        f"{alone['inside']:,} points lie inside a true box, {alone['near']:,} near the middle of "
        f"one (centre sampling), {alone['in range']:,} on a level whose range fits one; a "
        "positive passes all three for the same box."
    )


def _sampled(asked: Asked, found: Assignment) -> None:
    """The anchors that one step of an RPN's training looks at."""
    size = assignment.sample_size(asked.here)
    if size is None:
        return
    st.number_input("Seed of the sample", 0, 99, key="seed")
    drawn = assignment.sample(found, int(st.session_state["seed"]), *size)
    st.caption(
        f"One step of training looks at {size[0]} anchors at random, of which at most "
        f"{size[1]:.0%} are positive: here {len(drawn.positive)} positive and "
        f"{len(drawn.negative)} negative."
    )


def _farthest_first(found: Assignment) -> np.ndarray:
    """Positive anchors, those that were taken by force first."""
    rows = found.positive
    return rows[np.argsort(~found.forced[rows], kind="stable")]


def _targets(asked: Asked, found: Assignment) -> None:
    """What each positive anchor is to say about its box."""
    names = code_names(asked.here)
    field = asked.here.trace.field
    assert field is not None
    rows = [
        {
            "true box": int(found.match[index]) + 1,
            "level": asked.here.levels[int(field.level[index])].name,
            **({"IoU": float(found.overlap[index])} if found.rule != "points" else {}),
            **dict(zip(names, map(float, target), strict=True)),
            **({} if found.centerness is None else {"centerness": float(found.centerness[at])}),
            **({"forced": bool(found.forced[index])} if found.rule == "iou" else {}),
        }
        for at, (index, target) in enumerate(zip(found.positive, found.targets, strict=True))
    ]
    numbers = ("IoU", *names, "centerness")
    st.dataframe(
        pd.DataFrame(rows[:_ROWS]),
        hide_index=True,
        width="stretch",
        column_config={n: st.column_config.NumberColumn(format="%.3f") for n in numbers},
    )
    if len(rows) > _ROWS:
        st.caption(f"The first {_ROWS} of {len(rows):,} positives.")


def balance(asked: Asked) -> Balance:
    """Where the class loss of all anchors comes from, at the chosen gamma and alpha.

    Raises:
        UserError: there is no true box, or the network is taught with another kind of loss.
    """
    true, labels, _ = true_boxes(asked)
    if not len(true):
        raise UserError("There is no true box yet; drag one on the photo in Training.")
    gamma, alpha = (float(st.session_state[name]) for name in ("gamma", "alpha"))
    found = assignment.assign(asked.here, true)
    made = imbalance(asked.here, found, label_ids(asked.here, labels), gamma, alpha)
    return Balance(made, max(1, found.counts()["positive"]))


def show_balance(made: Imbalance) -> None:
    """The shares of the class loss, and what the focal loss changes."""
    gamma, alpha = _focal()
    groups = [(f"{g.name} ({g.count:,})", g.cross_entropy, g.focal) for g in made.groups]
    charts.show(
        loss_shares(groups), "inside_shares", "Shares of the class loss by group of anchors"
    )
    per = made.negatives_per_positive
    st.markdown(
        ("No anchor is positive. " if per is None else f"**{per:,.0f} negatives per positive.** ")
        + f"Cross-entropy over all anchors is {made.cross_entropy:,.1f}, the focal loss "
        f"{made.focal:,.2f}. An anchor is easy where the right answer has more than half of the "
        "probability."
    )
    p = np.linspace(0.01, 0.99, 99)
    curves = {
        "cross-entropy": focal_curve(p, 0.0),
        f"focal loss, gamma {gamma:g}": focal_curve(p, gamma, alpha),
    }
    charts.show(
        focal_over_probability(p, curves), "inside_focal", "Loss of a positive over probability"
    )


def _focal() -> tuple[float, float]:
    left, right = st.columns(2)
    left.slider("gamma", 0.0, 5.0, step=0.1, key="gamma", help="0 is cross-entropy")
    right.slider("alpha", 0.0, 1.0, step=0.05, key="alpha", help="weight of the positives")
    return float(st.session_state["gamma"]), float(st.session_state["alpha"])
