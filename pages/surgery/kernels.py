"""The numbers of one kernel as a table that can be changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pandas as pd
import streamlit as st

from pages.shared import state
from pages.shared.state import Field
from vision_core.errors import UserError
from vision_core.models import Model
from vision_core.surgery import Kernel
from vision_core.surgery.parts import kernels_of
from vision_core.surgery.plan import kernel_text, rewritten

MOST = 6
"""Kernels that can be changed at a time; their numbers stand in the address."""
_SEPARATOR = ";"
Shapes = dict[str, tuple[int, int, int, int]]
Rows = list[list[float]]


def fields(model: Model) -> tuple[Field, ...]:
    """Which kernel is shown, and those whose numbers were changed."""
    shapes = kernels_of(model.module)
    layer = Field("kernel_layer", next(iter(shapes)), state.one_of(shapes))
    state.use(layer)
    filters, channels, *_ = shapes[st.session_state["kernel_layer"]]
    return (
        layer,
        Field("kernel_filter", 0, state.whole(0, filters - 1)),
        Field("kernel_channel", 0, state.whole(0, channels - 1)),
        Field("kernels", [], _changed(shapes), _SEPARATOR.join),
    )


def _changed(shapes: Shapes) -> Callable[[str], list[str]]:
    def parse(text: str) -> list[str]:
        found = [part for part in text.split(_SEPARATOR) if part]
        for part in found:
            try:
                kernel = rewritten(part)
            except UserError as error:
                raise ValueError(str(error)) from None
            filters, channels, height, width = shapes.get(kernel.layer, (0, 0, 0, 0))
            fits = kernel.filter < filters and kernel.channel < channels
            if not fits or len(kernel.values) != height * width:
                raise ValueError("kernels of this network as layer:filter:channel=numbers")
        return found[:MOST]

    return parse


def made(kind: str, now: Rows) -> Rows:
    """Numbers of a well-known kernel, in the size of the present one.

    Args:
        kind: a key of ``READY``.
        now: the numbers that stand there, row by row.
    """
    height, width = len(now), len(now[0])
    if kind == "zeros":
        return [[0.0] * width for _ in range(height)]
    if kind == "mean":
        return [[1 / (height * width)] * width for _ in range(height)]
    if kind == "negative":
        return [[-value for value in row] for row in now]
    return [row[::-1] for row in now[::-1]]


READY = {
    "zeros": "All zero",
    "mean": "Average (blur)",
    "negative": "Negative",
    "rotate": "Rotate by 180°",
}


def show(model: Model) -> None:
    """Layer, filter and input channel; the table; the kernels that were changed."""
    shapes = kernels_of(model.module)
    layer, filter_, channel, ready = st.columns([4, 2, 2, 4], vertical_alignment="bottom")
    layer.selectbox("Convolution", list(shapes), key="kernel_layer")
    filters, channels, *_ = shapes[st.session_state["kernel_layer"]]
    filter_.number_input(f"Filter, 0 to {filters - 1}", 0, filters - 1, key="kernel_filter")
    channel.number_input(
        f"Input channel, 0 to {channels - 1}", 0, channels - 1, key="kernel_channel"
    )
    here = tuple(st.session_state[f"kernel_{part}"] for part in ("layer", "filter", "channel"))
    now = numbers(model, *here)
    with ready.container(horizontal=True, gap="small"):
        for kind, words in READY.items():
            st.button(
                words, key=f"kernel_{kind}", on_click=_put, args=(model, here, made(kind, now))
            )
    _table(model, here, now)
    if st.session_state["kernels"]:
        st.multiselect(
            "Changed kernels",
            list(st.session_state["kernels"]),
            key="kernels",
            format_func=lambda text: rewritten(text).words,
            help="Remove one, and its numbers are again those that were learned.",
        )


def numbers(model: Model, layer: str, number: int, channel: int) -> Rows:
    """The numbers of a kernel as they are now: changed ones, or those of the network."""
    weight: Any = model.module.get_submodule(layer).weight
    height, width = weight.shape[2:]
    for text in st.session_state["kernels"]:
        kernel = rewritten(text)
        if (kernel.layer, kernel.filter, kernel.channel) == (layer, number, channel):
            values = kernel.values
            return [list(values[row * width : (row + 1) * width]) for row in range(height)]
    rows: Rows = weight[number, channel].detach().cpu().double().tolist()
    return rows


def _table(model: Model, here: tuple[str, int, int], now: Rows) -> None:
    """The table. Its key holds the numbers, so that it starts anew when they change elsewhere."""
    frame = pd.DataFrame(now, columns=[str(column) for column in range(len(now[0]))])
    key = f"kernel_table_{hash((model.fingerprint, here, json.dumps(now)))}"
    with st.container(width=min(900, 110 * len(now[0]) + 40)):
        st.data_editor(
            frame,
            key=key,
            hide_index=True,
            on_change=_edited,
            args=(model, here, now, key),
            column_config={
                name: st.column_config.NumberColumn(format="%.4f", required=True)
                for name in frame.columns
            },
        )
    st.caption("Change a number, and the result follows. Every number multiplies one input pixel.")


def _edited(model: Model, here: tuple[str, int, int], now: Rows, key: str) -> None:
    """Take over the numbers that were typed into the table."""
    rows = [list(row) for row in now]
    for row, cells in st.session_state[key]["edited_rows"].items():
        for column, value in cells.items():
            if value is not None:
                rows[int(row)][int(column)] = float(value)
    _put(model, here, rows)


def _put(model: Model, here: tuple[str, int, int], rows: Rows) -> None:
    """Keep the numbers of a kernel; those that the network learned need not be kept."""
    layer, number, channel = here
    try:
        kernel = Kernel(layer, number, channel, tuple(value for row in rows for value in row))
    except UserError as error:
        state.note(str(error))
        return
    others = [
        text
        for text in st.session_state["kernels"]
        if not text.startswith(f"{layer}:{number}:{channel}=")
    ]
    weight: Any = model.module.get_submodule(layer).weight
    learned = weight[number, channel].detach().cpu().double().flatten().tolist()
    own = Kernel(layer, number, channel, tuple(learned))
    text = kernel_text(kernel)
    state.put("kernels", [*others, *([] if text == kernel_text(own) else [text])][-MOST:])
