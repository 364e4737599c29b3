"""Convolution: the sliding window, its matrix, and what it costs."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.operators import lab_sections
from pages.shared import operator_page, state
from pages.shared.operator import Control, Operator, Shown
from vision_core.figures.stage import Stage
from vision_core.figures.stage_views import view_of
from vision_core.walkthroughs import Walkthrough, build
from vision_core.walkthroughs.counts import bottleneck_counts, convolution_counts

SECTIONS = {
    "window": "Sliding window",
    "matrix": "As a matrix",
    "film": "On a film",
    "cost": "What it costs",
}
_SHAPE = (
    Control("stride", "Stride", 1, 4),
    Control("padding", "Padding", 0, 4),
    Control("dilation", "Dilation", 1, 3),
)
CONTROLS = (
    *_SHAPE,
    Control("groups", "Groups", 1, 4),
    Control(
        "flip",
        "Rotate the kernel by 180 degrees",
        options=(False, True),
        help="Mathematics defines convolution so; networks compute a correlation.",
    ),
)
MATRIX_CONTROLS = (
    Control("view", "What is built", options=("matrix", "forward", "transposed")),
    *_SHAPE,
)
_LEDE = (
    "The kernel slides over the input; at every position, the numbers under it are multiplied with "
    "the **weights** and added up to one output cell. Look at the frame on the input."
)
_MATRIX_LEDE = {
    "matrix": "One output cell is one **row of C**: the weights stand where the window stands, "
    "all else is 0. Watch the band move to the right as the window does.",
    "forward": "The same output as **C times x**, where x is the padded input as a column: row "
    "by column, the products are those of the window.",
    "transposed": "**C transposed times g**: every output's gradient goes back over the weights "
    "that made it. This is both the backward pass and the transposed convolution of g.",
}


def main() -> None:
    """The page: a section, its controls and its player."""
    menu, lede, fields = operator_page.head("Convolution", SECTIONS)
    section = st.session_state["section"]
    if section == "window":
        window(menu, lede, fields)
    elif section == "matrix":
        matrix(menu, lede, fields)
    elif section == "film":
        lab_sections.film(menu, lede, fields)
    else:
        cost(lede, fields)
    operator_page.notes(lede)


def window(menu: Any, lede: Any, fields: tuple[state.Field, ...]) -> None:
    """The sliding window on numbers."""
    operator = Operator(
        "convolution/window",
        "convolution",
        CONTROLS,
        sizes=(("input", "Input"), ("weight", "Kernel")),
    )
    shown = operator.show(menu)
    operator_page.say(lede, f"{_LEDE} **{shown.preset.shows}**")
    stage = Stage(tuple(view_of(walk) for walk in shown.walks))
    operator_page.play(operator, shown, stage, fields, ("input", "weight", "bias"))
    left, right = st.columns(2, gap="large")
    with left:
        operator_page.explain(shown)
        operator_page.files(stage, "convolution")
    with right:
        _counts(shown.walks[0].facts)


def _counts(facts: Any) -> None:
    st.markdown(
        f"**Counts**  \n{facts['weights']} weights "
        f"({facts['weights_per_filter'] - (facts['biases'] > 0)} per filter), "
        f"{facts['neurons']} neurons (output cells)  \n"
        f"{facts['multiplications_per_position']} multiplications per position, "
        f"{facts['multiplications']} in all  \nThis is a **{facts['kind']}**."
    )


def _beside(params: dict[str, Any]) -> list[Walkthrough]:
    """The matrix, and the sliding window where both have the same steps."""
    made = [build("convolution_matrix", **params)]
    if params["view"] != "transposed":
        plain = ("input", "weight", "stride", "padding", "dilation")
        made.append(build("convolution", **{name: params[name] for name in plain}))
    return made


def matrix(menu: Any, lede: Any, fields: tuple[state.Field, ...]) -> None:
    """C row by row, C x, and C transposed times g."""
    operator = Operator(
        "convolution/matrix",
        "convolution_matrix",
        MATRIX_CONTROLS,
        ("input", "weight", "grad_output"),
        _beside,
    )
    shown = operator.show(menu)
    kind = shown.params["view"]
    operator_page.say(lede, _MATRIX_LEDE[kind])
    titles = ("", "The same as a sliding window")
    stage = Stage(tuple(view_of(w, t) for w, t in zip(shown.walks, titles, strict=False)))
    operator_page.play(operator, shown, stage, fields, ("input", "weight"))
    left, right = st.columns(2, gap="large")
    with left:
        operator_page.explain(shown)
        operator_page.files(stage, "convolution_matrix")
    with right:
        _matrix_facts(shown)


def _matrix_facts(shown: Shown) -> None:
    facts = shown.walks[0].facts
    st.markdown(
        f"C holds {facts['nonzero']} weights in {facts['rows'] * facts['columns']} "
        "entries; a fully connected layer would learn every one of them."
    )
    if "cropped" in facts:
        st.markdown(f"Without the padding, the gradient of the input is `{facts['cropped']}`.")


def cost(lede: Any, fields: tuple[state.Field, ...]) -> None:
    """Weights, neurons and multiplications of a layer, and of a bottleneck."""
    operator_page.say(
        lede,
        "**Weights** do not depend on the size of the picture, neurons and multiplications "
        "do. A 1x1 **bottleneck** makes a 3x3 layer cheaper by first making it narrow (He et al. "
        "2016).",
    )
    cost_fields = (
        state.Field("width", 32, state.whole(1, 512)),
        state.Field("channels", 3, state.whole(1, 2048)),
        state.Field("filters", 10, state.whole(1, 2048)),
        state.Field("kernel", 5, state.whole(1, 15)),
        state.Field("narrow", 64, state.whole(1, 1024)),
        state.Field("wide", 256, state.whole(1, 2048)),
    )
    state.use(*cost_fields)
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader("One layer")
        a, b = st.columns(2)
        n = a.number_input("Output width and height", 1, 512, key="width")
        c = b.number_input("Input channels", 1, 2048, key="channels")
        o = a.number_input("Filters", 1, 2048, key="filters")
        k = b.number_input("Kernel size", 1, 15, key="kernel")
        made = convolution_counts(c, o, (k, k), (n, n))
        st.markdown(
            f"{k}·{k}·{c} + 1 = **{made['weights_per_filter']:,}** weights per filter, "
            f"**{made['weights'] + made['biases']:,}** in all  \n"
            f"{n}·{n}·{o} = **{made['neurons']:,}** neurons  \n"
            f"**{made['multiplications_per_position']:,}** multiplications per position, "
            f"**{made['multiplications']:,}** in all"
        )
    with right:
        st.subheader("Bottleneck")
        a, b = st.columns(2)
        wide = a.number_input("Channels in and out", 1, 2048, key="wide")
        narrow = b.number_input("Narrowed to", 1, 1024, key="narrow")
        both = bottleneck_counts(wide, narrow)
        st.markdown(
            f"plain 3x3: {wide}·{wide}·9 = **{both['plain']:,}** multiplications per position  \n"
            f"1x1, 3x3, 1x1: {wide}·{narrow} + {narrow}·{narrow}·9 + {narrow}·{wide} = "
            f"**{both['bottleneck']:,}**  \n**{both['plain'] / both['bottleneck']:.1f}** times "
            "fewer"
        )
    state.write(*fields, *cost_fields)
