"""What differs between two models, as the values that the exported file's template shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from vision_core.comparison import pictures
from vision_core.comparison.column import Column
from vision_core.figures.colours import DIFFERENCES, class_colour
from vision_core.images import Photo
from vision_core.inference import SegmentationTrace

_MOST = 8  # disagreements of class maps that are told one by one


def block(
    photo: Photo,
    columns: Sequence[Column],
    difference: Mapping[str, Any],
    badges: Sequence[Mapping[str, str]],
) -> dict[str, Any]:
    """What the template needs of one pair.

    Args:
        photo: the photo.
        columns: all of them.
        difference: of this pair, from ``vision_core.comparison.report.pairs``.
        badges: letter and colours of its two columns.

    Returns:
        ``kind`` (``reason``, ``boxes``, ``maps`` or ``classes``), ``a``, ``b`` (badge and title),
        ``found`` (the difference itself) and what the kind needs besides.
    """
    a, b = (columns[i] for i in difference["columns"])
    made: dict[str, Any] = {
        "a": {**badges[0], "title": a.heading},
        "b": {**badges[1], "title": b.heading},
        "found": difference,
    }
    letters = badges[0]["letter"], badges[1]["letter"]
    if "f1" in difference:
        return made | {"kind": "boxes", **_boxes(photo, difference, letters)}
    if "agreement" in difference:
        assert isinstance(a.trace, SegmentationTrace) and isinstance(b.trace, SegmentationTrace)
        picture = pictures.map_differences(photo, a.trace, b.trace)
        return made | {"kind": "maps", "picture": picture, **_maps(difference)}
    if "top_a" in difference:
        return made | {"kind": "classes", **_classes(difference)}
    return made | {"kind": "reason"}


def _boxes(photo: Photo, difference: Mapping[str, Any], letters: tuple[str, str]) -> dict[str, Any]:
    words = {
        "both": "in both",
        "other_class": "same place, another class",
        "shifted": "same class, shifted box",
        "only_a": f"only in {letters[0]}",
        "only_b": f"only in {letters[1]}",
    }
    kinds = [
        {
            "word": words[kind],
            "colour": colour,
            "rows": difference[kind],
            "count": len(difference[kind]),
        }
        for kind, colour in DIFFERENCES.items()
    ]
    picture = pictures.box_differences(photo, difference, *letters)
    masks = any("mask_iou" in row for kind in kinds for row in kind["rows"])
    return {"kinds": kinds, "picture": picture, "joints": difference.get("joints"), "masks": masks}


def _maps(difference: Mapping[str, Any]) -> dict[str, Any]:
    """IoU rows, and the pairs of classes that most pixels disagree about."""
    labels, table = difference["labels"], difference["pixels"]
    total = sum(map(sum, table))
    wrong = [
        {"a": labels[i], "b": labels[j], "pixels": n, "share": n / total}
        for i, row in enumerate(table)
        for j, n in enumerate(row)
        if i != j and n
    ]
    wrong.sort(key=lambda row: -row["pixels"])
    iou = [
        {"label": name, "iou": value, "colour": class_colour(name)}
        for name, value in difference["iou"].items()
    ]
    return {"iou": iou, "wrong": wrong[:_MOST], "more": max(len(wrong) - _MOST, 0), "total": total}


def _classes(difference: Mapping[str, Any]) -> dict[str, Any]:
    tops = [
        [{**row, "colour": class_colour(row["label"])} for row in difference[side]]
        for side in ("top_a", "top_b")
    ]
    return {"tops": tops}
