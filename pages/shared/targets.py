"""The target picker: which class, box, region, joint or unit is explained."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from pages.shared import state
from pages.shared.guard import guarded
from pages.shared.state import Field
from vision_core.attribution import default_target, parse
from vision_core.attribution.words import named
from vision_core.errors import UserError
from vision_core.inference import ClassificationTrace, DetectionTrace, SegmentationTrace, Trace
from vision_core.inference.families import heads_named
from vision_core.records import Detections
from vision_core.records.targets import (
    BOX_PARTS,
    BoxTarget,
    ClassTarget,
    JointTarget,
    RegionTarget,
    Target,
    UnitTarget,
    resolved,
)

_LOWER = 0.05  # where the model's own threshold leaves no box, the best ones above this
_MOST = 40
FIELD = Field("target", "", str)


def use(trace: Trace) -> None:
    """Prepare the state; a target of another kind of network gives way to the top prediction."""
    state.use(FIELD)
    text = st.session_state["target"]
    try:
        fits = bool(text) and _fits(target := _read(text, trace), trace)
        if fits and str(target) != text:
            state.put("target", str(target))  # the candidate stays when thresholds move
    except UserError as error:
        fits = False
        state.note(str(error))
    if text and not fits:
        state.put("target", "")


def chosen(trace: Trace) -> Target:
    """The target of the state, or the top prediction.

    Raises:
        UserError: the network found nothing to explain.
    """
    text = st.session_state["target"]
    return _read(text, trace) if text else default(trace)


def _read(text: str, trace: Trace) -> Target:
    """A target; detections are counted as ``predict`` lists them, or in the list to choose from."""
    target = parse(text)
    return resolved(target, boxes(trace)) if isinstance(trace, DetectionTrace) else target


def default(trace: Trace) -> Target:
    """The top prediction among what can be chosen."""
    return default_target(trace, boxes(trace) if isinstance(trace, DetectionTrace) else None)


def boxes(trace: DetectionTrace) -> Detections:
    """The detections to choose from: at the model's own thresholds, or lower if there are none."""
    found = trace.select(trace.defaults).detections
    if len(found):
        return found
    return trace.select(replace(trace.defaults, score=_LOWER, max_detections=_MOST)).detections


def in_words(trace: Trace, target: Target) -> str:
    """A target for a reader, its box counted among those that can be chosen."""
    return named(target, trace, boxes(trace) if isinstance(trace, DetectionTrace) else None)


def _fits(target: Target, trace: Trace) -> bool:
    if isinstance(target, UnitTarget):
        return True
    if isinstance(trace, DetectionTrace):
        small = getattr(target, "candidate", -1)
        joint = not isinstance(target, JointTarget) or target.joint in trace.joints
        return isinstance(target, BoxTarget | JointTarget) and small < len(trace) and joint
    kind = ClassTarget if isinstance(trace, ClassificationTrace) else RegionTarget
    return isinstance(target, kind) and target.label in trace.info.labels


def pick(trace: Trace) -> None:
    """Draw the picker; every choice becomes the target at once."""
    with guarded("choosing a target"):
        target = chosen(trace)
        if isinstance(target, UnitTarget):
            st.caption(f"Unit {target.channel},{target.row},{target.column} of {target.layer}.")
            st.button("Back to the top prediction", on_click=state.reset, args=(FIELD,))
        elif isinstance(trace, DetectionTrace):
            _pick_box(trace, target)
        elif isinstance(trace, SegmentationTrace):
            names = [n for n, _ in sorted(trace.pixel_counts().items(), key=lambda p: -p[1])]
            _choose("Region", [f"region:{n}" for n in names], names, str(target))
        else:
            pairs = trace.top(len(trace.probabilities))
            _choose("Class", [n for n, _ in pairs], [f"{n} {p:.3f}" for n, p in pairs], str(target))


def _pick_box(trace: DetectionTrace, target: Target) -> None:
    found = boxes(trace)
    at = getattr(target, "candidate", -1)
    ids = [int(c) for c in found.candidate]
    if at not in ids:
        ids = [at, *ids]
    words = [named(BoxTarget(i), trace, found) for i in ids]
    if isinstance(target, BoxTarget | JointTarget):
        title = "Person" if isinstance(target, JointTarget) else "Detection"
        _choose(title, [str(replace(target, candidate=i)) for i in ids], words, str(target))
    if isinstance(target, JointTarget):
        _choose(
            "Joint",
            [str(JointTarget(at, j)) for j in trace.joints],
            [j.replace("_", " ") for j in trace.joints],
            str(target),
        )
    elif isinstance(target, BoxTarget):
        parts = [p for p in BOX_PARTS if p != "objectness" or _has_objectness(trace)]
        titles = {"score": "class score (logit)", "objectness": "objectness (logit)"}
        _choose(
            "Explain which output?",
            [str(BoxTarget(at, p)) for p in parts],
            [titles.get(p, f"edge {p}") for p in parts],
            str(target),
        )


def _has_objectness(trace: DetectionTrace) -> bool:
    heads = heads_named(trace.info.family)
    return heads is not None and heads.has_objectness


def _choose(title: str, values: list[str], words: list[str], now: str) -> None:
    """A select box that is a view of the target; it holds no state of its own."""
    key = f"_pick_{title}"
    shown = dict(zip(values, words, strict=True))
    st.session_state[key] = now if now in shown else values[0]
    st.selectbox(
        title,
        values,
        key=key,
        format_func=shown.__getitem__,
        on_change=lambda: state.put("target", st.session_state[key]),
    )
