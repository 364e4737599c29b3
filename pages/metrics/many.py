"""The section "Many photos": networks over a folder's worth of photos, and a gallery of them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import streamlit as st
from streamlit.runtime.uploaded_file_manager import DeletedFile

from pages.metrics import many_tiles
from pages.metrics.many_held import Held, forget, held
from pages.shared import caps, catalogue, engine, model_picker, own_networks, photo_store, state
from pages.shared.model_picker import TASK_WORDS
from pages.shared.plain import plain, short
from pages.shared.state import Field
from vision_core import devices, models
from vision_core.errors import UserError
from vision_core.models import Card

_KINDS = (
    ("detection", "instance", "keypoint", "pose"),
    ("segmentation",),
    ("classification",),
)
"""Tasks whose answers can be compared; the first ones find boxes."""
_NONE = ""
_SLICE = 3.0
"""Seconds of work between two drawings of the page."""


def _here() -> dict[str, Card]:
    """The networks whose weights are on this machine, bundled ones first."""
    found = [c for tasks in _KINDS for t in tasks for c in catalogue.cards(t)]
    here = [c for c in found if models.status(c) != "downloadable"]
    return {c.name: c for c in sorted(here, key=lambda c: not (c.bundled or c.own))}


def _kind(card: Card) -> tuple[str, ...]:
    return next(tasks for tasks in _KINDS if card.task in tasks)


def _fields(here: dict[str, Card]) -> tuple[Field, ...]:
    """The two networks; the second is one that can be compared with the first."""
    first = Field("first_network", "fcos_s", own_networks.parser(list(here)))
    state.use(first)
    chosen = here[st.session_state["first_network"]]
    others = [c.name for c in here.values() if c.task in _kind(chosen) and c.name != chosen.name]
    wished = "faster_rcnn_s" if "faster_rcnn_s" in others else next(iter(others), _NONE)
    second = Field(
        "second_network", wished, own_networks.parser([_NONE, *others]), lambda v: v or _NONE
    )
    state.use(second)
    return first, second


def show(menu: Any, outer: tuple[Field, ...]) -> None:
    """Draw the section.

    Args:
        menu: a place at the head of the page, which this section leaves empty.
        outer: fields of the page.
    """
    here = _here()
    networks = _fields(here)
    device = model_picker.device_field()
    state.use(device)
    with st.sidebar:
        cards = _pick(here)
    mine = held()
    names = [card.name for card in cards]
    used: tuple[Field, ...] = (*networks, device)
    door = None
    try:
        _files(mine, cards)
        if not mine.box.names:
            return
        place = st.container()
        index = mine.index(names)
        fields, door = many_tiles.show(mine, index, cards)
        used += fields
        if door is None:
            with place:
                _work(mine, names, len(index.places) + len(index.skipped))
    finally:
        if door is None:
            state.write(*outer, *used)
    if door is not None:
        many_tiles.go(mine, door)


def _pick(here: dict[str, Card]) -> list[Card]:
    """Draw the pickers of the networks."""

    def words(name: str) -> str:
        if not name:
            return "none"
        return f"{here[name].title}, {TASK_WORDS[here[name].task].lower()}"

    st.selectbox("Network", list(here), key="first_network", format_func=words)
    first = here[st.session_state["first_network"]]
    others = [c.name for c in here.values() if c.task in _kind(first) and c.name != first.name]
    st.selectbox(
        "Second network",
        [_NONE, *others],
        key="second_network",
        format_func=words,
        help="Photos on which the two disagree come first.",
    )
    model_picker.pick_device()
    second = st.session_state["second_network"]
    return [first, *([here[second]] if second else [])]


def _files(mine: Held, cards: Sequence[Card]) -> None:
    """The uploaders, and what was given so far."""
    some = bool(mine.box.names)
    words = f"{len(mine.box.names)} photos, {mine.box.nbytes / 2**20:.1f} MB" if some else "Photos"
    with st.expander(words, expanded=not some, icon=":material/photo_library:"):
        left, right = st.columns(2, gap="medium")
        given = left.file_uploader(
            "Photos, or zip files with photos",
            type=[*caps.PHOTO_TYPES, "zip"],
            max_upload_size=caps.PHOTO_FILE_MB,
            accept_multiple_files=True,
            key=f"many_files_{mine.given}",
        )
        boxes = cards[0].task in _KINDS[0]
        true = right.file_uploader(
            "A COCO file with the true boxes, if there is one",
            type=["json"],
            max_upload_size=caps.PHOTO_FILE_MB,
            key=f"many_truth_{mine.given}",
            disabled=not boxes,
            help=None if boxes else "This network finds no boxes.",
        )
        if mine.truth is not None:
            right.caption(f"True boxes: {plain(mine.truth.name)}")
        if some:
            left.button("Remove all photos", key="many_forget", on_click=forget)
        else:
            left.caption(
                "They stay in this browser session, on the server's disk, and go when it ends."
            )
    fresh = [f for f in given or [] if not isinstance(f, DeletedFile)]
    if fresh or true is not None:
        _take(mine, fresh, true)


def _take(mine: Held, files: Sequence[Any], true: Any) -> None:
    """Store what was given; the uploaders start empty again."""
    told: list[str] = []
    with st.spinner("Taking the photos in …"):
        try:
            for file in files:
                told += mine.take(file.name, file.getvalue()).told
        except UserError as error:
            told.append(str(error))
        try:
            if true is not None:
                mine.judge_by(true.name, true.getvalue())
        except UserError as error:
            told.append(str(error))
    for file in (*files, *([] if true is None else [true])):
        photo_store.release(file)
    for text in told[:5]:
        state.note(text)
    if len(told) > 5:
        state.note(f"{len(told) - 5} more files could not be taken out.")
    mine.given += 1
    st.rerun()


def _work(mine: Held, names: Sequence[str], done: int) -> None:
    """The button and the bar; while it runs, the photos of some seconds, then the page anew."""
    total = len(mine.box.names)
    row = st.container(horizontal=True, vertical_alignment="center", gap="medium")
    working = mine.running = mine.running and done < total
    over = done >= total
    word = "Stop" if working else "Done" if over else "Go on" if done else "Start"
    icon = {"Stop": "stop", "Done": "check"}.get(word, "play_arrow")
    row.button(
        word,
        key="many_go",
        type="secondary" if working or over else "primary",
        icon=f":material/{icon}:",
        disabled=over,
        on_click=mine.halt if working else _start,
        args=() if working else (mine,),
    )
    before = mine.progress.words if mine.progress else f"{done} of {total} photos"
    bar = row.progress(done / total, before + (engine.queue_words() if working else ""))
    if working:
        _slice(mine, names, bar)
        st.rerun()


def _start(mine: Held) -> None:
    mine.running = True


def _slice(mine: Held, names: Sequence[str], bar: Any) -> None:
    """Work for some seconds. A press of Stop ends it at the next photo; nothing is lost."""
    device = str(devices.resolve(st.session_state.get("device", "auto")))
    start = time.monotonic()
    while (progress := mine.step(names, device)) is not None:
        bar.progress(progress.done / progress.total, f"{progress.words} {_last(progress.record)}")
        if time.monotonic() - start >= _SLICE:
            return
    mine.halt()


def _last(record: dict[str, Any]) -> str:
    return f"({plain(short(record['photo'], 30))})"
