"""Why is nothing here? A place that the user points at, and the sentence that answers."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from pages.components.canvas import Mark
from pages.shared import state
from pages.shared.plain import sentence
from pages.shared.state import Field
from pages.shared.thresholds import class_names
from vision_core.errors import UserError
from vision_core.figures.charts import fate_words
from vision_core.figures.colours import FATE_COLOURS, FATE_DASHES, INPUT, KERNEL
from vision_core.inference import DetectionTrace
from vision_core.records import Selection
from vision_core.selection.pointing import Named, named_boxes
from vision_core.selection.why import Why, why_box, why_spot

_ASKED_ABOUT = "_asked_about"  # the photo that the place belongs to
_ASKED, _KEPT = "#FFFFFF", FATE_COLOURS["kept"]
_ROLES = {
    "anchor": (INPUT, (2, 2)),
    "network_box": (KERNEL, ()),
    "winner": (_KEPT, ()),
    "suppressor": (_KEPT, ()),
}


def place(text: str) -> str:
    """A parser of ``x,y`` or ``x1,y1,x2,y2``, in pixels of the photo."""
    if text and _numbers(text) is None:
        raise ValueError("x,y or x1,y1,x2,y2 in pixels of the photo")
    return text


ASK = Field("ask", "", place)


def fields(trace: DetectionTrace) -> tuple[Field, ...]:
    """The place and, where one is asked for, the class."""
    return ASK, Field("as", "", state.one_of(["", *class_names(trace)]))


def asked(spot: Sequence[float]) -> None:
    """A spot or a box was pointed at; for callbacks."""
    state.put("ask", ",".join(f"{value:g}" for value in spot))


def use(trace: DetectionTrace) -> None:
    """Prepare the state; a place on another photo means nothing on this one."""
    state.use(*fields(trace))
    before = st.session_state.get(_ASKED_ABOUT)
    st.session_state[_ASKED_ABOUT] = trace.info.photo_sha256
    if before is not None and before != trace.info.photo_sha256:
        state.reset(*fields(trace))


def answer(selection: Selection) -> Why | str | None:
    """The answer, a sentence about what is wrong with the question, or nothing asked."""
    spot = _numbers(st.session_state["ask"])
    if spot is None:
        bad = bool(st.session_state["ask"].strip())
        return "A place is x, y or x1, y1, x2, y2 in pixels of the photo." if bad else None
    label = st.session_state["as"] or None
    try:
        if len(spot) == 2:
            return why_spot(selection, spot[0], spot[1], label)
        return why_box(selection, spot, label)
    except UserError as error:
        return str(error)


def marks(
    selection: Selection, found: Why | str | None
) -> tuple[list[Mark], list[tuple[int, int, str]], tuple[int, int] | None]:
    """What an answer points out on the picture: boxes, links between them, and the spot."""
    spot = _numbers(st.session_state["ask"])
    if not isinstance(found, Why) or spot is None:
        return [], [], None
    named = named_boxes(selection, found)
    boxes = [_mark(one, found.fate) for one in named]
    links = [(i, 0, f"IoU {one.iou:.2f}") for i, one in enumerate(named) if one.iou is not None]
    if len(spot) == 4:
        return [*boxes, Mark(spot, _ASKED, "asked", (3, 2))], links, None
    return boxes, links, (round(spot[0]), round(spot[1]))


def _mark(one: Named, fate: str) -> Mark:
    if one.role == "candidate":
        return Mark(one.box, FATE_COLOURS[fate], one.text, FATE_DASHES[fate])
    colour, dash = _ROLES[one.role]
    return Mark(one.box, colour, one.text, dash)


def show(trace: DetectionTrace, found: Why | str | None) -> None:
    """The answer and its numbers, if something was asked."""
    if isinstance(found, Why):
        st.info(sentence(found.sentence), icon=":material/help:")
        st.caption("; ".join(_facts(found)))
    elif found:
        st.warning(sentence(found), icon=":material/report:")
    if found is not None:
        st.button(
            "Close",
            on_click=state.reset,
            args=fields(trace),
            key="clear_ask",
            icon=":material/close:",
        )


def form(trace: DetectionTrace) -> None:
    """The question as numbers, for those who do not point."""
    with st.expander("Why not here? Give a position in numbers", icon=":material/help:"):
        st.text_input(
            "Position",
            key="ask",
            placeholder="x, y or x1, y1, x2, y2",
            help="Pixels of the photo. Or press “Why not here?” under the picture, then click a "
            "spot or drag a box on it.",
        )
        names = class_names(trace)
        if len(names) > 1:
            st.selectbox(
                "Class",
                ["", *names],
                key="as",
                format_func=lambda name: name or "any class",
            )


def _facts(found: Why) -> list[str]:
    """The numbers behind the sentence."""
    lines = [f"result: {fate_words(found.fate)}"]
    for name, value in found.facts.items():
        if isinstance(value, list):
            shown = " ".join(f"{part:.0f}" for part in value)
        else:
            shown = f"{value:.3f}" if isinstance(value, float) else str(value)
        lines.append(f"{name.replace('_', ' ')} {shown}")
    return lines


def _numbers(text: str) -> list[float] | None:
    """Two or four finite numbers between commas, ``None`` for anything else."""
    try:
        values = [float(part) for part in text.split(",")]
    except ValueError:
        return None
    good = len(values) in (2, 4) and all(abs(value) < 1e6 for value in values)
    return values if good else None
