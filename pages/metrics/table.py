"""True boxes and detections as tables that can be edited, and as text in the address bar."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st

from pages.shared import state
from pages.shared.plain import short
from pages.shared.state import Field

MOST = 40
"""Rows of a table; the address holds them all."""
COLUMNS = {"true_rows": ("x", "y", "w", "h"), "found_rows": ("score", "x", "y", "w", "h")}
_HELP = {"x": "left edge", "y": "upper edge", "w": "width", "h": "height", "score": "from 0 to 1"}

Rows = dict[str, list[list[float]]]


def to_text(rows: Rows) -> str:
    """``photo:x,y,w,h;...``; what would part the rows is taken out of a photo's name."""
    return ";".join(
        f"{_name(photo)}:" + ",".join(f"{v:g}" for v in row)
        for photo, some in rows.items()
        for row in some
    )


def to_rows(text: str, width: int) -> Rows:
    """The rows that a text stands for, by photo.

    Raises:
        ValueError: it is no such text, or the numbers cannot be.
    """
    found: Rows = {}
    parts = [part for part in text.split(";") if part]
    if len(parts) > MOST:
        raise ValueError(f"at most {MOST} rows")
    for part in parts:
        photo, _, numbers = part.rpartition(":")
        row = [float(v) for v in numbers.split(",")]
        if not photo or len(row) != width or not _can_be(row):
            raise ValueError("rows as photo:numbers;..., sides and scores from 0 on")
        found.setdefault(photo, []).append(row)
    return found


def _can_be(row: list[float]) -> bool:
    score = row[0] if len(row) == 5 else 0.0
    return all(abs(v) <= 1e5 for v in row) and min(row[-2:]) >= 0 and 0 <= score <= 1


def _name(photo: Any) -> str:
    return short(str(photo), 24).replace(":", " ").replace(";", " ").strip() or "photo"


def fields(truth: Rows, found: Rows) -> tuple[Field, ...]:
    """The two tables in the address bar; they open with the numbers of an example."""

    def field(name: str, rows: Rows) -> Field:
        def parse(text: str) -> str:
            return to_text(to_rows(text, len(COLUMNS[name])))

        return Field(name, to_text(rows), parse)

    return field("true_rows", truth), field("found_rows", found)


@dataclass
class Base:
    """What an editor started from; its edits are the widget's own until it leaves the page.

    Attributes:
        text: in the address, after the last edit.
        key: of the widget.
        frame: without the edits.
        run: the last run of the page that drew it; Streamlit forgets the edits after one without.
    """

    text: str
    key: str
    frame: pd.DataFrame
    run: int = 0


def count_run() -> None:
    """Count the runs of the page, at the end of each: one that is cut short does not count."""
    st.session_state["_metrics_run"] = st.session_state.get("_metrics_run", 0) + 1


def base(name: str, make: Callable[[], pd.DataFrame]) -> Base:
    """The table that an editor starts from: made anew where its text came from elsewhere.

    Args:
        name: of the field that holds the table as text.
        make: the table of that text.
    """
    text = str(st.session_state[name])
    held: Base | None = st.session_state.get(f"_{name}")
    run = int(st.session_state.get("_metrics_run", 0))
    if held is None or held.text != text or held.run < run - 1:
        number = st.session_state["_editors"] = st.session_state.get("_editors", 0) + 1
        held = Base(text, f"{name}_{number}", make())
        st.session_state[f"_{name}"] = held
    held.run = run
    return held


def keep(name: str, held: Base, text: str) -> None:
    """Take up an editor's table, as text, into its field."""
    held.text = text
    if text != st.session_state[name]:
        state.put(name, text)


def edit(name: str, title: str) -> Rows:
    """Draw a table and take up what was changed in it.

    Args:
        name: ``true_rows`` or ``found_rows``.
        title: above it.
    """
    columns = COLUMNS[name]
    text = str(st.session_state[name])
    held = base(name, lambda: _frame(to_rows(text, len(columns)), columns))
    st.caption(title)
    edited = st.data_editor(
        held.frame,
        key=held.key,
        num_rows="dynamic",
        hide_index=True,
        width="stretch",
        height=260,
        column_config={
            "photo": st.column_config.TextColumn(default="photo", width="small"),
            **{
                column: st.column_config.NumberColumn(
                    help=_HELP[column],
                    min_value=0.0 if column in "score w h" else None,
                    max_value=1.0 if column == "score" else None,
                    format="%g",
                    width="small",
                )
                for column in columns
            },
        },
    )
    rows, left_out = _taken(edited, columns)
    if left_out:
        st.caption(f"Rows that are not whole are left out: {left_out}.")
    keep(name, held, to_text(rows))
    return rows


def _frame(rows: Rows, columns: tuple[str, ...]) -> pd.DataFrame:
    found = [[photo, *row] for photo, some in rows.items() for row in some]
    frame = pd.DataFrame(found, columns=["photo", *columns])
    return frame.astype({"photo": str, **dict.fromkeys(columns, float)})


def _taken(frame: pd.DataFrame, columns: tuple[str, ...]) -> tuple[Rows, int]:
    """The rows that are whole, at most ``MOST``, and how many are not."""
    rows: Rows = {}
    taken = 0
    for photo, *values in frame[["photo", *columns]].itertuples(index=False):
        row = [float(v) if pd.notna(v) else float("nan") for v in values]
        if taken == MOST or pd.isna(photo) or not _can_be(row) or any(v != v for v in row):
            continue
        rows.setdefault(_name(photo), []).append(row)
        taken += 1
    return rows, len(frame) - taken
