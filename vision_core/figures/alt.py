"""What a Plotly figure shows, in words, for readers who do not see it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

_LISTED = 12  # values in one sentence; more of them are told by their ends and their greatest


def in_words(figure: go.Figure, what: str) -> str:
    """The result that a figure shows, as sentences.

    Args:
        figure: bars, lines, a heat map, or pictures with titles.
        what: what it is, without a full stop.

    Returns:
        ``what``, then the values of each trace, then the titles of its pictures.
    """
    told = [f"{what}."]
    for trace in figure.data:
        words = _TELLS[trace.type](trace) if trace.type in _TELLS else ""
        if words:
            told.append(f"{trace.name}: {words}." if trace.name else f"{words}.")
    titles = [_bare(note.text) for note in figure.layout.annotations if note.text]
    if titles:
        told.append(f"{'; '.join(titles)}.")
    return " ".join(told)


def _bars(bar: Any) -> str:
    lying = bar.orientation == "h"
    names, values = (bar.y, bar.x) if lying else (bar.x, bar.y)
    texts = [_number(v) for v in values] if bar.text is None else list(bar.text)
    if len(texts) <= _LISTED:
        return ", ".join(f"{_name(n)} {t}" for n, t in zip(names, texts, strict=True))
    top = int(np.nanargmax(np.asarray(values, float)))
    return f"{len(texts)} bars, the largest {_number(values[top])} at {_name(names[top])}"


def _line(line: Any) -> str:
    """A curve by its ends and its highest point; points that nobody sees say nothing."""
    if line.marker.opacity == 0 or line.x is None or not len(line.x):
        return ""
    pairs = [(x, y) for x, y in zip(line.x, line.y, strict=True) if y is not None and y == y]
    if not pairs:
        return ""
    (x0, y0), (x1, y1) = pairs[0], pairs[-1]
    if len(pairs) == 1:
        return f"{_number(y0)} at {_number(x0)}"
    x, y = max(pairs, key=lambda pair: pair[1])
    return (
        f"from {_number(y0)} at {_number(x0)} to {_number(y1)} at {_number(x1)}, "
        f"highest {_number(y)} at {_number(x)}"
    )


def _table(table: Any) -> str:
    """The greatest cell of each row of a heat map."""
    cells = np.nan_to_num(np.asarray(table.z, float))
    found = []
    for name, row in list(zip(table.y, cells, strict=True))[:_LISTED]:
        at = int(row.argmax())
        found.append(f"{_name(name)}: mostly {_name(table.x[at])} ({_number(row[at])})")
    return ", ".join(found)


_TELLS = {"bar": _bars, "scatter": _line, "heatmap": _table}


def pictures(words: Sequence[str], what: str) -> str:
    """What a sheet of small pictures shows: how many there are, and what the first ones are."""
    first = "; ".join(words[:4])
    return f"{len(words)} {what}: {first}{' …' if len(words) > 4 else ''}"


def _bare(text: str) -> str:
    return re.sub(r"<[^>]+>", "", text.replace("<br>", ", ")).strip()


def _name(value: Any) -> str:
    return _number(value) if isinstance(value, int | float | np.number) else str(value).strip("▸ ")


def _number(value: Any) -> str:
    return f"{float(value):.3g}"
