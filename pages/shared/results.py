"""The numbers beside and below the picture: table, class scores, funnel, timing."""

from __future__ import annotations

import html
from collections.abc import Sequence
from functools import lru_cache

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from pages import navigation
from pages.shared import charts, state
from pages.shared.plain import plain
from vision_core import figures
from vision_core.attribution.words import product_of
from vision_core.figures.colours import text_on
from vision_core.figures.segmentation import LegendEntry
from vision_core.inference import ClassificationTrace, DetectionTrace, SegmentationTrace
from vision_core.records import Selection


def selected(selection: Selection) -> int:
    """The candidate that is selected and shown, -1 for none."""
    chosen = int(st.session_state.get("box", -1))
    return chosen if chosen in selection.detections.candidate else -1


def table(selection: Selection, chosen: int) -> None:
    """The kept detections; selecting a row selects its box on the picture."""
    found = selection.detections
    if not len(found):
        return
    boxes = found.boxes
    frame = pd.DataFrame(
        {
            "class": found.labels,
            "score": found.scores,
            "area": (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]),
            "box": [" ".join(f"{v:.0f}" for v in box) for box in boxes],
        }
    )
    candidates = found.candidate.tolist()
    st.session_state["_rows"] = candidates
    rows = [candidates.index(chosen)] if chosen in candidates else []
    held = st.session_state.get("table")
    if held is not None and list(held["selection"]["rows"]) != rows:
        st.session_state["table"] = {"selection": {"rows": rows}}
    elif held is None and rows:
        st.session_state["table"] = {"selection": {"rows": rows}}
    st.dataframe(
        frame,
        key="table",
        on_select=_row_selected,
        selection_mode="single-row",
        hide_index=True,
        width="stretch",
        row_height=34,
        height=min(36 + 34 * len(frame) + 3, 280),
        column_config={
            "score": st.column_config.NumberColumn(format="%.3f", width=64),
            "box": st.column_config.TextColumn("x1 y1 x2 y2"),
            "area": st.column_config.NumberColumn("px²", format="%.0f", width=68),
        },
    )


def _row_selected() -> None:
    rows = list(st.session_state["table"]["selection"]["rows"])
    candidates = st.session_state.get("_rows", [])
    state.put("box", candidates[rows[0]] if rows and rows[0] < len(candidates) else -1)


def distribution(trace: DetectionTrace, candidate: int) -> None:
    """The probabilities of all classes of the selected box, and how its score comes from them."""
    st.markdown(f"**Class probabilities of the selected {plain(trace.label(candidate))}**")
    if product := product_of(trace, candidate):
        st.caption(product)
    bars("distribution", trace.distribution(candidate), chosen=trace.label(candidate))
    address = state.link(target=f"candidate:{candidate}")
    navigation.link("attribution", "Explain this box", "network_intelligence", address)


def bars(
    key: str,
    pairs: Sequence[tuple[str, float]],
    chosen: str | None = None,
    what: str = "Scores of the classes, best first",
) -> None:
    """Class scores as bars."""
    figure = figures.class_distribution(pairs, chosen=chosen)
    charts.show(figure, key, what)


def spent(selection: Selection, passes: int, spent_ms: float) -> None:
    """What the last move of a control cost.

    Args:
        selection: what came of it.
        passes: how often the network has run for this photo.
        spent_ms: how long the selection took, milliseconds.
    """
    st.html(
        f"<div class='quiet' style='white-space: normal' data-passes='{passes}'>"
        f"{len(selection.trace):,} candidates selected in {spent_ms:.1f} ms; "
        f"network passes for this photo: {passes}</div>"
    )


def legend(entries: Sequence[LegendEntry], inline: bool = False) -> None:
    """Classes of a class map with their shares of the pixels, below or beside each other."""
    lines = [f"<div>{_chip(e.label, e.colour, e.label)} {e.share:.1%}</div>" for e in entries]
    look = "legend inline" if inline else "legend"
    st.html(f"<div class='{look}'>" + "".join(lines) + "</div>")


def _chip(text: str, colour: str, name: str) -> str:
    ink = text_on(colour)
    return (
        f"<span data-name='{html.escape(name, quote=True)}' style='background:{colour};"
        f"color:{ink};border-radius:.4em;padding:.05em .45em;white-space:nowrap;"
        f"line-height:1.75'>{html.escape(text)}</span>"
    )


def timing(trace: DetectionTrace | SegmentationTrace | ClassificationTrace, passes: int) -> None:
    """Milliseconds of each stage, and how often the network has run."""
    width, height = trace.info.network_size
    charts.show(
        _bars_of(tuple(trace.info.timing_ms.items())),
        "timing",
        "Milliseconds of each stage",
    )
    st.caption(
        f"{trace.info.model} on {trace.info.device}; the network saw {width} x {height} "
        f"pixels and has run {passes} time{'' if passes == 1 else 's'} for this photo. "
        "Moving a slider does not run it again."
    )


@lru_cache(maxsize=128)
def _bars_of(milliseconds: tuple[tuple[str, float], ...]) -> go.Figure:
    """The chart, made once for all who look at the same trace."""
    return figures.timing(dict(milliseconds))
