"""What the league found, for JSON and CSV: the one place where its numbers are written."""

from __future__ import annotations

import csv
import io
from typing import Any

from vision_core import methods
from vision_core.export import strict
from vision_core.league.boxes import Corners
from vision_core.league.columns import COLUMNS, TOLERANCE
from vision_core.league.competitor import Progressing
from vision_core.league.location import by_chance
from vision_core.league.ranking import Standing, standings
from vision_core.records.terms import Terms


def record(
    step: Progressing, terms: Terms, target: str, box: Corners | None, told_by: str
) -> dict[str, Any]:
    """All of it, strict JSON.

    Args:
        step: how far the league is.
        terms: what all were asked alike.
        target: what is explained, as text.
        box: of what is explained.
        told_by: where the box is from, in words.
    """
    rows = standings(step.competitors, box)
    first = next((c.map for c in step.competitors if c.map is not None), None)
    chance = None
    if box is not None and first is not None:
        chance = dict(zip(("pointing", "energy"), by_chance(first, box), strict=True))
    made: dict[str, Any] = strict(
        {
            "target": target,
            "box": None if box is None else {"corners": list(box), "from": told_by},
            "tolerance": TOLERANCE,
            "by_chance": chance,
            "steps": terms.steps,
            "seed": terms.seed,
            "measure": step.measure,
            "random_layer": step.layer,
            "passes": {"done": step.done, "total": step.total},
            "scores": [
                {
                    "name": c.name,
                    "title": c.title,
                    "source": c.source,
                    "better": "high" if c.high else "low",
                    "tells": c.tells,
                    "cannot_tell": c.silent,
                }
                for c in COLUMNS
            ],
            "methods": [_row(row) for row in rows],
        }
    )
    return made


def _row(row: Standing) -> dict[str, Any]:
    one = row.competitor
    curves = {
        name: {"shares": curve.shares.tolist(), "values": curve.values.tolist()}
        for name, curve in (("deletion", one.deletion), ("insertion", one.insertion))
        if curve is not None
    }
    return {
        "method": one.name,
        "title": one.title,
        "source": "" if one.control else methods.method(one.name).source,
        "control": one.control,
        "place": row.ranked.place,
        "mean_rank": row.ranked.mean,
        "scores": dict(row.scores),
        "ranks": dict(row.ranked.ranks),
        "rank_correlation": {"signed": one.randomisation, "absolute": one.magnitudes},
        "seconds": one.seconds,
        "forward": one.forward,
        "backward": one.backward,
        "score": one.score,
        "settings": dict(one.told),
        "notes": list(one.notes),
        "error": one.error,
        "curves": curves,
    }


def as_csv(rows: list[Standing]) -> str:
    """The table: a line for each method, numbers in full."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    names = [c.name for c in COLUMNS]
    ranks = [f"rank_{name}" for name in names]
    writer.writerow(
        ["place", "method", "mean_rank", *names, *ranks, "seconds", "forward", "backward", "error"]
    )
    for row in rows:
        one = row.competitor
        numbers = (*(row.scores.get(n) for n in names), *(row.ranked.ranks.get(n) for n in names))
        cells = [row.ranked.place, one.name, row.ranked.mean, *numbers]
        cells += [one.seconds, one.forward, one.backward]
        writer.writerow([*("" if v is None else v for v in cells), one.error])
    return out.getvalue()
