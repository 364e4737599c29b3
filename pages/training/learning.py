"""A small network that learns: start, stop, go on, take back, and several runs in one chart."""

from __future__ import annotations

import streamlit as st

from pages.shared import downloads, engine, state
from pages.shared.guard import guarded
from pages.training import classes, dials, elsewhere, held, looking
from vision_core import devices
from vision_core.figures import teaching as figures
from vision_core.teaching.data import LearningSet
from vision_core.teaching.keeping import as_bytes, record, set_words
from vision_core.teaching.network import PlainNet, parameters_of
from vision_core.teaching.run import LearningRun
from vision_core.teaching.settings import MOST_EPOCHS, LearningSettings, differing

SECTION = "learn"
Key = tuple[str, LearningSettings]


def fields(data: LearningSet | None) -> tuple[state.Field, ...]:
    """The picture that is looked at, and the cell of the confusion matrix."""
    if data is None:
        return ()
    first = int(data.validation[0])
    return (
        state.Field("seen", first, state.whole(0, len(data.labels) - 1)),
        looking.cell_of(len(data.classes)),
    )


def show(data: LearningSet, settings: LearningSettings) -> None:
    """The buttons, then what the run looks like now; while it learns it is drawn again and again.

    Args:
        data: what is learned.
        settings: how.
    """
    key = (classes.key(data), settings)
    own = held.runs(SECTION)
    run = held.run_of(SECTION, key)
    if own.on is not None and own.on != key:
        held.stop(SECTION)  # the settings or the data were changed while another one learned
    running = own.on == key
    if run is not None and not running:
        run.settle()  # or the buttons speak of an epoch less than the figures
    _buttons(data, key, run, running)
    if run is None:
        _, channels, side, _ = data.pictures.shape
        made = PlainNet(settings, channels, side, len(data.classes))
        st.caption(
            f"{set_words(data)}. The network has {parameters_of(made):,} parameters. "
            "Nothing has been learned with these settings yet: press Start."
        )
        looking.examples(data)
    live = st.fragment(_live, run_every=held.EVERY if running else None)
    live(key)


def _buttons(data: LearningSet, key: Key, run: LearningRun | None, running: bool) -> None:
    row = st.container(horizontal=True, gap="small", vertical_alignment="bottom")
    if running:
        row.button(
            "Stop", key="learn_stop", icon=":material/stop:", on_click=held.stop, args=(SECTION,)
        )
        row.caption(f"Until epoch {_end(key, run)}{engine.queue_words()}")
        return
    row.button(
        "Start" if run is None else "Go on",
        key="learn_start",
        type="primary",
        icon=":material/play_arrow:",
        on_click=_start,
        args=(data, key),
        disabled=run is not None and run.epoch >= MOST_EPOCHS,
    )
    row.button(
        "One epoch",
        key="learn_one",
        icon=":material/skip_next:",
        on_click=_one,
        args=(data, key),
        disabled=run is not None and run.epoch >= MOST_EPOCHS,
    )
    if run is None:
        return
    earlier = [n for n in run.held if n < run.epoch]
    if earlier:
        row.selectbox(
            "Take back to epoch",
            earlier[::-1],
            key="learn_back_to",
            width=200,
            help="Weights and optimiser are as they were then; what came later is forgotten.",
        )
        row.button(
            "Take back", key="learn_back", icon=":material/undo:", on_click=_back, args=(key,)
        )
    if len(held.runs(SECTION).tokens) > 1:
        row.button(
            "Forget the other runs",
            key="learn_forget",
            icon=":material/delete:",
            on_click=_forget_others,
            args=(key,),
        )


def _end(key: Key, run: LearningRun | None) -> int:
    """The epoch at which a started run stops by itself."""
    return st.session_state.get("_learn_end", st.session_state["until"])


def _made(data: LearningSet, key: Key) -> LearningRun:
    return held.begin(SECTION, key, lambda: LearningRun(data, key[1]))


