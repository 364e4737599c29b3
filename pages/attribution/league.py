"""The league: all methods on one target, ranked."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial

import streamlit as st

from pages.attribution import league_view, method_settings
from pages.attribution.league_runs import (
    Match,
    follow,
    forget,
    settings_of,
    so_far,
    whole,
)
from pages.components import canvas
from pages.shared import dragged, engine, map_view, shell, state, targets
from pages.shared.guard import guarded
from pages.shared.plain import sentence
from pages.shared.state import Field
from vision_core import methods as table
from vision_core import models
from vision_core.attribution import Target
from vision_core.attribution.words import quantity
from vision_core.figures.colours import GREEN
from vision_core.images import Photo
from vision_core.inference import DetectionTrace, Trace
from vision_core.league import Progressing, Terms, detected_box, target_box
from vision_core.league.boxes import Corners
from vision_core.league.competitor import CONTROL
from vision_core.models import Model
from vision_core.records.targets import ClassTarget

LEDE = (
    "Every method draws another map, and all look convincing. Here they **compete** on one target: "
    "is the map where the object is, does the score fall when its pixels go, does it depend on the "
    "weights at all? No score is the truth; below the table stands what each **cannot tell**."
)
SWITCH = Field("league", False, state.flag, lambda v: str(int(v)))
_PAUSE = 0.8
"""Seconds between two drawings of the table."""
_SLOW = 20  # passes for a map, from which a method's label tells its cost


def _fields() -> tuple[Field, ...]:
    names = list(table.names())
    return (
        targets.FIELD,
        Field("rivals", names, state.some_of(table.names()), ",".join),
        Field("steps_of_curve", 16, state.whole(4, 64)),
        dragged.FIELD,
        *method_settings.fields(),
    )


# No fragment: Stop, and every move of a control, must interrupt a league that runs.
def show(model: Model, photo: Photo, trace: Trace, outer: tuple[Field, ...]) -> None:
    """The panel; arguments as of ``explaining.show``."""
    with guarded("letting the methods compete"):
        used = _fields()
        targets.use(trace)
        state.use(*used)
        with st.sidebar:
            targets.pick(trace)
            with st.expander("Settings of the methods"):
                method_settings.controls()
        target = targets.chosen(trace)
        box, told_by = _box(model, photo, trace, target)
        left, right = st.columns([2, 5], gap="medium")
        with left:
            _picture(photo, trace, target, box, told_by)
        with right:
            match = _match(model, photo, trace, target)
            _play(match)
        step = so_far(match)
        if step is not None and any(c.map for c in step.competitors):
            league_view.show(match, step, box, told_by)
        state.write(*outer, *used)


def _match(model: Model, photo: Photo, trace: Trace, target: Target) -> Match:
    """Who competes, from the controls."""
    told = {m.name: method_settings.given(m, trace) for m in table.every()}
    terms = Terms(int(st.session_state["steps_of_curve"]), 0, settings_of(told))
    all_of_them = Match(model, photo, trace, target, table.names(), terms)
    costs = all_of_them.costs(table.names())
    alone = all_of_them.costs((CONTROL,))[CONTROL]

    def label(name: str) -> str:
        title, passes = table.method(name).title, costs[name]
        if not passes:
            return f"{title} (not here)"
        return f"{title} ({passes} passes)" if passes > alone + 2 * _SLOW else title

    chosen = st.session_state["rivals"]
    with st.expander(f"{len(chosen)} of {len(costs)} methods compete", icon=":material/groups:"):
        st.pills(
            "Methods",
            list(costs),
            selection_mode="multi",
            key="rivals",
            format_func=label,
            label_visibility="collapsed",
        )
        st.slider(
            "Pictures of a curve",
            4,
            64,
            step=4,
            key="steps_of_curve",
            help="Deletion and insertion change the pixels in so many steps.",
        )
    names = tuple(n for n in table.names() if n in st.session_state["rivals"])
    passes = sum(costs[n] for n in names) + alone
    about = all_of_them.seconds(passes)
    length = f"{about / 60:.0f} min" if about >= 90 else f"{max(about, 1):.0f} s"
    st.caption(
        f"Cost: {passes:,} passes of {model.card.title}, about {length} on this machine. "
        f"You can stop at any time.{engine.queue_words()}"
    )
    return replace(all_of_them, names=names)


def _play(match: Match) -> None:
    """The button, and what happens while it runs."""
    if not match.names:
        st.info("Choose at least one method.", icon=":material/tune:")
        return
    step = so_far(match)
    running = st.session_state.get("_league_on") == match.key and not whole(step)
    row = st.container(horizontal=True, gap="small", vertical_alignment="center")
    if running:
        row.button("Stop", on_click=_stop, icon=":material/stop:", key="league_stop")
        try:
            _run(match)
        except Exception:
            _stop()  # or every later run of the page would fail again
            raise
        _stop()
        st.rerun()
    label = "Run again" if whole(step) else "Go on" if step is not None else "Start the league"
    row.button(
        label,
        on_click=partial(_start, match, whole(step)),
        type="secondary" if whole(step) else "primary",
        icon=":material/trophy:",
        key="league_start",
    )
    if step is not None and not whole(step):
        st.caption(f"Stopped at {step.done:,} of {step.total:,} passes; what is there is shown.")


def _run(match: Match) -> None:
    """The steps, with a bar and the table as it grows."""
    bar, place, drawn = st.progress(0.0, "Waiting for the device …"), st.empty(), 0.0
    for step in follow(match):
        now = time.monotonic()
        if now - drawn > _PAUSE:
            bar.progress(min(step.done / max(step.total, 1), 1.0), _words(step))
            league_view.growing(place, step)
            drawn = time.monotonic()
    bar.empty()
    place.empty()


def _words(step: Progressing) -> str:
    return f"{step.done:,} of {step.total:,} passes. {step.doing}"


def _start(match: Match, again: bool) -> None:
    if again:
        forget(match)
    st.session_state["_league_on"] = match.key


def _stop() -> None:
    st.session_state["_league_on"] = None


def _box(model: Model, photo: Photo, trace: Trace, target: Target) -> tuple[Corners | None, str]:
    """The drawn box, else the target's own, else the bundled detector's; and who told it."""
    own = dragged.box(photo)
    if own is not None:
        return (own[0], own[1], own[2], own[3]), "drawn by you"
    found = target_box(trace, target)
    if found is not None:
        return found, "the target's own"
    if isinstance(target, ClassTarget):
        detector = engine.load_model(models.default_card().name, str(model.device))
        seen = engine.trace_of(detector, photo)
        if isinstance(seen, DetectionTrace):
            best = detected_box(target.label, seen)
            return best, f"found by {detector.card.title}" if best else ""
    return None, ""


def _picture(photo: Photo, trace: Trace, target: Target, box: Corners | None, told_by: str) -> None:
    """The photo with the box, on which another can be drawn."""
    base = map_view.scene(photo, trace, target)
    if box is not None and told_by != "the target's own":
        base = replace(
            base,
            boxes=[*base.boxes, [round(v, 1) for v in box]],
            ids=[*base.ids, -2],
            labels=[*base.labels, "box"],
            scores=[*base.scores, None],
            colours=[*base.colours, GREEN],
            dashes=[*base.dashes, ()],
            captions=False,  # the box has no score to write
        )
    canvas.picture(
        photo,
        replace(base, asks="draw"),
        key="league_photo",
        present=shell.presenting(),
        tallest="20rem",
        on_pick=lambda pick: map_view.picked(trace, pick),
        on_ask=_drawn,
    )
    said = targets.in_words(trace, target)
    st.markdown(sentence(f"Explained: {quantity(target).lower()} of {said}."))
    where = "Drag a box on the photo: two scores ask where the object is."
    if box is not None:
        where = f"Box: {told_by}. Drag on the photo to draw another."
    st.caption(where)
    if told_by == "drawn by you":
        st.button("Forget my box", on_click=state.put, args=("drag", ""), key="league_forget")


def _drawn(place: list[float]) -> None:
    if len(place) == 4:
        state.put("drag", ",".join(f"{v:.0f}" for v in place))
