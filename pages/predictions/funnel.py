"""The funnel as rows that are filters: each shows the boxes behind its stage on the picture."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from pages.shared import charts, state
from pages.shared.state import Field
from vision_core import figures
from vision_core.figures.charts import stage_words
from vision_core.records import Cut, Selection
from vision_core.selection.funnel import Behind, behind, stages

MOST = 1000
"""Boxes that are drawn at the most: the best of a stage."""
_NOTHING = "detections"  # the detections alone, as always


def use(selection: Selection) -> None:
    """Prepare the state: the stage whose boxes are shown."""
    state.use(field(selection))


def field(selection: Selection) -> Field:
    """The chosen stage, as it stands in the address."""
    return Field("stage", _NOTHING, state.one_of([_NOTHING, *stages(selection)]))


def chosen(selection: Selection) -> Behind | None:
    """The boxes behind the chosen stage, if one is chosen."""
    name = st.session_state["stage"]
    return None if name == _NOTHING else behind(selection, name)


def crowd(found: Behind | None) -> np.ndarray | None:
    """Those of the boxes that are drawn."""
    return None if found is None else found.boxes[:MOST]


def show(selection: Selection, found: Behind | None) -> None:
    """Rows to choose from, each with its count and what its stage does."""
    named = stages(selection)
    if found is not None:
        st.caption(_said(found))
    st.radio(
        "Show the boxes that remain after",
        [_NOTHING, *named],
        key="stage",
        format_func=lambda name: "detections only" if name == _NOTHING else stage_words(name),
        captions=["", *(f"**{s.count:,}** {s.text}" for s in named.values())],
    )
    drawn = _chart(tuple(named.values()))
    charts.show(drawn, "funnel", "How many boxes are left after each stage")


@lru_cache(maxsize=256)
def _chart(left: tuple[Cut, ...]) -> go.Figure:
    """The chart, made once for all who see the same counts."""
    return figures.funnel(left)


def _said(found: Behind) -> str:
    total = len(found.boxes)
    if total > MOST:
        drawn = f"The picture shows the {MOST:,} boxes with the best scores of {total:,}."
    else:
        drawn = f"The picture shows {total:,} boxes."
    return f"{drawn} {found.note}".strip()
