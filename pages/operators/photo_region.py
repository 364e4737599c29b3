"""A region dragged on the photo, pooled both ways from real features."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from pages.components.player import numbers, player
from pages.shared import feature_source, operator_page, shell, state
from pages.shared.operator import keep_step
from vision_core.errors import UserError
from vision_core.figures import jpeg
from vision_core.figures.stage_roi import align_box, photo_stage, roi_stage, snapped_box
from vision_core.walkthroughs import Walkthrough, build

_POOL = ("input", "box", "output_size", "spatial_scale")


def both(params: dict[str, Any]) -> list[Walkthrough]:
    """RoI Pool and RoI Align of the same region.

    Raises:
        UserError: numbers that do not fit, or a box off the picture.
    """
    pool = build("roi_pool", **{name: params[name] for name in _POOL})
    return [pool, build("roi_align", **params)]


def misalignment(pool: Walkthrough, align: Walkthrough, box: Any, scale: float) -> None:
    """By how much each edge is moved, in feature cells and in pixels of the photo."""

    def row(name: str, edges: list[float]) -> tuple[float, str]:
        moved = [edge - value * scale for edge, value in zip(edges, box, strict=True)]
        worst = max(abs(m) for m in moved) / scale
        cells = " | ".join(f"{m + 0.0:+.2f} / {m / scale + 0.0:+.1f}" for m in moved)
        return worst, f"| {name} | {cells} | **{worst:.1f} px** |"

    rows = [row("RoI Pool", snapped_box(pool)), row("RoI Align", align_box(align))]
    st.html(f"<span data-pool='{rows[0][0]:.2f}' data-align='{rows[1][0]:.2f}'></span>")
    st.markdown(
        "Misalignment: how far the edges of the pooled region lie from the box, in feature cells / "
        "in **pixels of the photo**\n\n| | left | top | right | bottom | largest |\n"
        "|---|---|---|---|---|---|\n" + "\n".join(line for _, line in rows)
    )


def _take_box(drag: dict[str, Any]) -> None:
    state.put("roi", numbers.to_text([round(v) for v in drag["box"]]))


def section(menu: Any, lede: Any, outer: tuple[state.Field, ...]) -> None:
    """The photo with its box, the misalignment, and both operators on the real features."""
    operator_page.say(
        lede,
        "Drag the box. The **dashed orange** frame is what **RoI Pool** really reads, the **dashed "
        "green** one what **RoI Align** reads. The deeper the layer, the larger its cells, and the "
        "more rounding moves the edges.",
    )
    found = feature_source.pick()
    if found is None:
        state.write(*outer)
        return
    w, h = found.photo.width, found.photo.height
    start = [round(v) for v in (0.31 * w, 0.22 * h, 0.67 * w, 0.71 * h)]
    fields = (
        state.Field("roi", numbers.to_text(start), numbers.parser(1)),
        state.Field("bins", 2, state.whole(1, 7)),
        state.Field("points", 2, state.whole(-1, 4)),
        state.Field("aligned", True, state.flag, lambda v: str(int(v))),
        state.Field("step", 0, state.whole(0, 10**6)),
    )
    state.use(*fields)
    with st.sidebar:
        left, right = st.columns(2)
        left.number_input("Bins per side", 1, 7, key="bins")
        right.number_input("Points per side", -1, 4, key="points")
        st.toggle("aligned (shift by half a cell)", key="aligned")
    (pool, align), box, error = _valid(found, start)
    if error:
        st.sidebar.warning(error, icon=":material/rule:")
    picture = jpeg(found.photo, 640)
    still = photo_stage(pool, align, box, found.scale, picture, (w, h))
    stage = roi_stage(pool, align, box, found.scale, decimals=1)
    photo, words, features = _places()
    with photo:
        player(still, key="roi_photo", above=300, stem="roi_photo", on_drag=_take_box)
    with words:
        st.markdown(
            f"Features: **{found.card.title}**, layer `{found.layer}`, channel {found.channel}, "
            f"{found.values.shape[1]} x {found.values.shape[0]} cells; one cell covers "
            f"**{1 / found.scale:.1f} pixels** of the {w} x {h} photo."
        )
        misalignment(pool, align, box, found.scale)
    with features:
        player(
            stage,
            key="roi_features",
            step=min(st.session_state["step"], len(stage.timeline) - 1),
            above=260,
            stem="roi",
            on_step=keep_step,
            on_drag=_take_box,
        )
    operator_page.files(stage, "roi")
    state.write(*outer, *found.fields, *fields)


def _places() -> tuple[Any, Any, Any]:
    """Where photo, words and features stand; before a lecture hall all in one screen."""
    left, right = st.columns([1, 1], gap="medium")
    if shell.presenting():
        return left.container(), left.container(), right.container()
    return left, right, st.container()


def _valid(
    found: feature_source.Features, start: list[int]
) -> tuple[list[Walkthrough], list[float], str | None]:
    """The walkthroughs of the box that was dragged, else of the last one that works."""
    values = np.round(found.values.astype(float), 3)
    settings = {
        "input": values,
        "output_size": int(st.session_state["bins"]),
        "spatial_scale": found.scale,
        "sampling_ratio": int(st.session_state["points"]),
        "aligned": bool(st.session_state["aligned"]),
    }
    box: list[float] = list(numbers.to_array(st.session_state["roi"], 1))
    try:
        walks = both({**settings, "box": box})
        st.session_state["_roi_valid"] = (found.photo.sha256, box)
        return walks, box, None
    except UserError as mistake:
        kept = st.session_state.get("_roi_valid", ("", start))
        box = [float(v) for v in (kept[1] if kept[0] == found.photo.sha256 else start)]
        return both({**settings, "box": box}), box, str(mistake)
