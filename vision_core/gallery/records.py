"""The small record of one photo: what every model said, and how wrong, unsure or at odds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np

from vision_core.comparison.column import Column
from vision_core.comparison.differences import between
from vision_core.comparison.report import at_any_score
from vision_core.comparison.truth import Truth, judge
from vision_core.errors import UserError
from vision_core.export import strict
from vision_core.images import Photo
from vision_core.inference import (
    ClassificationTrace,
    DetectionTrace,
    SegmentationTrace,
    predict,
    trace,
)
from vision_core.metrics.kinds_of_error import KINDS, kinds_of_error
from vision_core.models import Model

LOWEST_SCORE = 0.01
"""Detections above it are kept for the average precision, as for the networks' cards."""
BEST = 5
"""How many scores decide on the doubt, and how many classes of a classifier are kept."""
WRONG = tuple(kind for kind in KINDS if kind != "correct")


def photo_record(
    name: str, photo: Photo, models: Sequence[Model], truth: Truth | None, score: float | None
) -> dict[str, Any]:
    """Run the models on a photo and keep what a gallery needs.

    Args:
        name: path of the photo in its folder.
        photo: the photo.
        models: one or more.
        truth: what is there, if it is known.
        score: threshold of the detectors, 0 to 1; each one's own if ``None``.

    Returns:
        strict JSON values: ``photo``, ``width``, ``height``, ``truth`` (label and box of each true
        box, or ``None``), ``models`` (by name, see ``_said``; or ``error``), ``disagreement`` (0 to
        1, mean over the pairs of models, ``None`` where they cannot be compared), ``doubt`` (0 to
        1, the greatest of the models) and ``errors`` (over all models, ``None`` without truth).
    """
    columns = [_column(model, photo, score) for model in models]
    said = {column.card.name: _said(column, truth) for column in columns}
    apart = [_apart(between(a, b)) for a, b in combinations(columns, 2)]
    known = [value for value in apart if value is not None]
    kinds = [one["kinds"] for one in said.values() if "kinds" in one]
    result: dict[str, Any] = strict(
        {
            "photo": name,
            "width": photo.width,
            "height": photo.height,
            "truth": None
            if truth is None
            else [
                {"label": label, "box": [round(float(v), 2) for v in box]}
                for label, box in zip(truth.labels, truth.boxes, strict=True)
            ],
            "models": said,
            "disagreement": sum(known) / len(known) if known else None,
            "doubt": max((one.get("doubt", 0.0) for one in said.values()), default=0.0),
            "errors": sum(found[kind] for found in kinds for kind in WRONG) if kinds else None,
        }
    )
    return result


def _column(model: Model, photo: Photo, score: float | None) -> Column:
    """What one model says, without masks and joints; one that fails takes nothing else down."""
    try:
        found = trace(model, photo)
        if not isinstance(found, DetectionTrace):
            return Column(model.card, predict(found))
        own = found.defaults
        return Column(
            model.card, predict(found, own if score is None else replace(own, score=score))
        )
    except UserError as error:
        return Column(model.card, error=str(error))
    except (RuntimeError, MemoryError) as error:
        told = " ".join(str(error).split())[:200] or type(error).__name__
        return Column(model.card, error=f"{model.name} failed on this photo ({told}).")


def _said(column: Column, truth: Truth | None) -> dict[str, Any]:
    """What is kept of one model's answer.

    - a detector: ``score`` (its threshold), ``detections`` above ``LOWEST_SCORE`` by falling score
      (``label``, ``score``, ``box`` xyxy and, with a truth, ``hit``: whether it finds a true box),
      ``count`` (those above the threshold) and, with a truth, ``kinds`` (see ``kinds_of_error``);
    - a classifier: ``top``, the best classes; a segmenter: ``shares`` of the pixels by class;
    - each: ``doubt``, see ``doubt_of`` for boxes; of a classifier 1 less the distance between the
      two best probabilities; of a segmenter the share of pixels with a probability below 0.5.
    """
    found = column.trace
    if column.error or found is None:
        return {"error": column.error}
    if isinstance(found, ClassificationTrace):
        top = found.top(BEST)
        second = top[1][1] if len(top) > 1 else 0.0
        rows = [{"label": label, "probability": p} for label, p in top]
        return {"top": rows, "doubt": 1 - (top[0][1] - second)}
    if isinstance(found, SegmentationTrace):
        size = found.class_map.size
        shares = {label: count / size for label, count in found.pixel_counts().items()}
        return {"shares": shares, "doubt": float(found.unsure(0.5).mean())}
    return _boxes(column, truth)


def _boxes(column: Column, truth: Truth | None) -> dict[str, Any]:
    assert column.selection is not None
    every, threshold = at_any_score(column), column.selection.thresholds.score
    hit = None if truth is None else judge(every, truth).hit >= 0
    rows: list[dict[str, Any]] = []
    for i in np.flatnonzero(every.scores > LOWEST_SCORE):
        row: dict[str, Any] = {
            "label": every.labels[i],
            "score": float(f"{every.scores[i]:.7g}"),
            "box": [round(float(v), 2) for v in every.boxes[i]],
        }
        rows.append(row if hit is None else {**row, "hit": bool(hit[i])})
    kept = column.selection.detections
    said = {
        "score": threshold,
        "count": len(kept),
        "detections": rows,
        "doubt": doubt_of(every.scores, threshold),
    }
    return said if truth is None else {**said, "kinds": kinds_of_error(kept, truth).counts()}


def doubt_of(scores: np.ndarray, threshold: float) -> float:
    """How near to the threshold the best scores lie.

    A score at the threshold counts 1, a score of 0 or 1 counts 0, with straight lines between.

    Args:
        scores: ``[N]``, 0 to 1, any order.
        threshold: 0 to 1.

    Returns:
        the mean over the ``BEST`` greatest scores; 0 without any.
    """
    best = np.sort(np.asarray(scores, np.float64))[::-1][:BEST]
    if not len(best):
        return 0.0
    below = best / threshold if threshold > 0 else np.ones_like(best)
    above = (1 - best) / max(1 - threshold, 1e-9)
    return float(np.where(best > threshold, above, below).clip(0, 1).mean())


def _apart(difference: Mapping[str, Any]) -> float | None:
    """Disagreement of a pair, 0 to 1; ``None`` where the two cannot be compared."""
    if "f1" in difference:
        return 1 - float(difference["f1"])
    if "agreement" in difference:
        return 1 - float(difference["agreement"])
    if "same_top" in difference:
        return 0.0 if difference["same_top"] else 1.0
    return None
