"""What every kind of comparison ends with: time and size, and the files to take away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

import pandas as pd
import streamlit as st

from pages.compare.sides import Side
from pages.shared import charts, downloads
from vision_core.comparison.column import Column
from vision_core.comparison.report import pairs
from vision_core.comparison.truth import Truth
from vision_core.figures import differences
from vision_core.images import Photo
from vision_core.labels import ALIASES, SAME_THING


def names() -> None:
    """Which class names are treated as the same."""
    with st.expander("Class names that are treated as the same"):
        pairs = sorted({**ALIASES, **SAME_THING}.items())
        st.write(", ".join(f"{name} = {known}" for name, known in pairs) + ".")
        st.caption(
            "Upper and lower case and underscores make no difference. A class that the other model "
            "does not know can only disagree."
        )


def cost(done: Mapping[str, Column]) -> None:
    """Milliseconds of each stage, parameters, multiply-adds and bytes of each model, by letter."""
    found = {f"{letter.upper()}: {c.title}": c for letter, c in done.items()}
    timings = {name: c.stages for name, c in found.items() if c.trace}
    charts.show(differences.stage_times(timings), "stage_times", "Milliseconds of each stage")
    rows = [
        {
            "model": name,
            "milliseconds": sum(timings[name].values()),
            "measured": c.how_timed,
            "parameters (M)": c.card.parameters / 1e6,
            "multiply-adds (G)": (c.multiply_adds or 0) / 1e9,
            "weights (MB)": c.card.bytes / 1e6,
            "network's input": "{} x {}".format(*c.trace.info.network_size) if c.trace else "",
        }
        for name, c in found.items()
    ]
    number = st.column_config.NumberColumn(format="%.2f")
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        width="stretch",
        key="sizes",
        column_config={k: number for k, value in rows[0].items() if isinstance(value, float)},
    )
    st.caption(
        "The first run of a network takes longer and does not count. Times are those of the "
        "network alone, without masks and joints. Multiply-adds are those of one pass over a "
        "photo of 640 x 480 pixels."
    )


def _link() -> str:
    """The address that reopens what is shown."""
    base = str(st.context.url or "").split("?")[0]
    return f"{base}?{urlencode(st.query_params.to_dict())}" if base else ""


def files(
    photo: Photo, sides: Sequence[Side], done: Mapping[str, Column], there: Truth | None = None
) -> None:
    """The comparison as one HTML file, and its numbers as JSON.

    Args:
        photo: the photo.
        sides: all of them.
        done: what those with a result say, by letter.
        there: the ground truth.
    """
    every = [
        done.get(s.letter) or Column(s.card, error=s.error, title=s.name, random=s.random)
        for s in sides
    ]
    link = _link()

    def html() -> bytes:
        from vision_core.comparison.html import report_html

        return report_html(photo, every, pairs(every), link=link, truth=there).encode()

    def numbers() -> bytes:
        from vision_core.comparison.report import record

        return downloads.as_json(record(photo, every, pairs(every), there))

    downloads.buttons(
        photo.name,
        {
            "Comparison (HTML)": ("_comparison.html", html, "text/html"),
            "Numbers (JSON)": ("_comparison.json", numbers, "application/json"),
        },
    )
