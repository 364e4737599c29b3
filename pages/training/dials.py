"""The settings of a run: widgets in the side bar, and what they say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from pages.shared import state
from pages.shared.state import Field
from vision_core.teaching.settings import BATCHES, DEPTHS, OPTIMISERS, RATES, WIDTHS
from vision_core.teaching.settings import LearningSettings as Settings

SECTIONS = {"learn": "Small network", "transfer": "Transfer"}
LESSONS = {"digits": "Digits", "crops": "Crops", "own": "Your classes"}
DECAYS = (0.0, 0.0001, 0.001, 0.01, 0.1)
LENGTHS = (5, 10, 20, 50, 100)
USUAL = Settings()
TRANSFER = Settings(rate=0.01, batch=16, decay=0.001)
"""The settings with which the two sections begin."""


def first() -> tuple[Field, ...]:
    """Section and data, from which the other defaults follow."""
    return (
        Field("section", "learn", state.one_of(SECTIONS)),
        Field("lesson", "digits", state.one_of(LESSONS)),
    )


def usual(section: str) -> Settings:
    """The settings with which a section begins."""
    return TRANSFER if section == "transfer" else USUAL


def _among(values: Sequence[float]) -> Callable[[str], Any]:
    def parse(text: str) -> Any:
        value = float(text)
        if value not in values:
            raise ValueError("one of " + ", ".join(f"{v:g}" for v in values))
        return values[list(values).index(value)]

    return parse


def fields(section: str) -> tuple[Field, ...]:
    """The fields of the settings; those of a layer that is not taught keep their value."""
    base = usual(section)
    return (
        Field("optimiser", base.optimiser, state.one_of(OPTIMISERS)),
        Field("learn_rate", base.rate, _among(RATES), "{:g}".format),
        Field("momentum", base.momentum, state.number(0, 0.99), "{:g}".format),
        Field("width", base.width, _among(WIDTHS)),
        Field("depth", base.depth, _among(DEPTHS)),
        Field("dropout", base.dropout, state.number(0, 0.9), "{:g}".format),
        Field("batch_norm", base.batch_norm, state.flag, lambda v: str(int(v))),
        Field("augment", base.augment, state.flag, lambda v: str(int(v))),
        Field("decay", base.decay, _among(DECAYS), "{:g}".format),
        Field("batch", base.batch, _among(BATCHES)),
        Field("learn_seed", base.seed, state.whole(0, 9999)),
        Field("until", 20, _among(LENGTHS)),
    )


def controls(section: str) -> Settings:
    """Draw the settings, and return what they say."""
    st.selectbox("Optimiser", list(OPTIMISERS), key="optimiser", format_func=OPTIMISERS.__getitem__)
    st.select_slider("Learning rate", RATES, key="learn_rate", format_func="{:g}".format)
    if st.session_state["optimiser"] == "sgd":
        st.slider("Momentum", 0.0, 0.99, step=0.01, key="momentum")
    if section == "learn":
        _network()
    left, right = st.columns(2)
    left.selectbox("Batch", BATCHES, key="batch", help="Pictures in one step.")
    right.selectbox(
        "Weight decay",
        DECAYS,
        key="decay",
        format_func="{:g}".format,
        help="L2 penalty: half of it times the sum of all squared weights is added to the loss.",
    )
    left, right = st.columns(2)
    left.number_input(
        "Seed",
        0,
        9999,
        key="learn_seed",
        help="Of the first weights, the order of the pictures, dropout and augmentation.",
    )
    right.selectbox("Epochs", LENGTHS, key="until", help="Where Start stops by itself.")
    return said(section)


def _network() -> None:
    left, right = st.columns(2)
    left.selectbox(
        "Width",
        WIDTHS,
        key="width",
        help="Filters of the first convolution; each later one has twice as many.",
    )
    right.selectbox("Depth", DEPTHS, key="depth", help="Convolutions, each with ReLU and pooling.")
    st.slider(
        "Dropout", 0.0, 0.9, step=0.1, key="dropout", help="Before the last layer, while it learns."
    )
    st.toggle("BatchNorm", key="batch_norm")
    st.toggle(
        "Augmentation",
        key="augment",
        help="Pictures are moved by up to an eighth of their side; photos are mirrored too.",
    )


def said(section: str) -> Settings:
    """What the widgets say; what a section has no widget for is as usual there."""
    value, base = st.session_state, usual(section)
    small = section == "learn"
    return Settings(
        optimiser=value["optimiser"],
        rate=float(value["learn_rate"]),
        # Adam has its own, so that two runs with it are not told apart by a hidden slider.
        momentum=float(value["momentum"]) if value["optimiser"] == "sgd" else base.momentum,
        width=int(value["width"]) if small else base.width,
        depth=int(value["depth"]) if small else base.depth,
        dropout=float(value["dropout"]) if small else base.dropout,
        batch_norm=bool(value["batch_norm"]) and small,
        augment=bool(value["augment"]) and small,
        decay=float(value["decay"]),
        batch=int(value["batch"]),
        seed=int(value["learn_seed"]),
    )
