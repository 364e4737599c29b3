"""Two to four models on one photo: a column for each, and what differs between every two."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from vision_core.comparison.boxes import compare_boxes
from vision_core.comparison.maps import compare_maps
from vision_core.errors import UserError
from vision_core.images import Photo
from vision_core.inference import ClassificationTrace, DetectionTrace, SegmentationTrace, trace
from vision_core.inference.results import Trace
from vision_core.labels import comparable
from vision_core.models import Card, Model, card, load
from vision_core.selection.types import Selection

MOST = 4


@dataclass(frozen=True, eq=False)
class Column:
    """One model of a comparison.

    Attributes:
        card: of the model.
        trace: what it said; ``None`` where it failed.
        selection: of a detector, at its thresholds.
        error: the sentence that takes the place of a result.
    """

    card: Card
    trace: Trace | None = None
    selection: Selection | None = None
    error: str = ""


def column(model: Model, photo: Photo, given: Mapping[str, Any]) -> Column:
    """Run a model; thresholds are its own, changed by the given ones."""
    found = trace(model, photo)
    if isinstance(found, DetectionTrace):
        known = {c for c in given.get("classes") or () if c in model.card.classes}
        own = dict(given)
        if "classes" in own:
            own["classes"] = frozenset(known) or None
        return Column(model.card, found, found.select(replace(found.defaults, **own)))
    return Column(model.card, found)


def columns(
    names: Sequence[str], photo: Photo, given: Mapping[str, Any], device: str = "auto"
) -> list[Column]:
    """Run several models; one that fails takes its own column down and no other.

    Args:
        names: two to four names of the catalogue.
        photo: the photo.
        given: thresholds for the detectors among them.
        device: where they run.

    Raises:
        UserError: another number of models, or a name that is not in the catalogue.
    """
    if not 2 <= len(names) <= MOST:
        raise UserError(f"A comparison takes 2 to {MOST} models, not {len(names)}.")
    found = []
    for entry in [card(name) for name in names]:
        try:
            found.append(column(load(entry.name, device=device), photo, given))
        except UserError as error:
            found.append(Column(entry, error=str(error)))
    return found


def pairs(found: Sequence[Column]) -> list[dict[str, Any]]:
    """What differs between every two models, as JSON-ready values.

    Returns:
        for each pair ``a``, ``b`` (names of the models) and, for detectors, ``both``,
        ``other_class``, ``shifted``, ``only_a``, ``only_b`` (lists of rows with class, score and
        box of each side) and ``f1``; for segmenters ``agreement``, ``iou`` and ``alone``; for
        classifiers ``top_a``, ``top_b`` and ``same_top``. ``reason`` where they cannot be compared.
    """
    return [
        {"a": a.card.name, "b": b.card.name, **_differences(a, b)}
        for a, b in itertools.combinations(found, 2)
    ]


def _differences(a: Column, b: Column) -> dict[str, Any]:
    for one in (a, b):
        if one.error:
            return {"reason": f"{one.card.name} gave no result: {one.error}"}
    if a.selection is not None and b.selection is not None:
        return _boxes(a.selection, b.selection)
    if isinstance(a.trace, SegmentationTrace) and isinstance(b.trace, SegmentationTrace):
        made = compare_maps(a.trace, b.trace)
        return {
            "agreement": float(1 - made.disagree.mean()), "iou": made.iou,
            "labels": list(made.labels), "pixels": made.table.tolist(),
            "alone": {side: list(names) for side, names in made.alone.items()},
        }
    if isinstance(a.trace, ClassificationTrace) and isinstance(b.trace, ClassificationTrace):
        tops = [c.top(5) for c in (a.trace, b.trace)]
        rows = [[{"label": n, "probability": p} for n, p in top] for top in tops]
        same = comparable(tops[0][0][0]) == comparable(tops[1][0][0])
        return {"top_a": rows[0], "top_b": rows[1], "same_top": same}
    return {"reason": "models of different tasks cannot be compared"}


def _boxes(a: Selection, b: Selection) -> dict[str, Any]:
    made = compare_boxes(a.detections, b.detections)

    def side(found: Selection, row: int | None) -> dict[str, Any] | None:
        if row is None:
            return None
        kept = found.detections
        return {"label": kept.labels[row], "score": float(kept.scores[row]),
                "box": [float(v) for v in kept.boxes[row]]}  # fmt: skip

    kinds: dict[str, Any] = {
        kind: [{"a": side(a, p.a), "b": side(b, p.b), "iou": p.iou} for p in made.of(kind)]
        for kind in made.counts()
    }
    return {**kinds, "f1": made.f1}
