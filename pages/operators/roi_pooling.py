"""RoI Pool and RoI Align on one region; corners and anchors on small examples."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.components.player import numbers
from pages.operators import photo_region
from pages.shared import operator_page, state
from pages.shared.operator import Control, Operator
from vision_core.figures.stage import Stage
from vision_core.figures.stage_roi import backward_stage, roi_stage
from vision_core.figures.stage_views import view_of
from vision_core.walkthroughs import Walkthrough, build

SECTIONS = {
    "numbers": "RoI Pool, RoI Align",
    "photo": "On the photo",
    "backward": "Backward",
    "corner": "Corner pooling",
    "pairs": "Corner pairs",
    "anchors": "Anchors",
}
CONTROLS = (
    Control("output_size", "Bins per side", 1, 7),
    Control(
        "sampling_ratio", "Points per side", -1, 4, help="0 or -1: as many as the bin has cells."
    ),
    Control("aligned", "aligned (shift by half a cell)", options=(False, True)),
)
_LEDE = {
    "numbers": "The box falls **between** the feature cells. RoI Pool rounds it to whole cells and "
    "takes maxima, RoI Align keeps it and averages **interpolated points**: drag the blue box "
    "and compare (Girshick 2015; He et al. 2017).",
    "backward": "Where does the gradient of one output land? RoI Pool gives all of it to **one "
    "cell**, RoI Align **shares it out** over the neighbours of its points.",
    "corner": "A corner has no pixels of the object at it. Corner pooling brings the **largest "
    "values** from below and from the right to the place where the top and left edges meet (Law "
    "and Deng 2018).",
    "pairs": "Which two corners belong to one object? Each has an **embedding**, a number: close "
    "numbers make a pair, if the bottom-right corner lies right of and below the other one (Law "
    "and Deng 2018).",
    "anchors": "The same boxes stand at every position of a feature map: one for each **size** and "
    "**ratio** (height / width), all of a size with about the same area (Ren et al. 2015).",
}


def main() -> None:
    """The page: a section, its controls and its player."""
    menu, lede, fields = operator_page.head("RoI pooling", SECTIONS)
    section = st.session_state["section"]
    if section == "photo":
        photo_region.section(menu, lede, fields)
        operator_page.notes(lede)
        return
    operator_page.say(lede, _LEDE[section])
    _SHOWS[section](menu, fields)
    operator_page.notes(lede)


def _take_box(drag: dict[str, Any]) -> None:
    state.put("box", numbers.to_text([round(v, 1) for v in drag["box"]]))


def regions(menu: Any, fields: tuple[state.Field, ...]) -> None:
    """Both operators on numbers."""
    operator = Operator(
        "roi/numbers", "roi_align", CONTROLS, ("input", "box"), photo_region.both, opens=3
    )
    shown = operator.show(menu)
    params = shown.params
    pool, align = shown.walks
    stage = roi_stage(pool, align, params["box"], params["spatial_scale"])
    operator_page.play(operator, shown, stage, fields, ("input",), on_drag=_take_box)
    photo_region.misalignment(pool, align, params["box"], params["spatial_scale"])
    operator_page.files(stage, "roi")


def _both_back(params: dict[str, Any]) -> list[Walkthrough]:
    pool = {k: params[k] for k in ("input", "box", "output_size", "spatial_scale", "grad_output")}
    return [build("roi_pool_backward", **pool), build("roi_align_backward", **params)]


def backward(menu: Any, fields: tuple[state.Field, ...]) -> None:
    """The way back, one output a step."""
    operator = Operator(
        "roi/backward",
        "roi_align_backward",
        CONTROLS[1:],
        ("input", "box", "grad_output"),
        _both_back,
    )
    shown = operator.show(menu)
    pool, align = shown.walks
    stage = backward_stage(pool, align, shown.params["box"], shown.params["spatial_scale"])
    operator_page.play(operator, shown, stage, fields, ("grad_output",), on_drag=_take_box)
    reached = [int((walk.result != 0).sum()) for walk in shown.walks]
    st.markdown(
        f"**{reached[0]}** feature cells get a gradient from RoI Pool, **{reached[1]}** "
        "from RoI Align. Neither has a gradient for the box itself."
    )
    operator_page.files(stage, "roi_backward")


def corner(menu: Any, fields: tuple[state.Field, ...]) -> None:
    """Two running maxima."""
    controls = (Control("corner", "Corner", options=("top_left", "bottom_right")),)
    operator = Operator("roi/corner", "corner_pool", controls, ("input", "input_horizontal"))
    shown = operator.show(menu)
    stage = Stage(tuple(view_of(walk) for walk in shown.walks))
    operator_page.play(operator, shown, stage, fields, ("input", "input_horizontal"))
    st.markdown(f"`{shown.walks[0].formula[0]}`")
    operator_page.files(stage, "corner_pool")


def pairs(menu: Any, fields: tuple[state.Field, ...]) -> None:
    """Corners that belong together."""
    controls = (
        Control("k", "Corners of each kind", 1, 6),
        Control("distance", "Greatest distance of embeddings", 0, 5, 0.1),
    )
    maps = ("top_left", "bottom_right", "embedding_top_left", "embedding_bottom_right")
    operator = Operator("roi/pairs", "corner_pairs", controls, maps)
    shown = operator.show(menu)
    stage = Stage(tuple(view_of(walk) for walk in shown.walks))
    operator_page.play(operator, shown, stage, fields, maps)
    found = shown.walks[0].facts["pairs"]
    boxes = "; ".join(f"{p['box']} with score {p['score']:g}" for p in found)
    st.markdown(f"Boxes x1, y1, x2, y2 in cells: **{boxes or 'none'}**")
    operator_page.files(stage, "corner_pairs")


def anchors(menu: Any, fields: tuple[state.Field, ...]) -> None:
    """All anchors of a grid."""
    controls = (Control("stride", "Stride", 4, 64),)
    given = ("feature_size", "sizes", "aspect_ratios")
    operator = Operator("roi/anchors", "anchors", controls, given)
    shown = operator.show(menu)
    stage = Stage(tuple(view_of(walk) for walk in shown.walks))
    operator_page.play(operator, shown, stage, fields, ())
    st.markdown(f"`{shown.walks[0].formula[0]}`")
    operator_page.files(stage, "anchors")


_SHOWS = {
    "numbers": regions,
    "backward": backward,
    "corner": corner,
    "pairs": pairs,
    "anchors": anchors,
}
