"""One model in detail: its card, its layers, its training; for the catalogue page."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from pages import navigation
from pages.models import own_network
from pages.shared import charts, model_picker, state
from pages.shared.guard import guarded
from pages.shared.plain import plain
from vision_core import models
from vision_core.errors import UserError
from vision_core.models import Card
from vision_core.teaching import taught

_STATUS = {
    "bundled": "bundled with ConvScope",
    "cached": "on this machine",
    "downloadable": "to be downloaded",
    "own": "yours, in this browser session",
}
_ROUTINE = ("BatchNorm2d", "LayerNorm", "LayerNorm2d", "FrozenBatchNorm2d")


def status_word(status: str) -> str:
    """Where the weights of a model are, in words."""
    return _STATUS[status]


def show(card: Card) -> None:
    """The whole card, in tabs."""
    left, right = st.columns([3, 2], vertical_alignment="center")
    left.subheader(card.title, anchor=False)
    with right:
        _ways_in(card)
        if card.own:
            own_network.remove_button(card)
    about, layers, training = st.tabs(["Card", "Layers", "Training"])
    with about:
        _about(card)
    with layers, guarded(f"laying out {card.name}"):
        _layers(card)
    with training:
        _training(card)


def _ways_in(card: Card) -> None:
    status = models.status(card)
    if status == "downloadable":
        label = f"Download {card.bytes / 2**20:.0f} MB"
        if st.button(label, icon=":material/download:", key="get", width="stretch"):
            with guarded(f"downloading {card.name}"):
                model_picker.fetch(card)
                st.rerun()
        return
    navigation.link(
        "predictions",
        "Open in Predictions",
        "frame_person",
        state.link(task=card.task, model=card.name),
    )


def _about(card: Card) -> None:
    architecture = card.extra.get("architecture")
    if architecture:
        st.markdown(architecture)
    facts = {
        "name": f"`{card.name}`",
        "architecture": f"`{card.architecture}`" if card.own else "",
        "task": model_picker.TASK_WORDS[card.task],
        "parameters": f"{card.parameters:,}",
        "weights": f"{card.bytes / 2**20:.1f} MB, {status_word(models.status(card))}",
        "input": card.input,
        "limits": card.limits,
        "paper": _paper(card),
        "licence": card.licence,
    }
    speed = card.extra.get("speed_ms_640x480")
    if speed:
        facts["speed"] = f"{speed:g} ms for a 640 x 480 photo on two CPU threads"
    left, right = st.columns([3, 2], gap="large")
    left.markdown("\n".join(f"- **{name}**: {text}" for name, text in facts.items() if text))
    with right:
        if card.scores:
            st.markdown("**Scores**")
            st.dataframe(
                pd.DataFrame(card.scores, columns=["metric", "value", "data"]),
                hide_index=True,
                width="stretch",
                height=min(38 + 35 * len(card.scores), 260),
                column_config={"value": st.column_config.NumberColumn(format="%.4g")},
            )
    _classes(card)


def _classes(card: Card) -> None:
    names = card.classes
    with st.expander(f"The {len(names):,} classes that it knows", expanded=len(names) <= 25):
        st.write(", ".join(map(plain, names)))
        if card.joints:
            st.write(f"**{len(card.joints)} joints:** " + ", ".join(card.joints))


def _paper(card: Card) -> str:
    if card.paper is None:
        return "own design"
    paper = card.paper
    title = f"[{paper.title}]({paper.url})" if paper.url else paper.title
    return f"{paper.authors} ({paper.year}), {title}"


def _layers(card: Card) -> None:
    if taught.usual(card.builder) is None:
        st.info(
            "A small network that was taught here: its layers are on the page Training.",
            icon=":material/school:",
        )
        return
    from vision_core.figures.network import cost_by_layer
    from vision_core.models.anatomy import PHOTO, anatomy, skeleton
    from vision_core.models.layout import not_maps

    laid_out = anatomy(card)
    channels, height, width = laid_out.input_shape
    st.markdown(
        f"For a photo of {PHOTO[0]} x {PHOTO[1]} pixels the network is given {channels} x {height} "
        f"x {width} (channels, height, width) and takes **{laid_out.multiply_adds / 1e9:,.3g} "
        f"billion multiply-adds**. {laid_out.note}"
    )
    charts.show(cost_by_layer(laid_out.layers), "cost", "Millions of multiply-adds by layer")
    seen = _receptive_fields(card.builder)
    inner = not_maps(skeleton(card)[0])
    norms = st.toggle("Normalisation layers too", key="norms")
    rows = [
        {
            "layer": layer.name,
            "kind": layer.kind,
            "kernel": layer.text,
            "output": shape_words(layer.shapes[0], layer.name in inner),
            "sees": seen.get(layer.name, ""),
            "uses": len(layer.shapes),
            "parameters": layer.parameters,
            "multiply-adds (M)": layer.multiply_adds / 1e6,
        }
        for layer in laid_out.layers
        if norms or layer.kind not in _ROUTINE
    ]
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        width="stretch",
        height=380,
        column_config={
            "output": st.column_config.TextColumn(
                "output (C x H x W)",
                help="Channels x rows x columns. Marked with *: a layer of a transformer or of the "
                "inside of a ConvNeXt block, whose last number is the channels.",
            ),
            "sees": st.column_config.TextColumn(
                "receptive field", help="Pixels of the input that a unit in the middle can see."
            ),
            "parameters": st.column_config.NumberColumn(format="localized"),
            "multiply-adds (M)": st.column_config.NumberColumn(format="%.2f"),
        },
    )
    st.caption(
        "A layer that is used several times, such as a head on each level of a pyramid, shows its "
        "first output. Activations, dropout and interpolation are not listed: they have no weights."
    )


def shape_words(shape: Sequence[int], inner: bool) -> str:
    """A shape as text; a star where it is no map of channels, rows and columns."""
    return "x".join(map(str, shape)) + (" *" if inner else "")


@st.cache_data(max_entries=64, show_spinner=False)
def _receptive_fields(name: str) -> dict[str, str]:
    """Width x height of the theoretical receptive field, for the layers that can be followed."""
    from vision_core.features.receptive import Graph
    from vision_core.models.anatomy import skeleton

    module, picture = skeleton(models.card(name))
    prefix = "backbone." if hasattr(module, "backbone") and hasattr(module, "transform") else ""
    part = module.get_submodule("backbone") if prefix else module
    found = {}
    try:
        graph = Graph(part, picture)
        for layer, (_, high, wide) in graph.layers().items():
            x1, y1, x2, y2 = graph.field(layer, high // 2, wide // 2)
            # squeeze-and-excitation averages the whole map on the way
            whole = graph.global_pooling(layer, high // 2, wide // 2) is not None
            found[prefix + layer] = "whole picture" if whole else f"{x2 - x1} x {y2 - y1}"
    except UserError:
        return found  # layers behind something that depends on the numbers have none
    return found


def _training(card: Card) -> None:
    from vision_core.figures.network import training_curve

    run = card.extra.get("training")
    if card.own:
        st.info("Trained by you; the file does not say how.", icon=":material/school:")
        return
    if not run:
        st.info(
            "Trained by the authors of torchvision. Their recipes are in torchvision's repository, "
            "in the folder references.",
            icon=":material/school:",
        )
        return
    history = card.extra.get("history") or []
    left, right = st.columns(2)
    for place, key, title in ((left, "loss", "Training loss"), (right, "score", "Score on val")):
        if any(key in row for row in history):
            chart = training_curve(history, key, title)
            charts.show(chart, f"curve_{key}", f"{title} by epoch", at=place)
    st.markdown(
        f"{run.get('epochs')} epochs in {run.get('minutes')} minutes on {run.get('hardware')}. "
        f"{run.get('notes', '')}"
    )
    st.code(run.get("command", ""), language="bash", wrap_lines=True)
    st.markdown(
        "\n".join(
            f"- **{part['name']}**, {part['split']}, {part['images']:,} pictures: {part['terms']}"
            for part in card.extra.get("data") or []
        )
    )
