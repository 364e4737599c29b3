"""Race: what each detector of the lectures looks at, and what that costs, on one photo."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from html import escape
from typing import Any

import streamlit as st

from pages.race import overfeat
from pages.shared import charts, downloads, engine, frame, photos, state
from pages.shared.guard import guarded
from pages.shared.plain import short
from pages.shared.runs import Runs
from vision_core import devices, models
from vision_core.figures import race as figures
from vision_core.figures.encode import data_url, jpeg
from vision_core.images import Photo
from vision_core.inference.cache import ByteLRU
from vision_core.race import (
    ONE_STAGE,
    SYSTEMS,
    Contest,
    Lap,
    Regions,
    System,
    race,
    selective_search,
)
from vision_core.race.record import COURSE, TRAINING_HOURS, record

_LEDE = (
    "Every detector looks at many boxes; they differ in how much is computed for each. **R-CNN** "
    "runs the whole network for every region, **Fast R-CNN** runs it once and crops its features, "
    "**Faster R-CNN** lets the same features propose the regions (Girshick 2014, 2015; Ren et al. "
    "2015). The three run here on the same weights."
)
_PAUSE = 0.4
"""Seconds between two drawings of a lane."""


@st.cache_resource(show_spinner=False)
def _regions() -> ByteLRU[Regions]:
    return ByteLRU(32 * 2**20, lambda regions: regions.boxes.nbytes, "proposals of the race")


@st.cache_resource(show_spinner=False)
def _whole() -> ByteLRU[Lap]:
    """The last laps of systems that ran to their end, for everybody."""
    return ByteLRU(32 * 2**20, size=lambda lap: lap.examined.nbytes + lap.found.boxes.nbytes)


@st.cache_resource(show_spinner=False)
def _runs() -> Runs[Lap]:
    return Runs()


def main() -> None:
    """The page: a lane for each system, then the times beside each other."""
    frame.top().html(frame.words("Race", _LEDE))
    with st.sidebar:
        entry = photos.pick()
    state.use(*overfeat.FIELDS)
    state.write(frame.PRESENT, *photos.fields(), *overfeat.FIELDS)
    photo = frame.photo_of(entry)
    if photo is not None:
        with guarded(f"running the race on {short(photo.name)}"):
            _race(photo)
        with guarded(f"sliding over {short(photo.name)}"):
            overfeat.show(photo)
        state.write(frame.PRESENT, *photos.fields(), *overfeat.FIELDS)
    state.show_notes()


def entered() -> tuple[System, ...]:
    """The systems whose networks are here, fastest first: they wait for nobody."""
    bundled = {card.name for card in models.cards()}
    here = [s for s in SYSTEMS if s.name not in ONE_STAGE or s.name in bundled]
    return tuple(reversed(here))


def _race(photo: Photo) -> None:
    device = str(devices.resolve(st.session_state.get("device", "auto")))
    laps = _laps(photo, device)
    running = st.session_state.get("_race_on") == photo.sha256
    _start_or_stop(photo, laps, running)
    lanes = {system.name: _lane(system) for system in entered()}
    for system in entered():
        _draw(lanes[system.name], system, photo, laps.get(system.name))
    if running:
        try:
            contest = _contest(photo, device)
            for system in entered():
                if system.name not in laps or not laps[system.name].whole:
                    _run(system, contest, device, laps, lanes[system.name])
        except Exception:
            _stop()  # or every later run of the page would fail again
            raise
        _stop()
        st.rerun()
    if laps:
        _result(photo, laps)


def _laps(photo: Photo, device: str) -> dict[str, Lap]:
    """What this session has seen of the race on this photo, and what others have finished."""
    owner = (photo.sha256, device)
    if st.session_state.get("_race_of") != owner:
        st.session_state["_race_of"], st.session_state["_race_laps"] = owner, {}
    laps: dict[str, Lap] = st.session_state["_race_laps"]
    for system in entered():
        done = _whole().get(_key(system, photo, device))
        if done is not None:
            laps[system.name] = done
    return laps


def _key(system: System, photo: Photo, device: str) -> tuple[str, ...]:
    return (system.name, photo.sha256, device)


def _contest(photo: Photo, device: str) -> Contest:
    names = [system.name for system in entered() if system.name in ONE_STAGE]
    with st.spinner("Loading the networks …"):
        return Contest(
            photo,
            engine.load_model("faster_rcnn_s", device),
            engine.load_model("resnet_s", device),
            {name: engine.load_model(name, device) for name in names},
        )


def _start_or_stop(photo: Photo, laps: dict[str, Lap], running: bool) -> None:
    row = st.container(horizontal=True, gap="small", vertical_alignment="center")
    whole = len(laps) == len(entered()) and all(lap.whole for lap in laps.values())
    if running:
        row.button("Stop", on_click=_stop, icon=":material/stop:", key="race_stop")
        row.caption("What is stopped is extrapolated to its end.")
        return
    label = "Run again" if whole else "Go on" if laps else "Start the race"
    row.button(
        label,
        on_click=_again if whole else _start,
        args=(photo,),
        type="primary",
        icon=":material/flag:",
        key="race_start",
    )
    if not laps:
        row.caption("About ten seconds to a minute on a CPU; you can stop at any time.")


def _start(photo: Photo) -> None:
    st.session_state["_race_on"] = photo.sha256


def _again(photo: Photo) -> None:
    device = str(devices.resolve(st.session_state.get("device", "auto")))
    for system in entered():
        _whole().drop(_key(system, photo, device))
    st.session_state["_race_laps"] = {}
    _start(photo)


def _stop() -> None:
    st.session_state["_race_on"] = None


def _lane(system: System) -> tuple[Any, Any]:
    """The places for the progress and the picture of a system."""
    box = st.container(border=True)
    left, right = box.columns([5.4, 1.3], vertical_alignment="center", gap="small")
    return left.empty(), right.empty()


def _run(
    system: System, contest: Contest, device: str, laps: dict[str, Lap], lane: tuple[Any, Any]
) -> None:
    """One system to its end; who leaves keeps what was done so far."""
    key = _key(system, contest.photo, device)

    def steps() -> Iterator[Lap]:
        if system.name in ("rcnn", "fast_rcnn"):
            _draw(lane, system, contest.photo, None, "selective search …")
            regions = _regions().get_or_make(
                contest.photo.sha256, lambda: selective_search(contest.photo)
            )
            asked = replace(contest, regions=regions)
        else:
            asked = contest
        for lap in race(asked, system.name):
            if lap.whole:
                _whole().put(key, lap)
            yield lap

    drawn = 0.0
    for lap in _runs().follow(key, steps):
        laps[system.name] = lap
        if lap.whole or time.monotonic() - drawn > _PAUSE:
            _draw(lane, system, contest.photo, lap)
            drawn = time.monotonic()


def _draw(
    lane: tuple[Any, Any], system: System, photo: Photo, lap: Lap | None, doing: str = ""
) -> None:
    """A lane: title and words, a bar, numbers, the photo with the boxes so far."""
    words, picture = lane
    share = 0.0 if lap is None else lap.done / max(lap.total, 1)
    words.html(
        f"<div data-lane='{system.name}'><b>{system.title}</b> &ensp; {system.text}"
        f"<div role='progressbar' aria-label='{system.title}' aria-valuemin='0' "
        f"aria-valuemax='100' aria-valuenow='{100 * share:.0f}' style='height: 0.9rem; "
        "margin: 0.35rem 0; border-radius: 0.3rem; background: linear-gradient(to right, "
        f"#009E73 {100 * share:.1f}%, rgba(120, 135, 150, 0.28) {100 * share:.1f}%)'></div>"
        f"<span>{escape(_numbers(lap) if lap else doing or 'not run yet')}</span></div>"
    )
    if lap is not None:
        small = figures.thumbnail(photo, lap.found)
        alt = f"{system.title}: {', '.join(sorted(set(lap.found.labels))) or 'nothing'}"
        picture.html(
            f"<img src='{data_url(jpeg(small), 'jpeg')}' alt='{escape(alt)}' "
            "style='width: 100%; max-height: 7.2rem; object-fit: contain'>"
        )


def _numbers(lap: Lap) -> str:
    """Boxes and seconds by stage."""
    stages = ", ".join(f"{name} {_seconds(spent)}" for name, spent in lap.seconds.items())
    if lap.whole:
        return f"{lap.total:,} boxes in {_seconds(sum(lap.seconds.values()))}: {stages}"
    return f"{lap.done:,} of {lap.total:,} boxes; about {_seconds(lap.expected)} in all: {stages}"


def _seconds(spent: float) -> str:
    return f"{1000 * spent:.0f} ms" if spent < 1 else f"{spent:.1f} s"


def _result(photo: Photo, laps: dict[str, Lap]) -> None:
    """Times beside each other and beside the lectures' table, and what differs."""
    entries = record(laps)
    st.subheader("The times")
    chart, _ = st.columns([5, 2])
    with chart:
        charts.show(figures.seconds(entries), "race_times", "Seconds of each system")
    st.dataframe(
        [_row(entry) for entry in entries],
        hide_index=True,
        width="stretch",
        column_config={
            "system": st.column_config.TextColumn(width="medium"),
            "here": st.column_config.NumberColumn("s", format="%.3g", width="small"),
            "ratio": st.column_config.NumberColumn("ratio", format="%.0fx", width="small"),
            "course": st.column_config.NumberColumn(
                "lectures", format="%.0fx", width="small", help="The ratio in the lectures"
            ),
            "boxes": st.column_config.NumberColumn(format="localized", width="small"),
            "recall": st.column_config.NumberColumn(format="percent", width="small"),
        },
    )
    st.caption(
        "Recall: share of what Faster R-CNN found that one of the boxes looked at covers with "
        "an IoU of 0.5. Ratios are to Faster R-CNN."
    )
    hours, fast = TRAINING_HOURS["rcnn"], TRAINING_HOURS["fast_rcnn"]
    st.markdown(
        "**What differs from the lectures' figures** (VGG-16, a GPU of 2015: 50 s, 2 s and 0.2 s a "
        f"photo with proposals; training {hours:g} h for R-CNN and {fast:g} h for Fast R-CNN): the "
        "network here is small, so that selective search is the longest part of Fast R-CNN; the "
        "head was trained by Faster R-CNN and never saw warped regions, so that R-CNN believes "
        "that a part of a cat is a cat; and the sliding window's classifier has no class for the "
        "background, so that it names something everywhere."
    )
    downloads.buttons(
        photo.name,
        {"Numbers": ("_race.json", lambda: downloads.as_json(entries), "application/json")},
    )


def _row(entry: dict[str, Any]) -> dict[str, Any]:
    course = COURSE.get(entry["system"])
    return {
        "system": entry["title"] + (" (stopped)" if entry["stopped_at"] is not None else ""),
        "here": entry["seconds"],
        "ratio": entry["ratio"],
        "course": None if course is None else course[1],
        "boxes": entry["boxes_examined"],
        "recall": entry["recall"],
    }
