"""What came of many photos: totals, tiles in an order, and the files to take away."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from html import escape
from pathlib import PurePosixPath
from typing import Any

import streamlit as st

from pages import navigation
from pages.metrics.many_held import Held, keep_picture
from pages.shared import downloads, photos, state
from pages.shared.plain import plain, short
from pages.shared.state import Field
from vision_core.gallery import files, html
from vision_core.gallery.index import ORDERS, Index, Place
from vision_core.gallery.run import records
from vision_core.models import Card

_WORDS = {
    "disagreement": "Disagreement",
    "errors": "Errors",
    "doubt": "Doubt",
    "name": "Name",
}
_ACROSS = {1: 4, 2: 3}
"""Tiles beside each other, by the number of networks: each of them has a picture."""
_ROWS = 3


@dataclass(frozen=True)
class Door:
    """A photo that was asked for on another page.

    Attributes:
        place: of the photo.
        page: name of the page.
        more: what it shall show there.
    """

    place: Place
    page: str
    more: dict[str, str]


def show(mine: Held, index: Index, cards: Sequence[Card]) -> tuple[tuple[Field, ...], Door | None]:
    """Draw what is known so far.

    Args:
        mine: the photos.
        index: the records of these networks.
        cards: one or two networks.

    Returns:
        the fields that were used, and the photo that shall be opened elsewhere.
    """
    if index.skipped:
        _skipped(index)
    if not index.places:
        return (), None
    orders = index.orders()
    default = next(o for o in ("errors", "disagreement", "doubt") if o in orders)
    fields = (
        Field("order", default, state.one_of(ORDERS)),
        Field("tile", 0, state.whole(0, 10**6)),
    )
    state.use(*fields)
    if st.session_state["order"] not in orders:
        state.put("order", default)
    _totals(index, cards)
    _head(index, orders, _ACROSS[len(cards)] * _ROWS)
    door = _tiles(mine, index, cards)
    _downloads(mine, index, cards)
    return fields, door


def _totals(index: Index, cards: Sequence[Card]) -> None:
    """A row for each network, and what they disagree about."""
    told = index.totals()
    rows = []
    for card, entry in zip(cards, told["models"], strict=True):
        kinds = entry.get("kinds", {})
        rows.append(
            {
                "network": card.title,
                "photos": entry["photos"],
                "boxes": entry["boxes"] if card.task not in _NO_BOXES else None,
                "doubt": entry["doubt"],
                "AP50": entry.get("AP50"),
                **kinds,
            }
        )
    empty = {key for key in rows[0] if all(row.get(key) is None for row in rows)}
    st.dataframe(
        [{k: v for k, v in row.items() if k not in empty} for row in rows],
        hide_index=True,
        width="stretch",
        column_config={
            "network": st.column_config.TextColumn(width="medium"),
            "doubt": st.column_config.NumberColumn("mean doubt", format="%.3f"),
            "AP50": st.column_config.NumberColumn(format="%.3f"),
        },
    )
    words = []
    if told["disagreement"] is not None:
        words.append(f"Mean disagreement {told['disagreement']:.3f}.")
    if any("kinds" in entry for entry in told["models"]):
        words.append(
            f"True boxes are known for {told['with_truth']} of {told['photos']} photos; AP50 is "
            "the mean over their classes."
        )
    if words:
        st.caption(" ".join(words))


_NO_BOXES = ("segmentation", "classification")


def _skipped(index: Index) -> None:
    count = len(index.skipped)
    words = f"{count} file{' was' if count == 1 else 's were'} skipped"
    with st.expander(words, icon=":material/broken_image:"):
        st.dataframe(
            [{"file": short(p.photo), "because": short(p.error, 300)} for p in index.skipped[:200]],
            hide_index=True,
            width="stretch",
        )


def _head(index: Index, orders: Sequence[str], count: int) -> None:
    """The order, and which tiles of how many."""
    last = (len(index.places) - 1) // count * count
    first = min(int(st.session_state["tile"]) // count * count, last)
    if first != st.session_state["tile"]:
        state.put("tile", first)
    row = st.container(horizontal=True, vertical_alignment="center", gap="medium")
    row.segmented_control(
        "Order",
        orders,
        key="order",
        required=True,
        format_func=_WORDS.__getitem__,
        label_visibility="collapsed",
        on_change=state.put,
        args=("tile", 0),
    )
    for word, icon, to in (
        ("Previous", "chevron_left", max(first - count, 0)),
        ("Next", "chevron_right", min(first + count, last)),
    ):
        row.button(
            word,
            key=f"many_{word.lower()}",
            icon=f":material/{icon}:",
            disabled=to == first,
            on_click=state.put,
            args=("tile", to),
        )
    row.caption(f"{first + 1} to {min(first + count, len(index.places))} of {len(index.places)}")


def _tiles(mine: Held, index: Index, cards: Sequence[Card]) -> Door | None:
    door: Door | None = None
    across = _ACROSS[len(cards)]
    shown = index.ordered(st.session_state["order"], int(st.session_state["tile"]), across * _ROWS)
    with mine.box.photos() as source:
        for start in range(0, len(shown), across):
            columns = st.columns(across, gap="small")
            for number, (column, place) in enumerate(
                zip(columns, shown[start : start + across], strict=False), start
            ):
                with column.container(border=True, key=f"tile_{number}"):
                    _tile(mine, index, cards, place, source)
                    door = _doors(place, cards, number) or door
    return door


def _tile(mine: Held, index: Index, cards: Sequence[Card], place: Place, source: Any) -> None:
    """A photo as each network sees it, and the numbers."""
    record = index.record(place)
    parts = []
    for card in cards:
        said = record["models"][card.name]
        key = (card.name, place.photo, str(place.at))
        made = keep_picture(mine, key, partial(_picture, source, place, said))
        words = files.answer(said)
        parts.append(
            f"<figure style='margin:0;flex:1;min-width:0'><img src='{made}' "
            f"alt='{escape(short(place.photo, 60))}: {escape(short(words, 120))}' "
            "style='width:100%;height:9rem;object-fit:contain;display:block'>"
            f"<figcaption style='font-size:0.82rem;overflow-wrap:anywhere'>"
            + (f"<b>{escape(card.name)}</b> " if len(cards) > 1 else "")
            + f"{escape(short(words, 90))}</figcaption></figure>"
        )
    st.html(f"<div style='display:flex;gap:0.4rem'>{''.join(parts)}</div>")
    st.caption(f"**{plain(short(place.photo, 40))}**  \n{_numbers(place)}")


def _picture(source: Any, place: Place, said: Mapping[str, Any]) -> str:
    return html.picture(source.photo(place.photo), said)


def _numbers(place: Place) -> str:
    parts = []
    if place.errors is not None:
        parts.append(f"{place.errors} error{'' if place.errors == 1 else 's'}")
    if place.disagreement is not None:
        parts.append(f"disagreement {place.disagreement:.2f}")
    if place.doubt is not None:
        parts.append(f"doubt {place.doubt:.2f}")
    return " · ".join(parts)


def _doors(place: Place, cards: Sequence[Card], number: int) -> Door | None:
    """The buttons that open a photo on another page."""
    row = st.container(horizontal=True, gap="small")
    if row.button("Predictions", key=f"open_{number}", icon=":material/frame_person:"):
        return Door(place, "predictions", {"task": cards[0].task, "model": cards[0].name})
    if len(cards) > 1 and row.button("Compare", key=f"compare_{number}", icon=":material/compare:"):
        kind = cards[0].task if cards[0].task in _NO_BOXES else "boxes"
        models = {"model_a": cards[0].name, "model_b": cards[1].name}
        own = {"together": "0"} if kind == "boxes" else {}  # each with its own thresholds, as here
        return Door(place, "compare", {"kind": kind, **models, **own})
    return None


def go(mine: Held, door: Door) -> None:
    """Open a photo elsewhere; whatever followed here would write this page's address again."""
    with mine.box.photos() as source:
        data = source.data(door.place.photo)
    token = photos.open_bytes(data, PurePosixPath(door.place.photo).name)
    if token is not None:
        navigation.go(door.page, state.link(source="upload", file=token, **door.more))


def _downloads(mine: Held, index: Index, cards: Sequence[Card]) -> None:
    names = [card.name for card in cards]
    truth = None if mine.truth is None else mine.truth.file

    def every() -> Any:
        return records(index.path)

    def as_csv() -> bytes:
        stream = io.StringIO(newline="")
        files.write_csv(stream, every(), names)
        return stream.getvalue().encode()

    def as_coco(name: str) -> bytes:
        stream = io.StringIO()
        files.write_coco(stream, every, name, truth)
        return stream.getvalue().encode()

    def as_html() -> bytes:
        index.update()
        with mine.box.photos() as source:
            title = f"{', '.join(names)} on {len(index.places)} photos"
            return html.gallery_html(source, every, index.totals(), title).encode()

    made: dict[str, downloads.File] = {"Table (CSV)": (".csv", as_csv, "text/csv")}
    for card in cards:
        if card.task not in _NO_BOXES:
            made[f"COCO: {card.name}"] = (
                f"_{card.name}.json",
                partial(as_coco, card.name),
                "application/json",
            )
    made["Report (HTML)"] = (".html", as_html, "text/html")
    downloads.buttons("photos", made)
