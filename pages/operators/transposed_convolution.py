"""Transposed convolution: stamps that add up, and the ordinary convolution that does the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from pages.components.player import player
from pages.operators import lab_sections, real_layer
from pages.shared import operator_page, state
from pages.shared.operator import Control, Operator, keep_step
from vision_core.figures.stage import Stage, View, grid
from vision_core.figures.stage_views import view_of
from vision_core.walkthroughs import Walkthrough, build

SECTIONS = {
    "steps": "Scatter and gather",
    "overlap": "Checkerboards",
    "names": "Its names",
    "tied": "Tied weights",
}
CONTROLS = (
    Control("stride", "Stride", 1, 4),
    Control("padding", "Padding", 0, 6),
    Control("output_padding", "Output padding", 0, 4),
    Control("dilation", "Dilation", 1, 3),
)
_GRIDS = ("input", "weight")
_LEDE = (
    "Left, every input value **stamps** the kernel on the output, and overlapping stamps add up; "
    "right, an ordinary convolution over the input with **zeros inserted** completes the same "
    "cells."
)
_NAMES = """
| name | where it comes from |
|---|---|
| **transposed convolution** | its matrix is C transposed, where y = C x is a convolution |
| **fractionally strided convolution** | a step in the output is a fraction of one in the input |
| **backward strided convolution** | it computes the gradient of a strided convolution's input |
| **upconvolution** | the map grows |
| *deconvolution* | a bad one: in signal processing a deconvolution **undoes** a convolution and \
gives its input back |

C transposed is not the inverse of C. Convolve a map and then apply the transposed convolution with
the same kernel: the size comes back, the values do not. Below, y = C x and then Cᵀ y.
"""


def main() -> None:
    """The page: a section, its controls and its player."""
    sections = dict(SECTIONS)
    if real_layer.networks():
        sections["layer"] = "A real layer"
    menu, lede, fields = operator_page.head("Transposed convolution", sections)
    section = st.session_state["section"]
    if section == "steps":
        steps(menu, lede, fields)
    elif section == "overlap":
        overlap(lede, fields)
    elif section == "names":
        names(lede, fields)
    elif section == "tied":
        lab_sections.tied(menu, lede, fields)
    else:
        real_layer.section(lede, fields)
    operator_page.notes(lede)


def _both(params: dict[str, Any]) -> list[Walkthrough]:
    return [build("transposed_convolution", **{**params, "view": v}) for v in ("scatter", "gather")]


def steps(menu: Any, lede: Any, fields: tuple[state.Field, ...]) -> None:
    """Both views on one step."""
    operator = Operator(
        "transposed/steps",
        "transposed_convolution",
        CONTROLS,
        make=_both,
        sizes=(("input", "Input"), ("weight", "Kernel")),
        opens=2,
    )
    shown = operator.show(menu)
    operator_page.say(lede, f"{_LEDE} **{shown.preset.shows}**")
    titles = ("Scatter: stamp and add", "Gather: insert zeros, rotate the kernel by 180°, convolve")
    stage = Stage(tuple(view_of(w, t) for w, t in zip(shown.walks, titles, strict=True)))
    operator_page.play(operator, shown, stage, fields, ("input", "weight", "bias"))
    left, right = st.columns(2, gap="large")
    with left:
        operator_page.explain(shown)
        operator_page.files(stage, "transposed_convolution")
    with right:
        facts = shown.walks[0].facts
        zeros = facts["inserted_zeros"][0]
        st.markdown(
            f"**Gather as a convolution:** {zeros} zero{'' if zeros == 1 else 's'} between two "
            f"inputs, padding {facts['stretched_padding'][0]} "
            "= dilation·(kernel - 1) - padding, stride 1, the kernel rotated by 180°."
        )
        ones = {**shown.params, **{n: np.ones(np.shape(shown.params[n])) for n in _GRIDS}}
        counted = build("transposed_convolution", **{**ones, "bias": None, "view": "scatter"})
        st.markdown("**Overlap**: how many stamps reach each output cell")
        plain = grid(counted, "output", "stamps", axes=len(facts["output_size"]))
        still = Stage((View("", counted, (plain,)),), ((len(counted.steps) - 1,),))
        player(still, key="overlap_map", above=480, stem="overlap")


def overlap(lede: Any, fields: tuple[state.Field, ...]) -> None:
    """Three ways up on a constant input: how many stamps reach each cell, and the result."""
    operator_page.say(
        lede,
        "The input is **constant**, and all weights are 1, so that every output cell holds "
        "**how many stamps reach it**. 3x3 with stride 2 gives 1, 2, 4 in turn, a checkerboard "
        "that the network must unlearn; 4x4 is even inside, and so is resizing first "
        "(Odena et al. 2016).",
    )
    ones = [[1] * 4] * 4
    three = build("transposed_convolution", input=ones, weight=[[1] * 3] * 3, stride=2)
    four = build("transposed_convolution", input=ones, weight=[[1] * 4] * 4, stride=2, padding=1)
    wide = build("nearest_unpool", input=ones)
    resized = build("convolution", input=wide.result, weight=[[1] * 3] * 3, padding=1)
    views = [
        ("3x3, stride 2", three),
        ("4x4, stride 2, padding 1", four),
        ("Resize, then convolve 3x3", resized),
    ]
    stage = Stage(
        tuple(View(title, walk, (grid(walk, "output"),)) for title, walk in views),
        (tuple(len(walk.steps) - 1 for _, walk in views),),
    )
    player(stage, key="overlap", above=360, stem="overlap")
    inner = [np.unique(w.result[2:-2, 2:-2]).astype(int).tolist() for _, w in views]
    for column, (title, _), values in zip(st.columns(3), views, inner, strict=True):
        column.markdown(
            f"**{title}**: values inside {', '.join(map(str, values))}"
            f"{' (uneven)' if len(values) > 1 else ' (even)'}"
        )
    state.write(*fields)


def names(lede: Any, fields: tuple[state.Field, ...]) -> None:
    """What it is called, and why it undoes nothing."""
    operator_page.say(lede, "One operator, **five names**; only one of them is wrong.")
    st.markdown(_NAMES)
    x, kernel = [[1, 2, 0], [0, 1, 3], [2, 0, 1]], [[1, 2], [0, 1]]
    there = build("convolution", input=x, weight=kernel)
    back = build("transposed_convolution", input=there.result, weight=kernel)
    stage = Stage(
        (
            View(
                "y = C x",
                there,
                (
                    grid(there, "input", "x"),
                    grid(there, "weight", "kernel", "*"),
                    grid(there, "output", "y", "="),
                ),
            ),
            View("Cᵀ y is not x", back, (grid(back, "output", "Cᵀ y"),)),
        ),
        ((len(there.steps) - 1, len(back.steps) - 1),),
    )
    state.use(state.Field("step", 0, state.whole(0, 10**6)))
    player(stage, key="names", above=520, stem="deconvolution", on_step=keep_step)
    state.write(*fields)
