"""One model's part of the exported comparison, as the values that the template shows."""

from __future__ import annotations

from collections import Counter
from typing import Any

from vision_core import figures
from vision_core.comparison import pictures
from vision_core.comparison.column import Column
from vision_core.figures.colours import text_on
from vision_core.images import Photo
from vision_core.inference import ClassificationTrace, SegmentationTrace
from vision_core.models import Card
from vision_core.models.anatomy import PHOTO
from vision_core.records import Thresholds

_TOP = 5
_THRESHOLDS = {
    "score": "score above",
    "iou": "IoU of NMS",
    "nms": "NMS",
    "sigma": "sigma",
    "agnostic": "across classes",
    "max_detections": "most detections",
    "classes": "classes shown",
}


def block(photo: Photo, entry: Column) -> dict[str, Any]:
    """What the template needs of one column.

    Returns:
        ``title``, ``name``, ``task``, ``random``, ``error``, ``picture``, ``sentence``, ``counts``
        (rows of label, colour, text and, for classes and pixels, share), ``thresholds``,
        ``timing`` (rows), ``total_ms``, ``device``, ``how_timed``, ``cost`` (rows of word and
        value), ``millions`` of parameters, ``billions`` of multiply-adds, ``megabytes`` of
        weights, and ``card``.
    """
    card, found = entry.card, entry.trace
    made: dict[str, Any] = {
        "title": entry.heading,
        "name": card.name,
        "task": card.task,
        "random": entry.random,
        "error": entry.error or ("" if found else "There is no result of this model."),
        "picture": "",
        "sentence": "",
        "counts": [],
        "thresholds": [],
        "timing": [],
        "total_ms": None,
        "device": "",
        "how_timed": "",
        "cost": _cost(entry),
        "card": _card(card, entry.random),
        "millions": card.parameters / 1e6,
        "billions": None if entry.multiply_adds is None else entry.multiply_adds / 1e9,
        "megabytes": card.bytes / 1e6,
    }
    if entry.error or found is None or entry.prediction is None:
        return made
    timing = entry.stages
    sentence, counts = _said(entry)
    return made | {
        "picture": pictures.answer(photo, entry),
        "sentence": sentence,
        "counts": counts,
        "thresholds": [] if entry.selection is None else _set(entry.selection.thresholds),
        "timing": [(name.replace("_", " "), ms) for name, ms in timing.items()],
        "total_ms": sum(timing.values()),
        "device": found.info.device,
        "how_timed": entry.how_timed,
    }


def _said(entry: Column) -> tuple[str, list[dict[str, Any]]]:
    """A sentence and rows that say what the model found."""
    if isinstance(entry.trace, SegmentationTrace):
        pixels = entry.trace.pixel_counts()
        rows = [
            _row(e.label, f"{pixels[e.label]:,} pixels", e.share)
            for e in figures.legend(entry.trace)
        ]
        first = ", ".join(f"{row['label']} {row['share']:.1%}" for row in rows[:3])
        return first + (f" and {len(rows) - 3} more" if len(rows) > 3 else ""), rows
    if isinstance(entry.trace, ClassificationTrace):
        top = entry.trace.top(_TOP)
        return entry.trace.sentence, [_row(name, f"{p:.3f}", p) for name, p in top]
    assert entry.selection is not None
    kept = entry.selection.detections
    rows = [_row(name, f"{n:,}", None) for name, n in Counter(kept.labels).most_common()]
    plural = "" if len(kept) == 1 else "s"
    return f"{len(kept)} detection{plural} of {len(entry.selection.fate):,} candidates.", rows


def _row(label: str, text: str, share: float | None) -> dict[str, Any]:
    colour = figures.class_colour(label)
    return {"label": label, "text": text, "share": share, "colour": colour, "ink": text_on(colour)}


def _set(thresholds: Thresholds) -> list[tuple[str, str]]:
    """Thresholds in words; those that decide nothing are left out."""
    rows = []
    for name, value in thresholds.as_dict().items():
        if name == "sigma" and thresholds.nms != "soft-gaussian":
            continue
        if name == "iou" and thresholds.nms in ("none", "soft-gaussian"):
            continue
        if name == "classes":
            value = "all" if value is None else ", ".join(value) or "none that this model knows"
        elif isinstance(value, bool):
            value = "yes" if value else "no"
        rows.append((_THRESHOLDS[name], f"{value:g}" if isinstance(value, float) else str(value)))
    return rows


def _cost(entry: Column) -> list[tuple[str, str]]:
    card = entry.card
    rows = [("parameters", f"{card.parameters:,}")]
    if entry.multiply_adds is not None:
        note = f"for a photo of {PHOTO[0]} x {PHOTO[1]}"
        if card.task == "pose":
            note = "for one person, without the detector"
        rows.append(("multiply-adds", f"{entry.multiply_adds / 1e9:,.3g} billion {note}"))
    rows.append(("weights", f"{card.bytes / 1e6:,.1f} MB"))
    if entry.random:
        return [*rows, ("identity", entry.trace.info.fingerprint if entry.trace else "random")]
    rows.append(("file", card.filename))
    if entry.trace is not None:
        rows.append(("identity (SHA-256)", entry.trace.info.fingerprint[:25]))
    return rows


def _card(card: Card, random: bool) -> dict[str, Any]:
    """The model card: sentences, then what the trained weights were made from and reached."""
    extra, paper = card.extra, card.paper
    facts = {
        "architecture": extra.get("architecture"),
        "input": card.input,
        "knows": _few(card.classes),
        "joints": _few(card.joints),
        "limits": card.limits,
        "licence": card.licence,
    }
    training = extra.get("training") or {}
    return {
        "facts": [(word, text) for word, text in facts.items() if text],
        "paper": paper,
        "data": [] if random else list(extra.get("data") or ()),
        "training": "" if random else training.get("command", ""),
        "notes": "" if random else training.get("notes", ""),
        "scores": [] if random else list(card.scores),
        "weights": "" if random else card.weights or "",
    }


def _few(names: tuple[str, ...], most: int = 25) -> str:
    if len(names) <= most:
        return ", ".join(names)
    return f"{len(names):,}: {', '.join(names[:8])} ..."
