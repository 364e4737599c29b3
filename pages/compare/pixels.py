"""Segmenters beside each other: class maps, where they disagree, and who takes what for what."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st

from pages.compare import columns, common, saliency
from pages.compare.sides import Side, pair_field, pick_pair
from pages.components import canvas, wipe
from pages.shared import charts, results, scene, shell, state, thresholds
from pages.shared.guard import guarded
from pages.shared.state import Field
from vision_core import figures
from vision_core.comparison.column import Column
from vision_core.comparison.maps import MapComparison, compare_maps
from vision_core.figures import differences
from vision_core.images import Photo
from vision_core.inference import SegmentationTrace
from vision_core.labels import comparable

_LISTED = 30
_TABS = ("Disagreement", "Confusion", "IoU per class", "Wipe", "Attribution", "Time and size")
CELL = Field("cell", "")  # "name by a|name by b": the disagreement that is shown alone


@st.fragment
def show(photo: Photo, sides: Sequence[Side], outer: tuple[Field, ...]) -> None:
    """The columns, and what differs between two of them.

    Args:
        photo: the photo.
        sides: two to four, some of which may have failed.
        outer: the fields of the pickers, which share the address bar with the panel's.
    """
    with guarded("comparing the class maps"):
        alive = [s for s in sides if isinstance(s.trace, SegmentationTrace)]
        if not alive:
            columns.errors_only(sides)
            return
        used = [thresholds.OPACITY, CELL, *([pair_field(alive)] if len(alive) > 1 else [])]
        state.use(*used)
        with st.sidebar:
            st.slider("Opacity", 0.0, 1.0, step=0.05, key="opacity")
        done = columns.plain(alive)
        _pictures(photo, sides, done)
        titles = _TABS if len(alive) > 1 else _TABS[-2:]
        two = pick_pair(alive) if len(alive) > 1 else None
        state.write(*outer, *used)
        tabs = st.tabs(list(titles), key="compare_tabs", on_change="rerun")
        for title, tab in zip(titles, tabs, strict=True):
            if tab.open:
                with tab:
                    _tab(title, photo, alive, done, two)
        common.files(photo, sides, done)


def _pictures(photo: Photo, sides: Sequence[Side], done: dict[str, Column]) -> None:
    opacity = float(st.session_state["opacity"])
    for place, side in zip(columns.places(len(sides)), sides, strict=True):
        with place:
            columns.head(side)
            if side.letter not in done:
                columns.say_error(side)
                continue
            trace = _trace(side)
            canvas.picture(
                photo,
                _scene(photo, trace, opacity),
                key=f"column_{side.letter}",
                present=shell.presenting(),
                on_stage=columns.on_stage(len(sides)),
                tallest="calc(100vh - 20rem)",
            )
            results.legend(figures.legend(trace)[:8], inline=True)
            columns.cost(done[side.letter])


def _scene(photo: Photo, trace: SegmentationTrace, opacity: float) -> canvas.Scene:
    drawn = scene.class_map(photo, trace, opacity, None)
    words = drawn.description.split(". Click")[0] + "."
    return canvas.Scene(overlay=drawn.overlay, description=words, zoom=True, group="compare")


def _trace(side: Side) -> SegmentationTrace:
    assert isinstance(side.trace, SegmentationTrace)
    return side.trace


def _tab(
    title: str,
    photo: Photo,
    alive: Sequence[Side],
    done: dict[str, Column],
    two: tuple[Side, Side] | None,
) -> None:
    if title == "Time and size":
        common.cost(done)
    elif title == "Attribution":
        saliency.show(photo, alive)
    elif two is not None and title == "Wipe":
        opacity = float(st.session_state["opacity"])
        left, right = (
            figures.draw_class_map(photo, _trace(s), opacity=opacity, with_legend=False)
            for s in two
        )
        wipe.show(
            left,
            right,
            (two[0].title, two[1].title),
            key="wipe",
        )
    elif two is not None:
        made = compare_maps(_trace(two[0]), _trace(two[1]))
        {"Disagreement": _disagreement, "Confusion": _confusion, "IoU per class": _iou}[title](
            photo, two, made
        )


def _disagreement(photo: Photo, two: tuple[Side, Side], made: MapComparison) -> None:
    """Where the two disagree, most frequent mistakes first; a chosen row is shown alone."""
    a, b = two
    pairs = _cells(made)
    cell = str(st.session_state["cell"])
    chosen = next((i for i, (x, y, _) in enumerate(pairs) if f"{x}|{y}" == cell), None)
    mask = made.disagree if chosen is None else _where(two, pairs[chosen][:2])
    left, right = st.columns(2, gap="medium")
    with left:
        name = f"{a.letter}{b.letter}-{cell if chosen is not None else ''}"
        drawn = canvas.Scene(
            overlay=canvas.Overlay(
                f"differs-{_trace(a).info.id}-{_trace(b).info.id}-{name}",
                lambda: figures.png(differences.marked(mask)),
            ),
            description=f"{photo.name}: {mask.mean():.1%} of the pixels are marked.",
            zoom=True,
            group="compare",
        )
        canvas.picture(photo, drawn, key="disagreement", tallest="60vh")
    with right:
        st.metric("Pixels with the same class", f"{1 - made.disagree.mean():.1%}")
        if not pairs:
            return
        total = made.table.sum()

        def picked() -> None:
            rows = list(st.session_state["cells"]["selection"]["rows"])
            here = pairs[rows[0]] if rows and rows[0] < len(pairs) else None
            state.put("cell", f"{here[0]}|{here[1]}" if here else "")

        frame = pd.DataFrame(
            [
                {
                    f"{a.letter.upper()} says": x,
                    f"{b.letter.upper()} says": y,
                    "share": 100 * n / total,
                }
                for x, y, n in pairs
            ]
        )
        st.dataframe(
            frame,
            hide_index=True,
            width="stretch",
            key="cells",
            on_select=picked,
            selection_mode="single-row",
            height=min(40 + 35 * len(frame), 300),
            column_config={
                "share": st.column_config.NumberColumn("of all pixels", format="%.2f %%")
            },
        )
        st.caption(
            "Choose a row to see its pixels alone."
            if chosen is None
            else f"Shown: {pairs[chosen][0]} by {a.letter.upper()}, {pairs[chosen][1]} by "
            f"{b.letter.upper()}."
        )
        _alone(two, made)


def _cells(made: MapComparison) -> list[tuple[str, str, int]]:
    """The disagreements: (name by a, name by b, pixels), most pixels first."""
    found = [
        (x, y, int(made.table[i, j]))
        for i, x in enumerate(made.labels)
        for j, y in enumerate(made.labels)
        if i != j and made.table[i, j]
    ]
    return sorted(found, key=lambda cell: -cell[2])[:_LISTED]


def _where(two: tuple[Side, Side], names: tuple[str, str]) -> np.ndarray:
    masks = []
    for side, name in zip(two, names, strict=True):
        trace = _trace(side)
        ids = [i for i, label in enumerate(trace.info.labels) if comparable(label) == name]
        masks.append(np.isin(trace.class_map, ids))
    return masks[0] & masks[1]


def _confusion(photo: Photo, two: tuple[Side, Side], made: MapComparison) -> None:
    chart = differences.confusion(made.labels, made.table, two[0].title, two[1].title)
    what = f"Of the pixels of each class by {two[0].title}, the shares by {two[1].title}"
    charts.show(chart, "confusion", what)
    st.caption(
        "Every row adds up to 1: of the pixels that the one gives a class, the share that "
        "the other gives each class. Names are compared with their aliases merged "
        "(aeroplane is airplane, pedestrian is compared as person)."
    )


def _iou(photo: Photo, two: tuple[Side, Side], made: MapComparison) -> None:
    if made.iou:
        pairs = sorted(made.iou.items(), key=lambda p: -p[1])
        results.bars("iou_bars", pairs, what="IoU of the two maps for each class")
    else:
        st.info("The two share no class that occurs here.", icon=":material/join_inner:")
    _alone(two, made)


def _alone(two: tuple[Side, Side], made: MapComparison) -> None:
    """What has no partner on the other side, and so can only disagree."""
    for side, key in zip(two, ("a", "b"), strict=True):
        if made.alone[key]:
            st.caption(f"Only {side.title} knows: {', '.join(made.alone[key])}.")
    common.names()
