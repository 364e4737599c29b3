"""The dials of the page: which blocks, which channels, which activation, which weights."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from pages.shared import state
from pages.shared.state import Field
from pages.surgery import kernels
from vision_core.errors import UserError
from vision_core.models import Model
from vision_core.surgery import ACTIVATIONS, PRECISIONS, Plan, Scale
from vision_core.surgery.parts import Block, blocks_of, has_relu, layers_of
from vision_core.surgery.plan import amplified, planned, rewritten

_BITS = (0, 2, 3, 4, 5, 6, 8, 10, 12, 16)
_TABS = ("Blocks", "Channels", "Kernel", "Activation", "Weights")
_MOST_KEPT = 12


def fields(model: Model) -> tuple[Field, ...]:
    """The fields of the dials; blocks, layers and channels are those of the model."""
    names = [block.name for block in blocks_of(model.module)]
    layers = layers_of(model.module)
    middle = _first_layer(model)
    layer = Field("cut_layer", middle, state.one_of(layers))
    state.use(layer)
    width = layers[st.session_state["cut_layer"]]
    return (
        Field("skip", [], state.some_of(names), ",".join),
        layer,
        Field("cut_channels", (0, width - 1), _ends(width), lambda v: f"{v[0]}-{v[1]}"),
        Field("cut_factor", 1.0, state.number(0, 4), "{:g}".format),
        Field("kept", [], _kept(layers), ",".join),
        *kernels.fields(model),
        Field("relu_for", "relu", state.one_of(ACTIVATIONS)),
        Field("bits", 0, _bits),
        Field("noise", 0.0, state.number(0, 2), "{:g}".format),
        Field("noise_seed", 0, state.whole(0, 9999)),
        Field("precision", "float32", state.one_of(PRECISIONS)),
    )


def _first_layer(model: Model) -> str:
    """The first residual block, or else the first layer behind the first convolution."""
    blocks = blocks_of(model.module)
    return blocks[0].name if blocks else next(iter(layers_of(model.module)))


def _ends(width: int) -> Callable[[str], tuple[int, int]]:
    single = state.whole(0, width - 1)

    def parse(text: str) -> tuple[int, int]:
        first, _, last = text.partition("-")
        ends = single(first), single(last or first)
        if ends[0] > ends[1]:
            raise ValueError("channels as first-last")
        return ends

    return parse


def _kept(layers: dict[str, int]) -> Callable[[str], list[str]]:
    def parse(text: str) -> list[str]:
        found = [part for part in text.split(",") if part]
        for part in found:
            try:
                scale = amplified(part)
            except UserError as error:
                raise ValueError(str(error)) from None
            if scale.last >= layers.get(scale.layer, 0):
                raise ValueError("channels of this network as layer:first-last:factor")
        return found[:_MOST_KEPT]

    return parse


def _bits(text: str) -> int:
    value = state.whole(0, 16)(text)
    if value not in _BITS:
        raise ValueError("one of " + ", ".join(map(str, _BITS)))
    return value


def controls(model: Model) -> Plan:
    """Draw the dials in tabs, so that the results stay in sight.

    Raises:
        UserError: the dials contradict each other.
    """
    blocks, channels, kernel, activation, weights = st.tabs(list(_TABS))
    with blocks:
        _blocks(blocks_of(model.module))
    with channels:
        _channels(layers_of(model.module))
    with kernel:
        kernels.show(model)
    with activation:
        _activation(model)
    with weights:
        _weights()
    return plan(model)


def plan(model: Model) -> Plan:
    """What the dials say."""
    value = st.session_state
    scale = [amplified(text) for text in value["kept"]]
    scale.append(_current())
    return planned(
        value["skip"],
        scale,
        value["relu_for"] if has_relu(model.module) else "relu",
        (float(value["noise"]), int(value["noise_seed"])),
        int(value["bits"]) or None,
        value["precision"],
        [rewritten(text) for text in value["kernels"]],
    )


def _current() -> Scale:
    value = st.session_state
    first, last = value["cut_channels"]
    return Scale(value["cut_layer"], int(first), int(last), float(value["cut_factor"]))


def shortened(names: list[str]) -> dict[str, str]:
    """Names without what all of them begin with."""
    parts = [name.split(".") for name in names]
    common = 0
    while len(parts) > 1 and len({tuple(part[: common + 1]) for part in parts}) == 1:
        common += 1
    return {name: ".".join(part[common:]) for name, part in zip(names, parts, strict=True)}


def _blocks(blocks: tuple[Block, ...]) -> None:
    if not blocks:
        st.caption(
            "This network has no residual blocks (BasicBlock or Bottleneck of a ResNet). Choose "
            "one with a residual trunk, such as resnet_s, or operate on its channels."
        )
        return
    words = shortened([block.name for block in blocks])
    projections = {block.name for block in blocks if not block.identity}
    st.pills(
        "Skip these residual blocks",
        [block.name for block in blocks],
        selection_mode="multi",
        key="skip",
        format_func=lambda name: words[name] + (" ▷" if name in projections else ""),
        help="What is skipped is the residual branch: the block becomes its shortcut and the ReLU "
        "behind it. ▷: the shortcut is a 1x1 convolution; elsewhere it hands on its input.",
    )


def _channels(layers: dict[str, int]) -> None:
    left, middle, right, keep = st.columns([3, 3, 3, 2], vertical_alignment="bottom")
    left.selectbox(
        "Layer",
        list(layers),
        key="cut_layer",
        format_func=lambda name: f"{name} ({layers[name]})",
        help="In brackets: how many channels it puts out.",
    )
    width = layers[st.session_state["cut_layer"]]
    if width > 1:
        middle.slider("Channels", 0, width - 1, key="cut_channels")
    else:
        middle.caption("It has one channel.")
    right.slider(
        "Factor", 0.0, 4.0, step=0.1, key="cut_factor", help="0 silences them, 1 changes nothing."
    )
    keep.button(
        "Keep",
        key="keep_channels",
        help="Keep these channels as they are, and choose others.",
        on_click=_keep,
        icon=":material/add:",
        disabled=st.session_state["cut_factor"] == 1 or len(st.session_state["kept"]) >= _MOST_KEPT,
        width="stretch",
    )
    if st.session_state["kept"]:
        st.multiselect(
            "Kept",
            list(st.session_state["kept"]),
            key="kept",
            format_func=lambda text: amplified(text).words,
        )


def _keep() -> None:
    """Put the present channels among the kept ones, and start with a factor of 1 again."""
    scale = _current()
    text = f"{scale.layer}:{scale.channels}:{scale.factor:g}"
    kept: list[str] = st.session_state["kept"]
    state.put("kept", list(dict.fromkeys([*kept, text])))
    state.put("cut_factor", 1.0)


def _activation(model: Model) -> None:
    if not has_relu(model.module):
        st.caption("This network calls no ReLU.")
        return
    st.segmented_control(
        "In place of every ReLU",
        list(ACTIVATIONS),
        key="relu_for",
        required=True,
        format_func=ACTIVATIONS.__getitem__,
    )


def _weights() -> None:
    bits, noise, seed, precision = st.columns([2, 3, 1.6, 3], vertical_alignment="bottom")
    bits.selectbox(
        "Bits of the weights",
        _BITS,
        key="bits",
        format_func=lambda n: f"{n} bits" if n else "as they are",
        help="Weights of each convolution and linear layer on 2ⁿ - 1 evenly spaced values.",
    )
    noise.slider(
        "Noise",
        0.0,
        2.0,
        step=0.05,
        key="noise",
        help="Gaussian, in standard deviations of the weights of each layer.",
    )
    seed.number_input("Seed", 0, 9999, key="noise_seed", help="Another seed is another noise.")
    precision.segmented_control(
        "Precision",
        PRECISIONS,
        key="precision",
        required=True,
        help="Weights and the output of each layer are rounded to it.",
    )
