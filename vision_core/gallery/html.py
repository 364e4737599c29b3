"""The report of many photos: totals and small pictures in one HTML file without scripts."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np

from vision_core.comparison.html import environment
from vision_core.comparison.report import versions
from vision_core.errors import UserError
from vision_core.figures.encode import data_url, jpeg
from vision_core.figures.race import thumbnail
from vision_core.gallery.files import answer, kept
from vision_core.gallery.sources import Photos
from vision_core.images import Photo
from vision_core.race.laps import Found

ORDERS = ("disagreement", "errors", "doubt")
MOST = 100
"""Tiles of each order; more would make a file that no browser opens quickly."""
WIDTH = 300

Records = Callable[[], Iterable[Mapping[str, Any]]]


def first(records: Iterable[Mapping[str, Any]], order: str, most: int = MOST) -> list[str]:
    """Names of the photos that come first by falling ``order``, equal ones by name."""
    rows = (
        (-record[order], record["photo"])
        for record in records
        if "error" not in record and record[order] is not None
    )
    return [name for _, name in heapq.nsmallest(most, rows)]


def gallery_html(
    photos: Photos, records: Records, summary: Mapping[str, Any], title: str, most: int = MOST
) -> str:
    """The report as one self-contained HTML file; the order is chosen without a script.

    Args:
        photos: where the photos are; they are read again, one at a time.
        records: gives the records from their start whenever it is called.
        summary: of ``vision_core.gallery.totals.totals``.
        title: heading of the report.
        most: tiles of each order at most.
    """
    orders = {order: first(records(), order, most) for order in ORDERS}
    orders = {order: names for order, names in orders.items() if names}
    shown = {name for names in orders.values() for name in names}
    models = [entry["name"] for entry in summary["models"]]
    tiles = [
        _tile(photos, record, models, orders)
        for record in records()
        if "error" not in record and record["photo"] in shown
    ]
    main = next(iter(orders), "doubt")
    tiles.sort(key=lambda tile: tile["places"][main])
    skipped = [
        {"photo": r["photo"], "error": r["error"]}
        for r in heapq.nsmallest(most, (r for r in records() if "error" in r), _name)
    ]
    return (
        environment()
        .get_template("gallery.html.j2")
        .render(
            title=title,
            made=datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z"),
            totals=summary,
            orders=list(orders),
            tiles=tiles,
            most=most,
            skipped=skipped,
            versions=versions(),
        )
    )


def _name(record: Mapping[str, Any]) -> str:
    return str(record["photo"])


def _tile(
    photos: Photos,
    record: Mapping[str, Any],
    models: Sequence[str],
    orders: Mapping[str, Sequence[str]],
) -> dict[str, Any]:
    name = record["photo"]
    try:
        photo = photos.photo(name)
    except UserError as error:  # it went away since
        return {**_facts(record, orders), "answers": [], "error": str(error)}
    answers = [
        {
            "model": model,
            "picture": picture(photo, record["models"][model]),
            "words": answer(record["models"][model]),
            "kinds": record["models"][model].get("kinds"),
        }
        for model in models
    ]
    return {**_facts(record, orders), "answers": answers, "error": ""}


def _facts(record: Mapping[str, Any], orders: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    behind = 10 * MOST  # not among the first of that order
    places = {
        order: names.index(record["photo"]) if record["photo"] in names else behind
        for order, names in orders.items()
    }
    return {
        "photo": record["photo"],
        "places": places,
        **{order: record[order] for order in ORDERS},
        "true": None if record["truth"] is None else len(record["truth"]),
    }


def picture(photo: Photo, said: Mapping[str, Any]) -> str:
    """A small picture with the boxes above the threshold, as a ``data:`` URL."""
    rows = kept(said)
    found = Found(
        np.array([row["box"] for row in rows], np.float32).reshape(-1, 4),
        tuple(row["label"] for row in rows),
        np.array([row["score"] for row in rows], np.float32),
    )
    return data_url(jpeg(thumbnail(photo, found, WIDTH), WIDTH, 80), "jpeg")
