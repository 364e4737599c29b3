"""All subsets of the residual blocks of a network as a chart."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap

import plotly.graph_objects as go

from vision_core.figures.colours import INPUT, KERNEL


def by_depth(
    points: Sequence[tuple[int, float]], middle: Sequence[tuple[int, float]], value: str
) -> go.Figure:
    """A value over the number of skipped blocks: a point for each subset, a line of medians.

    Args:
        points: (skipped blocks, value 0 to 1) of every subset.
        middle: (skipped blocks, median), rising.
        value: what the value is, for the axis.
    """
    figure = go.Figure(
        [
            go.Scatter(
                x=[x for x, _ in points],
                y=[y for _, y in points],
                mode="markers",
                name="a subset",
                marker={"color": INPUT, "size": 9, "opacity": 0.9},
                hovertemplate="%{x} skipped: %{y:.3f}<extra></extra>",
            ),
            go.Scatter(
                x=[x for x, _ in middle],
                y=[y for _, y in middle],
                mode="lines",
                name="median",
                line={"color": KERNEL, "width": 3, "dash": "dash"},
                hovertemplate="median: %{y:.3f}<extra></extra>",
            ),
        ]
    )
    figure.update_xaxes(title_text="blocks skipped", dtick=1)
    # Beside the axis there is room for about thirty letters in each of two lines.
    title = "<br>".join(wrap(value, 30, max_lines=2, placeholder=" …"))
    figure.update_yaxes(title_text=title, range=[-0.03, 1.05])
    return figure.update_layout(
        height=320,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
        dragmode=False,
    )
