"""Average precision of one class, detection by detection, with the area by three rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from vision_core.errors import UserError
from vision_core.metrics.areas import envelope, running
from vision_core.walkthroughs import params
from vision_core.walkthroughs.record import NOTHING, RawTerm, Recorder, check_terms, num
from vision_core.walkthroughs.types import Array, Walkthrough

RULES = ("eleven_point", "all_point", "hundred_one_point")
"""Pascal VOC until 2009, Pascal VOC since 2010, COCO."""
_SHAPES = {"truth": "[x, y, w, h]", "detections": "[score, x, y, w, h]"}


@dataclass(frozen=True)
class _Match:
    """What became of one detection.

    Attributes:
        iou: with the true box that it was compared with; 0 where its photo has none.
        truth: row of that box, -1 for none.
        hit: whether it is a true positive.
        why: the reason in words.
    """

    iou: float
    truth: int
    hit: bool
    why: str


def average_precision(
    truth: Any,
    detections: Any,
    iou_threshold: Any = 0.5,
    whole_pixels: Any = False,
    matching: Any = "voc",
) -> Walkthrough:
    """Sort the detections by score, match each with a true box of its photo, and take the area.

    Sources: Everingham et al., "The Pascal Visual Object Classes (VOC) Challenge" (2010), and Lin
    et al., "Microsoft COCO" (2014).

    Args:
        truth: photo to a list of true boxes ``[x, y, width, height]``, pixels.
        detections: photo to a list of ``[score, x, y, width, height]``; of equal scores the first
            one comes first.
        iou_threshold: from 0 to 1; a hit needs at least this IoU.
        whole_pixels: count pixels as the tools of VOC do, so that a box from x to x + w covers
            w + 1 of them.
        matching: ``voc``: only the true box with the greatest IoU counts, and a second detection
            of it is false. ``coco``: a detection takes the best box that is still free.

    Returns:
        reduction ``sum``; the output holds the average precision by the three rules ``RULES``,
        each 0..1, and its last step adds them up; ``result_names`` names them. Operands: ``truth``
        [M, 5] and ``detections`` [N, 6], sorted, each with the number of its photo first;
        ``precision`` and ``recall`` [N]. ``facts``: ``iou_threshold``, ``photos``, ``hits``,
        ``matched`` (row of the true box, -1 for none), ``ious``, ``over_ious`` (the three rules
        for ten limits from 0.5 to 0.95) and ``mean_over_ious``, their means.

    Raises:
        UserError: numbers that do not fit, or no true box.
    """
    photos, true, found = _tables(truth, detections)
    limit = params.number(iou_threshold, "iou_threshold")
    if not 0 <= limit <= 1:
        raise UserError(f"iou_threshold must lie between 0 and 1, and {limit:g} does not.")
    pixels = 1.0 if params.flag(whole_pixels, "whole_pixels") else 0.0
    how = params.choice(matching, "matching", ("voc", "coco"))
    check_terms(len(true) * len(found) + 120)
    overlaps = _overlaps(found, true, pixels)
    matches = _matches(overlaps, limit, how)
    precision, recall = _running(matches, len(true))
    recorder = Recorder((len(RULES),), "sum")
    for row, match in enumerate(matches):
        recorder.step([], _text(row, match, found, photos, matches, len(true)))
    _areas(recorder, precision, recall)
    tenths = [0.5 + 0.05 * i for i in range(10)]
    over = [_three(_running(_matches(overlaps, t, how), len(true))) for t in tenths]
    facts = {
        "iou_threshold": limit,
        "photos": photos,
        "hits": [match.hit for match in matches],
        "matched": [match.truth if match.hit else -1 for match in matches],
        "ious": [match.iou for match in matches],
        "over_ious": [
            {"iou_threshold": round(t, 2), **dict(zip(RULES, three, strict=True))}
            for t, three in zip(tenths, over, strict=True)
        ],
        "mean_over_ious": dict(zip(RULES, np.mean(over, 0).tolist(), strict=True)),
    }
    operands: dict[str, Any] = {
        "truth": ("kernel", true),
        "detections": ("input", found),
        "precision": ("input", precision),
        "recall": ("input", recall),
    }
    formula = (
        "IoU = intersection / (area + area - intersection)",
        "precision = hits / detections so far, recall = hits / true boxes",
        "the area takes at each recall the greatest precision from there on",
    )
    return recorder.finish("average_precision", operands, formula, facts, RULES)


def _tables(truth: Any, detections: Any) -> tuple[list[str], Array, Array]:
    """Names of the photos, true boxes [M, 5], and detections [N, 6] by falling score."""
    for name, given in (("truth", truth), ("detections", detections)):
        if not isinstance(given, Mapping):
            raise UserError(f'{name} must name photos, such as {{"a.jpg": [{_SHAPES[name]}]}}.')
    photos = [str(photo) for photo in dict.fromkeys([*truth, *detections])]
    true = _rows(truth, "truth", 4, photos)
    found = _rows(detections, "detections", 5, photos)
    if not len(true):
        raise UserError("Average precision needs at least one true box.")
    return photos, true, found[np.argsort(-found[:, 1], kind="stable")]


def _rows(given: Mapping[Any, Any], name: str, width: int, photos: list[str]) -> Array:
    """All rows of all photos, each with the number of its photo in front."""
    rows = []
    for photo, boxes in given.items():
        if not isinstance(boxes, list | tuple | np.ndarray):
            raise UserError(f"{name} of {photo} must be a list of {_SHAPES[name]}.")
        if len(boxes):
            table = params.numbers(boxes, name, (2,))
            if table.shape[1] != width or (table[:, -2:] < 0).any():
                raise UserError(f"Each row of {name} must be {_SHAPES[name]} with sides from 0 on.")
            number = np.full((len(table), 1), photos.index(str(photo)))
            rows.append(np.concatenate([number, table], 1))
    return np.concatenate(rows) if rows else np.zeros((0, width + 1))


def _overlaps(found: Array, true: Array, pixels: float) -> Array:
    """IoU of every detection with every true box, [N, M]; -1 where they lie in other photos."""
    (a, a_wh), (b, b_wh) = ((t[:, -4:-2], t[:, -2:]) for t in (found, true))
    low = np.maximum(a[:, None], b[None])
    high = np.minimum((a + a_wh)[:, None], (b + b_wh)[None])
    shared = np.clip(high - low + pixels, 0, None).prod(2)
    union = (a_wh + pixels).prod(1)[:, None] + (b_wh + pixels).prod(1)[None] - shared
    iou = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    same: Array = np.where(found[:, None, 0] == true[None, :, 0], iou, -1.0)
    return same


def _matches(overlaps: Array, limit: float, how: str) -> list[_Match]:
    """What becomes of each detection, in their order."""
    taken = np.zeros(overlaps.shape[1], bool)
    matches = []
    for row in overlaps:
        allowed = np.where(taken, -1.0, row) if how == "coco" else row
        best = int(allowed.argmax())
        iou = float(allowed[best])
        if iou < 0:
            why = (
                "no true box is left in this photo" if (row >= 0).any() else "no true box is there"
            )
            matches.append(_Match(0.0, -1, False, why))
        elif iou < limit:
            matches.append(_Match(iou, best, False, f"IoU {num(iou)} < {num(limit)}"))
        elif taken[best]:
            matches.append(_Match(iou, best, False, "this true box is found already: a duplicate"))
        else:
            taken[best] = True
            matches.append(_Match(iou, best, True, f"IoU {num(iou)} >= {num(limit)}"))
    return matches


def _running(matches: list[_Match], true: int) -> tuple[Array, Array]:
    """Precision and recall after each detection."""
    return running(np.array([match.hit for match in matches], bool), true)


def _sources(precision: Array, recall: Array) -> list[list[RawTerm]]:
    """The terms of the three areas, in the order of ``RULES``."""
    best = envelope(precision)

    def at_recalls(points: int) -> list[RawTerm]:
        terms = []
        for step in np.linspace(0, 1, points):
            row = int(np.searchsorted(recall, step, side="left"))
            if row < len(recall):
                terms.append(_read(precision, best, row, 1 / points))
        return terms

    steps = np.diff(np.concatenate([[0.0], recall]))
    every = [_read(precision, best, i, s) for i, s in enumerate(steps.tolist()) if s > 0]
    return [terms or [NOTHING] for terms in (at_recalls(11), every, at_recalls(101))]


def _read(precision: Array, best: Array, row: int, weight: float) -> RawTerm:
    """The envelope at a detection, read where it has its value."""
    where = row + int(precision[row:].argmax())
    return RawTerm(float(best[row]) * weight, (("precision", (where,)),), (weight,))


def _areas(recorder: Recorder, precision: Array, recall: Array) -> None:
    sources = _sources(precision, recall)
    text = "area under the curve: " + ", ".join(
        f"{name.replace('_', ' ')} {num(sum(s.value for s in terms))}"
        for name, terms in zip(RULES, sources, strict=True)
    )
    recorder.step([((i,), terms) for i, terms in enumerate(sources)], text)


def _three(curve: tuple[Array, Array]) -> list[float]:
    return [sum(s.value for s in terms) for terms in _sources(*curve)]


def _text(
    row: int,
    match: _Match,
    found: Array,
    photos: list[str],
    matches: list[_Match],
    true: int,
) -> str:
    hits = sum(m.hit for m in matches[: row + 1])
    kind = "true positive" if match.hit else "false positive"
    return (
        f"score {num(float(found[row, 1]))} in {photos[int(found[row, 0])]}: {kind}, {match.why}; "
        f"precision {hits}/{row + 1} = {num(hits / (row + 1))}, "
        f"recall {hits}/{true} = {num(hits / true)}"
    )
