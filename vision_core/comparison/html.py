"""A comparison as one HTML file that needs no network, no script and no other file.

The texts of users (file names, class names of a COCO file) pass through Jinja's autoescaping, and a
content security policy in the file forbids every load but pictures that the file itself holds.
"""

from __future__ import annotations

import functools
import math
import string
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from vision_core.comparison import html_models, html_pairs, pictures
from vision_core.comparison.column import Column
from vision_core.comparison.report import judged, truth_curve, versions
from vision_core.comparison.truth import Truth, judge
from vision_core.figures.colours import MODELS, VERDICTS, text_on
from vision_core.images import Photo

_TEMPLATES = Path(__file__).with_name("templates")
_DASHES = ("none", "6 3", "1.5 3", "8 3 1.5 3")  # so that curves differ without their colours
_WORDS = {"hit": "hit", "false": "false positive", "missed": "missed"}


def report_html(
    photo: Photo,
    columns: Sequence[Column],
    differences: Sequence[Mapping[str, Any]],
    *,
    link: str = "",
    truth: Truth | None = None,
) -> str:
    """The whole comparison as one self-contained HTML file.

    Args:
        photo: the photo.
        columns: of the models, in the order in which they are shown.
        differences: what ``vision_core.comparison.report.pairs`` says of these columns.
        link: an address that opens the same comparison in the app; left out where it is empty.
        truth: what is really there.

    Returns:
        the text of the file, to be written as UTF-8; pictures are at most 1,000 pixels wide.
    """
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            title=" | ".join([*(c.heading for c in columns), photo.name]),
            made=datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z"),
            photo=photo,
            link=link,
            link_opens=link.startswith(("http://", "https://")),
            models=[
                {**_badge(i), **html_models.block(photo, column)}
                for i, column in enumerate(columns)
            ],
            pairs=[
                html_pairs.block(
                    photo, columns, difference, [_badge(i) for i in difference["columns"]]
                )
                for difference in differences
            ],
            truth=None if truth is None else _truth(photo, columns, truth),
            versions=versions(),
        )
    )


@functools.cache
def environment() -> Environment:
    """Where the templates of all reports lie, and their filters."""
    made = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["fixed"] = _fixed
    made.filters["exact"] = repr
    return made


def _fixed(value: float | None, digits: int = 3) -> str:
    """A number for people; a dash where there is none."""
    if value is None or not math.isfinite(value):
        return "\N{EN DASH}"
    return f"{value:,.{digits}f}"


def _badge(place: int) -> dict[str, str]:
    """Letter and colours of a column."""
    colour = MODELS[place % len(MODELS)]
    return {"letter": string.ascii_uppercase[place], "colour": colour, "ink": text_on(colour)}


def _truth(photo: Photo, columns: Sequence[Column], truth: Truth) -> dict[str, Any]:
    """Every detector against the true boxes, and the true boxes themselves."""
    rows = []
    for place, column in enumerate(columns):
        if column.selection is None:
            continue
        found = judged(column.selection, truth)
        kept = column.selection.detections
        told: list[tuple[str, str, float | None]] = [
            ("false" if at is None else "hit", name, float(score))
            for name, score, at in zip(kept.labels, kept.scores, found["true_box"], strict=True)
        ]
        told += [("missed", truth.labels[i], None) for i in found["missed"]]
        rows.append(
            {
                **_badge(place),
                **found,
                "title": column.heading,
                "rows": [
                    {
                        "word": _WORDS[verdict],
                        "label": name,
                        "score": score,
                        "colour": VERDICTS[verdict],
                    }
                    for verdict, name, score in told
                ],
                "picture": pictures.against_truth(photo, column.selection, truth),
                "curve": _curve(column, truth),
                "dashes": _DASHES[place % len(_DASHES)],
            }
        )
    return {"count": len(truth.labels), "models": rows, "colours": VERDICTS}


def _curve(column: Column, truth: Truth) -> dict[str, Any] | None:
    """Average precision, the curve as (recall, precision) points, and where it stands now."""
    made = truth_curve(column, truth)
    if made is None:
        return None
    points = [(float(r), float(p)) for r, p in zip(made.recall, made.precision, strict=True)]
    assert column.selection is not None
    now = judge(column.selection.detections, truth, rule="voc")
    place = (now.recall, now.precision)
    return {"average_precision": made.average_precision, "points": points, "now": place}
