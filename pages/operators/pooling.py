"""Pooling and unpooling: windows, switches, gradients, and what a shift by one changes."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from pages.components.player import player
from pages.operators import feature_pooling, lab_sections
from pages.shared import operator_page, state
from pages.shared.operator import Control, Operator
from vision_core.figures.stage import Drawn, Stage, View, grid
from vision_core.figures.stage_views import view_of
from vision_core.walkthroughs import Walkthrough, build
from vision_core.walkthroughs.presets import SOBEL

SECTIONS = {
    "pool": "Pooling",
    "backward": "Backward",
    "shift": "Shift by one",
    "unpool": "Unpooling",
    "channels": "Across channels",
    "real": "On the photo",
}
_WINDOW = (
    Control("kernel_size", "Window", 1, 5),
    Control("stride", "Stride", 1, 5),
    Control("padding", "Padding", 0, 3),
)
_LEDE = {
    "pool": "Each window gives its **maximum**, or its average. The green frame on the input is "
    "the **switch**: where the maximum stood, which unpooling and the gradient need later.",
    "backward": "Every output's gradient goes to its **switch**; all other cells of the window "
    "get 0, for a small change of theirs would not change the maximum.",
    "shift": "Shift the input by one column: the convolution's map shifts along "
    "(**equivariance**), the pooled map changes less (**invariance** to small shifts). Orange "
    "frames mark what differs.",
    "unpool": "Three ways back up from the same small map: **nearest neighbour**, **bed of "
    "nails**, and **max unpooling** with the switches of an earlier pooling.",
}
_UNPOOLS = ("nearest_unpool", "bed_of_nails", "max_unpool")


def main() -> None:
    """The page: a section, its controls and its player."""
    menu, lede, fields = operator_page.head("Pooling and unpooling", SECTIONS)
    section = st.session_state["section"]
    if section == "real":
        feature_pooling.section(lede, fields)
        operator_page.notes(lede)
        return
    if section == "channels":
        lab_sections.channels(menu, lede, fields)
        operator_page.notes(lede)
        return
    operator_page.say(lede, _LEDE[section])
    {"pool": pool, "backward": backward, "shift": shift, "unpool": unpool}[section](menu, fields)
    operator_page.notes(lede)


def pool(menu: Any, fields: tuple[state.Field, ...]) -> None:
    """Maximum and average beside each other."""

    def make(params: dict[str, Any]) -> list[Walkthrough]:
        shared = {k: v for k, v in params.items() if k != "dilation"}
        return [build("max_pool", **params), build("avg_pool", **shared)]

    controls = (*_WINDOW, Control("ceil_mode", "Round sizes up (ceil_mode)", options=(False, True)))
    operator = Operator(
        "pooling/pool", "max_pool", controls, ("input",), make, sizes=(("input", "Input"),)
    )
    shown = operator.show(menu)
    titles = ("Maximum", "Average")
    stage = Stage(tuple(view_of(w, t) for w, t in zip(shown.walks, titles, strict=True)))
    operator_page.play(operator, shown, stage, fields, ("input",))
    operator_page.explain(shown)
    st.markdown(f"Switches, as PyTorch counts them: `{shown.walks[0].facts['switches']}`")
    operator_page.files(stage, "pooling")


def backward(menu: Any, fields: tuple[state.Field, ...]) -> None:
    """The gradient through max pooling."""
    operator = Operator("pooling/backward", "max_pool_backward", _WINDOW, ("input", "grad_output"))
    shown = operator.show(menu)
    stage = Stage(tuple(view_of(walk) for walk in shown.walks))
    operator_page.play(operator, shown, stage, fields, ("input", "grad_output"))
    operator_page.files(stage, "max_pool_backward")


def unpool(menu: Any, fields: tuple[state.Field, ...]) -> None:
    """Three ways up, played at once: max unpooling has one step more, which sets all to 0."""

    def make(params: dict[str, Any]) -> list[Walkthrough]:
        small = params["input"]
        return [build(name, input=small) for name in _UNPOOLS[:2]] + [build(_UNPOOLS[2], **params)]

    operator = Operator("pooling/unpool", "max_unpool", (), ("input", "indices"), make)
    shown = operator.show(menu)
    titles = ("Nearest neighbour", "Bed of nails", "Max unpooling")
    views = tuple(view_of(w, t) for w, t in zip(shown.walks, titles, strict=True))
    steps = len(shown.walks[2].steps)
    stage = Stage(views, tuple((max(k - 1, 0), max(k - 1, 0), k) for k in range(steps)))
    operator_page.play(operator, shown, stage, fields, ("input", "indices"))
    operator_page.files(stage, "unpooling")


def shift(menu: Any, fields: tuple[state.Field, ...]) -> None:
    """Input, map and pooled map, before and after a shift."""
    by = state.Field("by", 1, state.whole(0, 4))
    state.use(by)
    st.sidebar.slider("Shift to the right by", 0, 4, key="by")
    moved = int(st.session_state["by"])
    picture = np.zeros((6, 8))
    picture[1:5, 1:4] = [[3, 5, 4], [4, 9, 6], [5, 8, 7], [2, 6, 3]]
    made = [_chain(np.roll(picture, n, axis=1)) for n in (0, moved)]
    different = [a.result != b.result for a, b in zip(*made, strict=True)]
    titles = ("as it was", f"shifted by {moved}")
    for index, (chain, title) in enumerate(zip(made, titles, strict=True)):
        views = _chain_views(chain, title, different if index else None)
        stage = Stage(tuple(views), (tuple(len(view.walk.steps) - 1 for view in views),))
        player(stage, key=f"shift_{index}", above=500, stem=f"shift_{index}")
    same = [int((~d).sum()) for d in different]
    follows = bool(np.array_equal(np.roll(made[0][0].result, moved, 1), made[1][0].result))
    st.markdown(
        f"Map of the convolution: {same[0]} of {different[0].size} cells unchanged; shifted along "
        f"exactly: **{'yes' if follows else 'yes, but not at the border'}**. Pooled map: "
        f"**{same[1]} of {different[1].size}** cells unchanged."
    )
    state.write(*fields, by)


def _chain(picture: np.ndarray) -> tuple[Walkthrough, Walkthrough]:
    """Sobel's filter for vertical edges, then the maximum of 2x2 blocks."""
    edges = build("convolution", input=picture, weight=SOBEL, padding=1)
    return edges, build("max_pool", input=np.abs(edges.result), kernel_size=2)


def _chain_views(
    chain: tuple[Walkthrough, Walkthrough], title: str, different: list[np.ndarray] | None
) -> list[View]:
    views = []
    for index, (walk, name) in enumerate(zip(chain, ("edges", "largest of 2x2"), strict=True)):
        marks = (
            []
            if different is None
            else [
                Drawn("rect", (float(c), float(r), c + 1.0, r + 1.0), "kernel")
                for r, c in np.argwhere(different[index])
            ]
        )
        blocks = [grid(walk, "output", name).with_marks("output", marks)]
        if index == 0:
            blocks.insert(0, grid(walk, "input", f"input {title}"))
        views.append(View("", walk, tuple(blocks)))
    return views
