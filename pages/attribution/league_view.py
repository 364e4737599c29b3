"""What the league found: the table, the curves, the maps, what cannot be told, the files."""

from __future__ import annotations

from dataclasses import replace
from html import escape
from typing import Any

import numpy as np
import streamlit as st

from pages.attribution.league_runs import Match
from pages.shared import charts, downloads, shell
from pages.shared.plain import sentence
from vision_core.figures import jpeg
from vision_core.figures import league as figures
from vision_core.figures.browser.standalone.pages import maps_html
from vision_core.figures.encode import data_url
from vision_core.images import from_array
from vision_core.league import COLUMNS, Competitor, Progressing, Standing, standings
from vision_core.league.boxes import Corners
from vision_core.league.location import by_chance
from vision_core.league.record import as_csv, record

_SIDE = 420
"""Pixels of the longer side of a map in the strip, at most."""


_LARGE = 0.7  # share of what is seen


def show(match: Match, step: Progressing, box: Corners | None, told_by: str) -> None:
    """All of it.

    Args:
        match: who competed.
        step: what is there, whole or not.
        box: of what is explained.
        told_by: where the box is from, in words.
    """
    rows = standings(step.competitors, box)
    _table(rows, step, box)
    played = [row for row in rows if row.competitor.deletion is not None]
    if played:
        figure = figures.curves(
            [row.competitor for row in played], step.measure, stacked=shell.on_phone()
        )
        charts.show(figure, "league_curves", "Deletion and insertion curves of all methods")
    _strip(match, rows, box)
    with st.expander("What each score cannot tell", icon=":material/help:", expanded=True):
        for c in COLUMNS:
            better = "high is good" if c.high else "low is good"
            st.markdown(f"**{c.title}** ({c.source}; {better}). {c.tells} *{c.silent}*")
        st.markdown(
            "**Seconds** are for the map alone, and on a busy server hold the waiting too. They do "
            "not count for the mean rank: a fast map is not a better one."
        )
    _files(match, step, rows, box, told_by)


def growing(place: Any, step: Progressing) -> None:
    """The table while it runs, without places: those who wait have no scores yet."""
    rows = [
        {
            "method": c.title,
            "deletion": c.deletion.area if c.deletion else None,
            "insertion": c.insertion.area if c.insertion else None,
            "randomisation": None if c.randomisation is None else abs(c.randomisation),
            "s": c.seconds if c.map else None,
            "note": c.error,
        }
        for c in step.competitors
        if c.map is not None or c.error
    ]
    if rows:
        columns: dict[str, Any] = {
            n: st.column_config.NumberColumn(format="%.3f") for n in rows[0] if n[0] in "dirs"
        }
        columns["method"] = st.column_config.TextColumn("method", width=160)
        place.dataframe(
            rows, hide_index=True, width="stretch", column_config=columns, placeholder=""
        )


def _table(rows: list[Standing], step: Progressing, box: Corners | None) -> None:
    shown = [c for c in COLUMNS if not (c.boxed and box is None)]
    what = st.segmented_control(
        "Table",
        ("scores", "ranks"),
        default="scores",
        key="league_table",
        required=True,
        format_func={"scores": "Scores", "ranks": "Ranks"}.__getitem__,
    )
    form = "%.3f" if what == "scores" else "%.1f"
    st.dataframe(
        [_cells(row, [c.name for c in shown], what == "scores") for row in rows],
        hide_index=True,
        width="stretch",
        row_height=34,
        height="content",
        placeholder="",
        column_config={
            "place": st.column_config.NumberColumn("#", width=40),
            "method": st.column_config.TextColumn("method", width=160),
            "mean rank": st.column_config.NumberColumn(format="%.1f", width=85),
            **{
                c.name: st.column_config.NumberColumn(
                    f"{c.name.capitalize()} {'↑' if c.high else '↓'}",
                    format=form,
                    help=c.tells,
                    width=130 if len(c.name) > 10 else 95,
                )
                for c in shown
            },
            "seconds": st.column_config.NumberColumn(format="%.2f", width=75),
            "passes": st.column_config.TextColumn(
                width=90, help="Pictures that went through the network for the map, and back."
            ),
        },
    )
    words = ["Press the head of a column to sort by it. ↑ high is good, ↓ low is good."]
    first = next((r.competitor.map for r in rows if r.competitor.map is not None), None)
    if box is not None and first is not None:
        hit, share = by_chance(first, box)
        large = " So large a box is hit by every map: these two scores tell nothing here."
        words.append(
            f"By chance: pointing game {hit:.2f}, energy {share:.2f} (the share of what the "
            f"network sees that lies in the box).{large if share > _LARGE else ''}"
        )
    words.append("The edge detector knows no network: who is not better than it has shown little.")
    words.append(f"Curves: {step.measure}. Random layer: {step.layer or 'none'}.")
    st.caption(sentence(" ".join(words)))
    for row in rows:
        one = row.competitor
        for note in (one.error, *one.notes):
            if note:
                st.caption(sentence(f"{one.title}: {note}"))


