"""What differs after an operation, counted by the comparison of two models."""

from __future__ import annotations

from typing import Any

import numpy as np

from vision_core.comparison.column import Column
from vision_core.comparison.differences import TOP, between
from vision_core.inference import ClassificationTrace, DetectionTrace, SegmentationTrace
from vision_core.models import Card
from vision_core.records import Prediction


def differs(before: Prediction, after: Prediction, card: Card) -> dict[str, Any]:
    """What differs between the untouched and the operated network on one photo.

    Returns:
        what ``vision_core.comparison.differences.between`` says (a is before, b is after), and

        - ``same``: whether every number of the two is the same, before any threshold;
        - classifiers: ``changes``, for each class among the five best of either its ``label`` and
          its probability ``before`` and ``after``, and ``moved``, the probability that changed
          its class: half the sum of all absolute changes.
    """
    told = between(Column(card, before, title="before"), Column(card, after, title="after"))
    a, b = before.trace, after.trace
    told["same"] = _same(before, after)
    if isinstance(a, ClassificationTrace) and isinstance(b, ClassificationTrace):
        names = dict.fromkeys(name for trace in (a, b) for name, _ in trace.top(TOP))
        both = {
            label: (float(p), float(q))
            for label, p, q in zip(a.info.labels, a.probabilities, b.probabilities, strict=True)
        }
        told["changes"] = [
            {"label": name, "before": both[name][0], "after": both[name][1]} for name in names
        ]
        told["moved"] = float(np.abs(a.probabilities - b.probabilities).sum() / 2)
    return told


def _same(before: Prediction, after: Prediction) -> bool:
    """Whether two predictions hold the same numbers, masks and joints of the kept included."""
    a, b = before.trace, after.trace
    if isinstance(a, DetectionTrace) and isinstance(b, DetectionTrace):
        pairs = [(a.boxes, b.boxes), (a.scores, b.scores), (a.label_ids, b.label_ids)]
        if before.masks is not None and after.masks is not None:
            pairs.append((before.masks, after.masks))
        if before.keypoints is not None and after.keypoints is not None:
            pairs.append((before.keypoints.xy, after.keypoints.xy))
    else:
        assert not isinstance(a, DetectionTrace) and not isinstance(b, DetectionTrace)
        pairs = [(a.logits, b.logits)]
    return all(np.array_equal(one, other) for one, other in pairs)


def same_share(before: Prediction, after: Prediction, card: Card) -> float | None:
    """How much of a result is left, 0 to 1; ``None`` where there was nothing.

    F1 of the boxes, the object keypoint similarity of a pose network's joints, or the share of the
    pixels with the same class.
    """
    a, b = before.trace, after.trace
    told = differs(before, after, card)
    if isinstance(a, SegmentationTrace) and isinstance(b, SegmentationTrace):
        return float(told["agreement"])
    assert before.selection is not None
    if not len(before.selection.detections):
        return None
    if "joints" in told:
        oks = told["joints"]["oks"]
        return None if oks is None else float(oks)
    return float(told["f1"])


def in_words(told: dict[str, Any]) -> str:
    """What differs, in one sentence."""
    if told["same"]:
        return "Nothing differs, to the last bit."
    if "reason" in told:
        return str(told["reason"])
    if "agreement" in told:
        return f"{1 - told['agreement']:.1%} of the pixels have another class."
    if "changes" in told:
        (a, p), (b, q) = (
            (told[t][0]["label"], told[t][0]["probability"]) for t in ("top_a", "top_b")
        )
        moved = f"{told['moved']:.1%} of the probability changed its class."
        if told["same_top"]:
            return f"{a} stays the best class, {p:.3f} before and {q:.3f} after; {moved}"
        return f"{a} ({p:.3f}) becomes {b} ({q:.3f}); {moved}"
    counts = {k: len(told[k]) for k in ("both", "other_class", "shifted", "only_a", "only_b")}
    words = (
        f"{counts['both']} {'box' if counts['both'] == 1 else 'boxes'} in both, "
        f"{counts['other_class']} with another class, "
        f"{counts['shifted']} shifted, {counts['only_a']} lost, {counts['only_b']} new"
    )
    joints = told.get("joints")
    if joints and joints["oks"] is not None:
        words += f"; the joints agree with an OKS of {joints['oks']:.2f}"
    return words + "."
