"""Classifiers beside each other: the same bars, by class name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd
import streamlit as st

from pages.compare import columns, common, saliency
from pages.compare.sides import Side
from pages.components import canvas
from pages.shared import charts, scene, shell, state
from pages.shared.guard import guarded
from pages.shared.state import Field
from vision_core.comparison.column import Column
from vision_core.figures import differences
from vision_core.images import Photo
from vision_core.inference import ClassificationTrace
from vision_core.labels import comparable

TOP = Field("top", 5, state.whole(1, 20))
_TABS = ("Classes", "Numbers", "Attribution", "Time and size")


@st.fragment
def show(photo: Photo, sides: Sequence[Side], outer: tuple[Field, ...]) -> None:
    """The columns, and the bars of all models together.

    Args:
        photo: the photo.
        sides: two to four, some of which may have failed.
        outer: the fields of the pickers, which share the address bar with the panel's.
    """
    with guarded("comparing the classes"):
        alive = [s for s in sides if isinstance(s.trace, ClassificationTrace)]
        if not alive:
            columns.errors_only(sides)
            return
        state.use(TOP)
        with st.sidebar:
            st.slider("Best classes of each", 1, 20, key="top")
        done = columns.plain(alive)
        _pictures(photo, sides, done)
        state.write(*outer, TOP)
        for title, tab in zip(
            _TABS, st.tabs(list(_TABS), key="compare_tabs", on_change="rerun"), strict=True
        ):
            if not tab.open:
                continue
            with tab:
                if title == "Time and size":
                    common.cost(done)
                elif title == "Attribution":
                    saliency.show(photo, alive)
                else:
                    _classes(alive, as_table=title == "Numbers")
        common.files(photo, sides, done)


def _pictures(photo: Photo, sides: Sequence[Side], done: dict[str, Column]) -> None:
    for place, side in zip(columns.places(len(sides)), sides, strict=True):
        with place:
            columns.head(side)
            if side.letter not in done:
                columns.say_error(side)
                continue
            trace = _trace(side)
            drawn = replace(scene.seen(photo, trace), group="compare")
            canvas.picture(
                photo,
                drawn,
                key=f"column_{side.letter}",
                present=shell.presenting(),
                on_stage=columns.on_stage(len(sides)),
                tallest="calc(100vh - 22rem)",
            )
            st.markdown(trace.sentence)
            columns.cost(done[side.letter])


def _trace(side: Side) -> ClassificationTrace:
    assert isinstance(side.trace, ClassificationTrace)
    return side.trace


def _classes(alive: Sequence[Side], as_table: bool) -> None:
    """Every class that is among the best of any model, in all of them."""
    top = int(st.session_state["top"])
    by_name = {s.title: {comparable(n): p for n, p in _trace(s).top(10**6)} for s in alive}
    best = {comparable(n) for s in alive for n, _ in _trace(s).top(top)}
    order = sorted(best, key=lambda n: -max(shares.get(n, 0.0) for shares in by_name.values()))
    if as_table:
        frame = pd.DataFrame({t: [v.get(n) for n in order] for t, v in by_name.items()}, order)
        st.dataframe(
            frame.style.format("{:.4f}", na_rep="not known"), width="stretch", key="class_numbers"
        )
        return
    values = {title: [shares.get(n) for n in order] for title, shares in by_name.items()}
    charts.show(
        differences.grouped_bars(order, values), "class_bars", "Probability of each class by model"
    )
    st.caption(
        "The best classes of each model, by name; a model that does not know a class says "
        "so. Probabilities of models with different lists of classes are not alike: a "
        "longer list shares the same 1 among more."
    )
    common.names()