def _cells(row: Standing, names: list[str], scores: bool) -> dict[str, Any]:
    one = row.competitor
    values = row.scores if scores else row.ranked.ranks
    return {
        "place": row.ranked.place,
        "method": one.title,
        "mean rank": row.ranked.mean,
        **{name: values.get(name) for name in names},
        "seconds": one.seconds if one.map is not None and not one.control else None,
        "passes": f"{one.forward} + {one.backward}" if one.forward else "",
    }


def _strip(match: Match, rows: list[Standing], box: Corners | None) -> None:
    """The maps in the order of the table."""
    shown = [row for row in rows if row.competitor.map is not None]
    cells, wide = [], 290 if shell.presenting() else 190
    for row in shown:
        picture = _thumb(match, row.competitor, box)
        note = _place(row)
        title = escape(row.competitor.title)
        cells.append(
            f"<figure style='margin: 0'><img src='{picture}' alt='{title}: map with the box' "
            f"style='width: 100%; display: block'><figcaption>{title} "
            f"<span class='quiet'>{note}</span></figcaption></figure>"
        )
    st.html(
        f"<div data-league='{len(cells)}' style='display: grid; gap: 0.7rem; "
        f"grid-template-columns: repeat(auto-fill, minmax(min(45%, {wide}px), 1fr))'>"
        f"{''.join(cells)}</div>"
    )
    st.caption("Vermilion raises the score, blue lowers it; each map has its own scale.")


def _place(row: Standing) -> str:
    return "knows no network" if row.competitor.control else f"place {row.ranked.place or '-'}"


def _thumb(match: Match, row: Competitor, box: Corners | None) -> str:
    """The picture of a map as a URL; drawn once as long as map and box stay."""
    held: dict[Any, str] = st.session_state.setdefault("_league_thumbs", {})
    key = (match.key, row.name, box)
    if key not in held:
        if len(held) > 40:
            held.clear()
        drawn = np.ascontiguousarray(figures.thumb(match.photo, row, box, _SIDE))
        held[key] = data_url(jpeg(from_array(drawn, row.name)), "jpeg")
    return held[key]


def _files(
    match: Match, step: Progressing, rows: list[Standing], box: Corners | None, told_by: str
) -> None:
    photo, target = match.photo, str(match.target)

    def numbers() -> bytes:
        head = {"model": match.model.name, "fingerprint": match.model.fingerprint}
        head |= {"image": photo.name, "sha256": photo.sha256}
        return downloads.as_json(head | record(step, match.terms, target, box, told_by))

    def page() -> bytes:
        drawn = replace(photo, pixels=figures.outlined(photo.pixels, box))
        maps = [
            (row.competitor.title, row.competitor.map.on_photo(), _place(row))
            for row in rows
            if row.competitor.map is not None
        ]
        return maps_html(drawn, maps, f"Explained: {target} of {match.model.name}.").encode()

    downloads.buttons(
        photo.name,
        {
            "Table (CSV)": ("_league.csv", lambda: as_csv(rows).encode(), "text/csv"),
            "Numbers (JSON)": ("_league.json", numbers, "application/json"),
            downloads.TAKE_HOME: (".html", page, "text/html"),
        },
    )