def _start(data: LearningSet, key: Key) -> None:
    with guarded("starting the run"):
        run = _made(data, key)
        length = int(st.session_state["until"])
        reached = run.epoch // length * length
        st.session_state["_learn_end"] = min(reached + length, MOST_EPOCHS)
        held.runs(SECTION).on = key
        classes.close()


def _one(data: LearningSet, key: Key) -> None:
    with guarded("learning an epoch"):
        run = _made(data, key)
        st.session_state["_learn_end"] = run.epoch + 1
        held.runs(SECTION).on = key


def _back(key: Key) -> None:
    with guarded("taking epochs back"):
        run = held.run_of(SECTION, key)
        if run is not None:
            run.back_to(int(st.session_state["learn_back_to"]))


def _forget_others(key: Key) -> None:
    for other in [k for k in held.runs(SECTION).tokens if k != key]:
        held.forget(SECTION, other)


def _live(key: Key) -> None:
    """Everything that can be seen, then a slice of learning if the run is on."""
    run = held.run_of(SECTION, key)
    if run is None:
        return
    with guarded("learning"):
        # Drawn first: what waits for a slice to be drawn anew turns pale meanwhile.
        _draw(run, key)
        if _slice(run, key):
            st.rerun()  # the buttons stand outside of what is drawn again


def _slice(run: LearningRun, key: Key) -> bool:
    """Learn for a while if the run is on; returns whether it has come to its end just now."""
    mine = held.runs(SECTION)
    if mine.on != key:
        return False
    try:
        if run.epoch < st.session_state["_learn_end"]:
            with devices.patiently():
                run.advance(held.SLICE, lambda: mine.on == key)  # Stop is heard meanwhile
            held.grown(SECTION, key)
    except Exception:
        held.stop(SECTION)
        raise
    if run.epoch >= st.session_state["_learn_end"]:
        held.stop(SECTION)
        return True
    return False


def _draw(run: LearningRun, key: Key) -> None:
    running = held.runs(SECTION).on == key
    last = run.history[-1]
    part = f", {run.share:.0%} of the next" if run.share else ""
    st.markdown(
        f"Epoch **{last.number}**{part} &ensp; validation: accuracy **{last.val_accuracy:.3f}**, "
        f"loss **{last.val_loss:.3f}** &ensp; training: accuracy {last.accuracy:.3f}, loss "
        f"{last.loss:.3f}"
    )
    tracks = _tracks(key)
    loss, accuracy, side = st.columns([3, 3, 2], gap="small")
    with loss:
        looking.curves(tracks, "loss", running, "learn_loss")
    with accuracy:
        looking.curves(tracks, "accuracy", running, "learn_accuracy")
    with side:
        looking.first_layer(run)
    looking.of_picture(run, int(st.session_state["seen"]), running)
    before = str(st.session_state["cell"])
    cell, clicked = looking.confusions(run, before, running)
    _files(run)
    if cell != before or clicked is not None:
        state.put("cell", cell)
        if clicked is not None:
            state.put("seen", clicked)
        st.rerun()


def _tracks(key: Key) -> list[figures.Track]:
    """All runs of the session on these data, named by what makes them differ; this one first."""
    others = [k for k in held.runs(SECTION).tokens if k[0] == key[0] and k != key]
    found = [held.run_of(SECTION, one) for one in (key, *others)]
    return [
        held.track(differing(run.settings, dials.USUAL), run) for run in found if run is not None
    ]


def _files(run: LearningRun) -> None:
    st.caption(f"{set_words(run.data)}; {parameters_of(run.network):,} parameters.")
    downloads.buttons(
        f"taught_{run.data.name}_epoch_{run.epoch}",
        {
            "Weights (safetensors)": (
                ".safetensors",
                lambda: as_bytes(run),
                "application/octet-stream",
            ),
            "Numbers": ("_teach.json", lambda: downloads.as_json(record(run)), "application/json"),
        },
    )
    elsewhere.offer(f"{run.data.name} epoch {run.epoch}", lambda: as_bytes(run), "learn")
