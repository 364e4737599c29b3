"""Transfer learning: a frozen trunk, a trunk that is taught too, and one from random weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import streamlit as st

from pages.shared import charts, downloads, engine, state
from pages.shared.guard import guarded
from pages.training import classes, elsewhere, held, looking
from vision_core import devices
from vision_core.figures import teaching as figures
from vision_core.models import Model
from vision_core.teaching.data import LearningSet
from vision_core.teaching.keeping import as_bytes, record, set_words
from vision_core.teaching.network import parameters_of
from vision_core.teaching.run import LearningRun
from vision_core.teaching.settings import MOST_EPOCHS, LearningSettings
from vision_core.teaching.transfer import TRUNK, WAYS, converged, right, student, whole_network

SECTION = "transfer"
_PER_PICTURE = 0.014
"""Seconds that an epoch of the two dear ways takes for one picture, both together, on one core."""
_TITLES = {
    "head": "frozen trunk, a new last layer",
    "all": "everything is taught, from the trained trunk",
    "scratch": "everything is taught, from random weights",
}
Key = tuple[str, str, LearningSettings]


@dataclass(frozen=True)
class _Task:
    """What the three ways have in common."""

    data: LearningSet
    settings: LearningSettings
    name: str

    def key(self, way: str) -> Key:
        return (way, self.name, self.settings)


def fields(data: LearningSet | None) -> tuple[state.Field, ...]:
    """This section has no fields of its own."""
    return ()


def show(data: LearningSet, settings: LearningSettings) -> None:
    """The button with the cost, then three curves beside each other and what each way took.

    Args:
        data: photos of classes.
        settings: of all three ways.
    """
    task = _Task(data, settings, classes.key(data))
    own = held.runs(SECTION)
    if own.on is not None and own.on != task.key(""):
        held.stop(SECTION)
    running = own.on == task.key("")
    if not running:
        for run in _found(task).values():
            run.settle()  # or the buttons speak of an epoch less than the figures
    _buttons(task, running)
    live = st.fragment(_live, run_every=held.EVERY if running else None)
    live(task)


def _found(task: _Task) -> dict[str, LearningRun]:
    runs = {way: held.run_of(SECTION, task.key(way)) for way in WAYS}
    return {way: run for way, run in runs.items() if run is not None}


def _buttons(task: _Task, running: bool) -> None:
    row = st.container(horizontal=True, gap="small", vertical_alignment="center")
    if running:
        row.button(
            "Stop", key="transfer_stop", icon=":material/stop:", on_click=held.stop, args=(SECTION,)
        )
        row.caption(f"Until epoch {st.session_state['_transfer_end']}{engine.queue_words()}")
        return
    done = min((run.epoch for run in _found(task).values()), default=0)
    epochs = int(st.session_state["until"])
    row.button(
        "Go on" if done else "Start the three",
        key="transfer_start",
        type="primary",
        icon=":material/play_arrow:",
        on_click=_start,
        args=(task, done + epochs),
        disabled=done + epochs > MOST_EPOCHS,
    )
    cost = max(1, round(_PER_PICTURE * epochs * len(task.data.training)))
    row.caption(
        f"{set_words(task.data)}. {epochs} epochs take about {cost} s on a CPU; you can stop."
    )


def _start(task: _Task, end: int) -> None:
    with guarded("starting the three runs"):
        found = _found(task)
        own = held.runs(SECTION)
        for key in [k for k in own.tokens if k not in {task.key(way) for way in found}]:
            held.forget(SECTION, key)  # a session holds one set of three: they are large
        st.session_state["_transfer_end"] = end
        own.on = task.key("")
        classes.close()


def _model() -> Model:
    return engine.load_model(TRUNK, "cpu")


def _live(task: _Task) -> None:
    with guarded("teaching in three ways"):
        on = held.runs(SECTION).on == task.key("")
        if on:
            _or_stop(task, _begin)
        found = _found(task)
        if found:  # first of all: what waits for a slice to be drawn anew turns pale meanwhile
            _draw(task, found)
        if on:
            _or_stop(task, _slice)


def _or_stop(task: _Task, work: Callable[[_Task], None]) -> None:
    """Do some of the work; a fault ends it, or every later run of the page would fail again."""
    try:
        work(task)
    except Exception:
        held.stop(SECTION)
        raise


def _begin(task: _Task) -> None:
    """Make what is not there yet."""
    for way in WAYS:
        held.begin(
            SECTION, task.key(way), partial(student, way, _model(), task.data, task.settings)
        )


def _slice(task: _Task) -> None:
    """Learn for a while with the run that is furthest behind."""
    end, found = int(st.session_state["_transfer_end"]), _found(task)
    if not found:  # another session's runs took their place while they were drawn
        return
    behind = min(found.values(), key=lambda run: run.epoch)
    mine = held.runs(SECTION)
    if behind.epoch < end:
        with devices.patiently():
            behind.advance(held.SLICE, lambda: mine.on is not None)  # Stop is heard meanwhile
    if len(found) == len(WAYS) and all(run.epoch >= end for run in found.values()):
        held.stop(SECTION)
        st.rerun()


def _draw(task: _Task, found: dict[str, LearningRun]) -> None:
    tracks = [held.track(WAYS[way], run) for way, run in found.items()]
    level, words = _optimum(task, found)
    running = held.runs(SECTION).on == task.key("")
    loss, accuracy = st.columns(2, gap="small")
    with loss:
        looking.curves(tracks, "loss", running, "transfer_loss")
    with accuracy:
        if running:
            looking.curves(tracks, "accuracy", running, "")
        else:
            chart = figures.curves(tracks, "accuracy", level)
            charts.show(chart, "transfer_accuracy", "Accuracy of the three ways")
    st.caption(f"Full lines: validation; dotted: training. {words}")
    st.dataframe(
        [_row(way, run) for way, run in found.items()],
        hide_index=True,
        width="stretch",
        key="transfer_table",
        column_config={
            "parameters": st.column_config.NumberColumn("taught", format="localized"),
            "accuracy": st.column_config.NumberColumn("validation", format="%.3f"),
            "best": st.column_config.NumberColumn("its best", format="%.3f"),
            "seconds": st.column_config.NumberColumn("s an epoch", format="%.2f"),
        },
    )
    _files(found)


def _optimum(task: _Task, found: dict[str, LearningRun]) -> tuple[float | None, str]:
    """What the last layer reaches when it has converged, in the chart and in words."""
    head = found.get("head")
    if head is None or task.settings.decay == 0:
        return None, "With a weight decay above 0 the last layer has one optimum, shown dashed."
    kept = st.session_state.get("_transfer_optimum")
    if kept is None or kept[0] != task.key("head"):
        linear = converged(head.data, task.settings.decay)
        kept = (task.key("head"), right(linear, head.data, head.data.validation))
        st.session_state["_transfer_optimum"] = kept
    return kept[1], (
        f"Dashed: the last layer of least loss (logistic regression), {kept[1]:.3f} of the "
        "validation part."
    )


def _row(way: str, run: LearningRun) -> dict[str, object]:
    learned = run.history[1:]
    return {
        "way": _TITLES[way],
        "parameters": parameters_of(run.network),
        "epoch": run.epoch,
        "accuracy": run.history[-1].val_accuracy,
        "best": max(e.val_accuracy for e in run.history),
        "seconds": sum(e.seconds for e in learned) / len(learned) if learned else None,
    }


def _files(found: dict[str, LearningRun]) -> None:
    def make(way: str, run: LearningRun) -> bytes:
        return as_bytes(run, whole_network(way, run, _model()), way)

    files: dict[str, downloads.File] = {
        f"Weights: {WAYS[way]}": (
            f"_{way}.safetensors",
            partial(make, way, run),
            "application/octet-stream",
        )
        for way, run in found.items()
    }
    told = {way: record(run) for way, run in found.items()}
    files["Numbers"] = ("_transfer.json", lambda: downloads.as_json(told), "application/json")
    downloads.buttons("taught_resnet_s", files)
    way = st.selectbox(
        "One of the three", list(found), key="transfer_way", format_func=WAYS.__getitem__, width=260
    )
    title = f"resnet_s {way} epoch {found[way].epoch}"
    elsewhere.offer(title, lambda: make(way, found[way]), "transfer")
