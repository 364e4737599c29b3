"""The model picker: every catalogue model of a task, bundled first, and what to do without one."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.shared import catalogue, engine, own_networks, serving, state
from pages.shared.guard import guarded
from pages.shared.plain import sentence as as_text
from pages.shared.state import Field
from vision_core import devices, models
from vision_core.errors import WeightsMissing
from vision_core.models import Card, Model, weights
from vision_core.teaching import taught

TASK_WORDS = {
    "detection": "Objects: boxes",
    "instance": "Objects: boxes and masks",
    "keypoint": "Persons: keypoints (one network)",
    "pose": "Persons: pose (detector and pose network)",
    "segmentation": "Semantic segmentation",
    "classification": "Classification",
}


def _tasks() -> list[str]:
    return [task for task in TASK_WORDS if models.cards(task)]


def fields(first: str = "") -> tuple[Field, ...]:
    """The picker's fields; the default model depends on the task and on what is on this machine.

    Args:
        first: the model with which a page opens, where nobody has chosen one.
    """
    tasks = _tasks()
    task = Field("task", models.card(first).task if first else tasks[0], state.one_of(tasks))
    state.use(task)
    names = [c.name for c in catalogue.cards(st.session_state["task"])]
    default = weights.default_for_page(st.session_state["task"]).name
    own = first if first in names else default
    return task, Field("model", own, own_networks.parser(names)), device_field()


def device_field() -> Field:
    """Where networks run."""
    return Field("device", "auto", state.one_of(("auto", *devices.available())))


def pick(first: str = "") -> Card:
    """Draw the picker and return the chosen model's card.

    Args:
        first: the model with which the page opens, where nobody has chosen one.
    """
    used = fields(first)
    state.use(*used)
    st.selectbox("Task", _tasks(), key="task", format_func=TASK_WORDS.__getitem__)
    by_name = {c.name: c for c in catalogue.cards(st.session_state["task"])}
    status = {name: models.status(card) for name, card in by_name.items()}
    st.selectbox(
        "Model",
        list(by_name),
        key="model",
        format_func=lambda name: line(by_name[name], status[name]),
    )
    chosen = by_name[st.session_state["model"]]
    _say_default(chosen)
    pick_device()
    return chosen


def _say_default(card: Card) -> None:
    """Say why the page opened with a full-size model, with the way to the bundled one."""
    if card.bundled or card != weights.default_for_page(card.task):
        return
    st.caption("Its full-size weights are on this machine, so it is the default.")
    _bundled_button(card, st, "bundled_instead")


def _bundled_button(card: Card, at: Any, key: str, **look: str) -> None:
    """Draw the way to the bundled model of the same task, where there is one."""
    other = models.bundled_alternative(card)
    if other is not None:
        at.button(
            "Use the bundled model",
            on_click=use,
            args=(other,),
            width="stretch",
            key=key,
            help=other.title,
            **look,
        )


def pick_device() -> None:
    """Draw the choice of a device, where there is one, and say where the networks run."""
    if len(devices.available()) > 1:
        st.selectbox("Device", ("auto", *devices.available()), key="device")
    device = devices.resolve(st.session_state.get("device", "auto"))
    where = devices.describe(device)
    if serving.configured():
        words = f"Predictions and maps come from the computing service; the rest runs on {where}."
    else:
        words = f"Networks run on {where}."
    st.caption(f":material/memory: {words}")


def line(card: Card, status: str) -> str:
    """A model's title and where its weights are.

    Args:
        card: of the model.
        status: as ``models.status`` says it.
    """
    if status == "own":
        return card.title
    where = {"bundled": "bundled", "cached": "downloaded"}.get(
        status, f"download, {card.bytes / 2**20:.0f} MB"
    )
    return f"{card.title} ({where})"


def load(card: Card) -> Model | None:
    """The model, or ``None`` after saying what is missing and offering both ways out."""
    with guarded(f"loading {card.name}"):
        try:
            with st.spinner(f"Loading {card.title}, {card.parameters / 1e6:.1f} M parameters …"):
                device = devices.resolve(st.session_state.get("device", "auto"))
                return engine.load_model(card.name, str(device))
        except WeightsMissing as missing:
            _offer(missing.card or card, str(missing))
    return None


def _offer(card: Card, sentence: str) -> None:
    st.warning(as_text(sentence), icon=":material/cloud_off:")
    left, right, _ = st.columns([2, 2, 3])
    _bundled_button(card, right, "use_bundled", type="primary")
    wanted = card.url is not None and left.button(
        f"Download {card.bytes / 2**20:.0f} MB",
        icon=":material/download:",
        width="stretch",
        key="download_weights",
    )
    if wanted:
        with guarded(f"downloading {card.name}"):
            fetch(card)
            st.rerun()


def fetch(card: Card) -> None:
    """Download the weights of a model under a bar that shows how far it is.

    Raises:
        UserError: no network, no space, or not the right file.
    """
    bar = st.progress(0.0, text=f"Downloading {card.name} …")

    def progress(done: int, total: int) -> None:
        bar.progress(
            min(done / max(total, 1), 1.0),
            text=f"{card.name}: {done / 2**20:.0f} of {total / 2**20:.0f} MB",
        )

    models.download(card, progress=progress)


def use(card: Card) -> None:
    """Choose a model; for callbacks."""
    state.put("task", card.task)
    state.put("model", card.name)


def about(card: Card) -> str:
    """One line about a model: family, paper, published score, licence."""
    parts = [f"**{card.title}**", *_form(card), f"{card.parameters / 1e6:.1f} M parameters"]
    if card.scores:
        score = card.scores[0]
        parts.append(f"{score.metric} {score.value:g} on {score.dataset}")
    if card.paper is not None:
        paper = card.paper
        title = f"[{paper.title}]({paper.url})" if paper.url else paper.title
        parts.append(f"{paper.authors} {paper.year}, {title}")
    return "; ".join(parts) + "."


def _form(card: Card) -> list[str]:
    """Whose architecture somebody's own network has."""
    form = taught.usual(card.architecture) if card.own else None
    return [f"a network of the form {form.title}"] if form else []
