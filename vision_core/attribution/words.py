"""Targets and their scores in words for a reader: what is explained, and what its number means."""

from __future__ import annotations

from vision_core.inference import ClassificationTrace, DetectionTrace, Trace
from vision_core.inference.families import heads_named
from vision_core.inference.head_family import HeadFamily
from vision_core.records import Detections
from vision_core.records.targets import (
    BoxTarget,
    ClassTarget,
    JointTarget,
    RegionTarget,
    Target,
    UnitTarget,
)

_EDGES = {"x1": "left", "y1": "top", "x2": "right", "y2": "bottom"}


def named(target: Target, trace: Trace, found: Detections | None = None) -> str:
    """What is explained, for example *cat 0.64, box 1*.

    Args:
        target: of the trace.
        trace: what the network said.
        found: the detections that the reader sees; boxes are counted in it from 1.
    """
    if isinstance(target, BoxTarget | JointTarget) and isinstance(trace, DetectionTrace):
        at = target.candidate
        rows = found.candidate.tolist() if found is not None else []
        place = f"box {rows.index(at) + 1}" if at in rows else "not kept"
        box = f"{trace.label(at)} {trace.scores[at]:.2f}, {place}"
        return (
            f"{target.joint.replace('_', ' ')} of {box}" if isinstance(target, JointTarget) else box
        )
    if isinstance(target, RegionTarget):
        where = "" if target.box is None else " within " + " ".join(f"{v:.0f}" for v in target.box)
        return f"{target.label}{where}"
    if isinstance(target, UnitTarget):
        return (
            f"channel {target.channel}, row {target.row}, column {target.column} of {target.layer}"
        )
    return str(target)


def quantity(target: Target) -> str:
    """What a target's number is."""
    if isinstance(target, BoxTarget):
        if target.part in _EDGES:
            return f"{_EDGES[target.part].capitalize()} edge {target.part}, pixels"
        return "Class logit" if target.part == "score" else "Objectness logit"
    if isinstance(target, RegionTarget):
        return "Mean class logit"
    if isinstance(target, JointTarget):
        return "Heatmap logit"
    return "Activation" if isinstance(target, UnitTarget) else "Class logit"


def meaning(target: Target, trace: Trace) -> str:
    """How the number that is explained goes with the scores that the pages show; may be empty."""
    if isinstance(target, ClassTarget) and isinstance(trace, ClassificationTrace):
        probability = float(trace.probabilities[trace.info.labels.index(target.label)])
        return (
            f"A logit is the number before the softmax over all classes; the probability is "
            f"{probability:.3f}."
        )
    if isinstance(target, BoxTarget) and isinstance(trace, DetectionTrace):
        if target.part != "score":
            return ""
        own = class_probability(trace, target.candidate)
        how = (heads_named(trace.info.family) or HeadFamily).activation
        product = product_of(trace, target.candidate)
        return (
            f"A logit is the number before the {how}, which makes it the class probability "
            f"{own:.3f}. {product}"
        ).strip()
    return ""


def class_probability(trace: DetectionTrace, candidate: int) -> float:
    """A candidate's own class after the activation, before any product."""
    row = trace.class_scores[trace.source[candidate]]
    return float(row[int(trace.label_ids[candidate])])


def product_of(trace: DetectionTrace, candidate: int) -> str:
    """The score as a product, where the family makes it of two numbers; else empty."""
    family = heads_named(trace.info.family)
    if family is None:
        return ""
    objectness = float(trace.source_objectness[trace.source[candidate]])
    own = class_probability(trace, candidate)
    return family.score_words(float(trace.scores[candidate]), own, objectness)
