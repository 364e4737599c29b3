"""Two to four models on one photo: a column for each, and what differs between every two."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from vision_core.comparison.boxes import SAME
from vision_core.comparison.column import Column
from vision_core.comparison.differences import between
from vision_core.comparison.names import MOST as MOST
from vision_core.comparison.names import check_names
from vision_core.comparison.truth import Truth, judge
from vision_core.errors import UserError
from vision_core.export import image_record, prediction_record, strict
from vision_core.images import Photo
from vision_core.inference import DetectionTrace, PartSource, predict, trace
from vision_core.inference.measuring import measure, median
from vision_core.labels import comparable
from vision_core.metrics.curve import Curve, curve
from vision_core.models import Card, Model, load
from vision_core.records import Detections, Prediction, Selection


def column(model: Model, photo: Photo, given: Mapping[str, Any]) -> Column:
    """Run a model; thresholds are its own, changed by the given ones.

    A given ``classes`` is compared as the comparison itself does, by name with aliases; a model
    that knows none of them shows nothing.
    """
    found = trace(model, photo)
    about: dict[str, Any] = {
        "random": model.fingerprint.startswith("random-"),
        "measured": measure(model, photo),
    }
    if not isinstance(found, DetectionTrace):
        return Column(model.card, predict(found), **about)
    own = dict(given)
    if own.get("classes") is not None:
        wanted = {comparable(name) for name in own["classes"]}
        own["classes"] = frozenset(c for c in model.card.classes if comparable(c) in wanted)
    thresholds = replace(found.defaults, **own)

    def run() -> Prediction:
        return predict(found, thresholds, PartSource(model, photo, found))

    made = run()
    if made.masks is not None or made.keypoints is not None:
        made = replace(made, timing_ms=median(lambda: run().timing_ms).stages)
    return Column(model.card, made, **about)


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
        UserError: another number of models, a name that is not in the catalogue, or a class that
            no model knows.
    """
    entries = check_names(names, given.get("classes"))
    return [_column_or_error(entry, photo, given, device) for entry in entries]


def _column_or_error(entry: Card, photo: Photo, given: Mapping[str, Any], device: str) -> Column:
    """A network that runs out of memory or meets an operation its device lacks fails alone too."""
    from vision_core.models.anatomy import anatomy

    try:
        made = column(load(entry.name, device=device), photo, given)
    except UserError as error:
        made = Column(entry, error=str(error))
    except (RuntimeError, MemoryError) as error:
        told = " ".join(str(error).split())[:200] or type(error).__name__
        made = Column(entry, error=f"{entry.name} failed on this photo ({told}).")
    return replace(made, multiply_adds=anatomy(entry).multiply_adds)


def pairs(found: Sequence[Column]) -> list[dict[str, Any]]:
    """What differs between every two models, as JSON-ready values.

    Returns:
        for each pair ``a``, ``b`` (names of the models), ``columns`` (their places in ``found``)
        and what ``vision_core.comparison.differences.between`` says.
    """
    return [
        {"a": a.card.name, "b": b.card.name, "columns": [i, j], **between(a, b)}
        for (i, a), (j, b) in itertools.combinations(enumerate(found), 2)
    ]


def record(
    photo: Photo,
    columns: Sequence[Column],
    differences: Sequence[Mapping[str, Any]],
    truth: Truth | None = None,
) -> dict[str, Any]:
    """A comparison as strict JSON values.

    Args:
        photo: the photo.
        columns: of the models.
        differences: what ``pairs`` says of them.
        truth: what is really there.

    Returns:
        ``image``, ``models``, ``pairs``, ``versions`` and, with a truth, ``truth``; a model has
        what ``vision_core.export.prediction_record`` tells of it, with ``timed`` (how ``timing_ms``
        was measured, in words), or ``error``. With a truth
        each detector has ``truth`` as well: ``precision``, ``recall``, ``f1``, ``hits``,
        ``false_positives``, ``misses``, ``true_box`` (an index into the true boxes, or ``None``,
        for each detection), ``missed`` and ``average_precision`` (Pascal VOC's, of one
        photo, all classes in one list; ``None`` if nothing is true).
    """
    made: dict[str, Any] = {
        "image": image_record(photo),
        "models": [_model(photo, c, truth) for c in columns],
        "pairs": list(differences),
        "versions": versions(),
    }
    if truth is not None:
        rows = zip(truth.labels, truth.boxes, strict=True)
        made["truth"] = [{"label": name, "box": box} for name, box in rows]
    result: dict[str, Any] = strict(made)
    return result


def versions() -> dict[str, str]:
    """What computed a comparison."""
    import torch
    import torchvision

    from vision_core import __version__

    return {
        "convscope": __version__,
        "torch": str(torch.__version__),
        "torchvision": torchvision.__version__,
        "numpy": np.__version__,
    }


def _model(photo: Photo, entry: Column, truth: Truth | None) -> dict[str, Any]:
    card, found = entry.card, entry.trace
    made: dict[str, Any] = {
        "name": card.name,
        "title": entry.heading,
        "task": card.task,
        "parameters": card.parameters,
        "multiply_adds": entry.multiply_adds,
        "bytes": card.bytes,
        "random": entry.random,
        "weights": None if entry.random else card.filename,
        "fingerprint": None if found is None else found.info.fingerprint,
    }
    if entry.error or entry.prediction is None:
        return {**made, "error": entry.error}
    said = prediction_record(photo, entry.prediction)
    said |= {"timing_ms": strict(entry.stages), "timed": entry.how_timed}
    made |= {key: value for key, value in said.items() if key not in ("model", "image")}
    if truth is not None and entry.selection is not None:
        points = truth_curve(entry, truth)
        ap = None if points is None else points.average_precision
        made["truth"] = {**judged(entry.selection, truth), "average_precision": ap}
    return made


def at_any_score(entry: Column) -> Detections:
    """A detector's detections when its score threshold lies at 0, as many as its limit allows."""
    assert isinstance(entry.trace, DetectionTrace) and entry.selection is not None
    return entry.trace.select(replace(entry.selection.thresholds, score=0.0)).detections


def truth_curve(entry: Column, truth: Truth) -> Curve | None:
    """A detector's precision-recall curve at its own thresholds; ``None`` if nothing is true."""
    return curve(at_any_score(entry), truth) if truth.labels else None


def judged(selection: Selection, truth: Truth) -> dict[str, Any]:
    """A detector's kept boxes against the true ones, as plain values; see ``record``."""
    found = judge(selection.detections, truth)
    hits = int((found.hit >= 0).sum())
    return {
        "iou": SAME,
        "precision": found.precision,
        "recall": found.recall,
        "f1": found.f1,
        "hits": hits,
        "false_positives": len(found.hit) - hits,
        "misses": len(found.missed),
        "true_box": [int(i) if i >= 0 else None for i in found.hit],
        "missed": [int(i) for i in found.missed],
    }
