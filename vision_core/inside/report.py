"""An opened detector as plain values: what the command line writes as JSON.

``record`` says how the photo reaches one place or box; with true boxes also how it is taught.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from vision_core.inside import assignment as teaching
from vision_core.inside import head, imbalance, losses, proposals
from vision_core.inside.anchors import Anchor, cell_classes, describe
from vision_core.inside.coordinates import Equation, Followed, follow
from vision_core.inside.levels import served
from vision_core.inside.opened import Opened, network_boxes, photo_boxes
from vision_core.inside.taught_mask import match, taught_mask
from vision_core.labels import comparable
from vision_core.models.zoo.yolo_s import GridDetector
from vision_core.selection.nms import iou_matrix

RECALL_IOU = 0.5
TOP = 100  # proposals that are listed


def record(
    opened: Opened,
    point: Sequence[float],
    box: Sequence[float] | None = None,
    truth: tuple[np.ndarray, Sequence[str]] | None = None,
    settings: dict[str, Any] | None = None,
    true_mask: Callable[[int], np.ndarray | None] = lambda index: None,
) -> dict[str, Any]:
    """Everything about a place as JSON-ready values; NumPy numbers are left to ``export.strict``.

    Args:
        opened: an opened detector.
        point: (x, y), photo pixels; for a box its middle.
        box: x1, y1, x2, y2, photo pixels; where left out, the box of the point's best anchor.
        truth: true boxes [M, 4] in photo pixels, and their class names.
        settings: ``high`` and ``low``, ``gamma``, ``alpha`` and ``seed``; each has a default.
        true_mask: index of a true box to its mask, bool [H, W]; ``None`` where it has none.

    Raises:
        UserError: the point lies outside the photo.
    """
    place = follow(opened, float(point[0]), float(point[1]))
    found = [describe(opened, at.anchors) for at in place.levels]
    best = max((a for level in found for a in level), key=lambda a: a.score)
    chosen = np.asarray(best.box if box is None else box, np.float64)
    told: dict[str, Any] = {
        "input": _input(opened),
        "place": _place(place),
        "box": chosen,
        "serves": _served(opened, chosen),
        "anchors": [_anchor(a) for level in found for a in level],
        "cell": _cell(opened, found),
        "proposals": _proposals(opened, truth) if opened.two_stage else None,
        "head": _head(opened, place, chosen, box is not None) if opened.two_stage else None,
    }
    if truth is not None:
        told["teaching"] = _teaching(opened, *truth, settings or {})
        told["box_losses"] = _box_losses(chosen, truth[0])
        told["mask_target"] = _mask_target(opened, told["head"], truth, true_mask)
    return told


def _mask_target(
    opened: Opened,
    seen: dict[str, Any] | None,
    truth: tuple[np.ndarray, Sequence[str]],
    true_mask: Callable[[int], np.ndarray | None],
) -> dict[str, Any] | None:
    """What training would ask of the mask head for the head's proposal."""
    heads = getattr(opened.module, "roi_heads", None)
    if seen is None or not len(truth[0]) or heads is None or not heads.has_mask():
        return None
    proposal = opened.trace.source_boxes_net[seen["proposal"]]
    found = match(opened, proposal, truth[0])
    mask = true_mask(found.index) if found.iou > 0 else None
    if mask is None:
        return None
    label = label_ids(opened, [truth[1][found.index]])[0]
    taught = taught_mask(opened, proposal, mask, label)
    return {
        "proposal": seen["proposal"],
        "true_box": found.index,
        "iou": found.iou,
        "positive": found.positive,
        "target": taught.target,
        "said": taught.said,
        "loss": taught.loss,
    }


def _terms(terms: Sequence[Equation]) -> list[dict[str, Any]]:
    return [asdict(term) for term in terms]


def _input(opened: Opened) -> dict[str, Any]:
    info = opened.trace.info
    return {
        "photo_size": info.photo_size,
        "network_size": info.network_size,
        "padded_size": opened.padded_size,
        "levels": [asdict(level) for level in opened.levels],
    }


def _place(place: Followed) -> dict[str, Any]:
    return {
        "photo": place.photo,
        "network": place.network,
        "terms": _terms(place.terms),
        "levels": [
            {
                "level": at.level.name,
                "u": at.u,
                "v": at.v,
                "row": at.row,
                "column": at.column,
                "centre_net": at.centre,
                "terms": _terms(at.terms),
            }
            for at in place.levels
        ],
    }


def _served(opened: Opened, box: np.ndarray) -> dict[str, Any] | None:
    """Which level serves the box; ``None`` for a box that was clipped to a line."""
    net = network_boxes(opened, box[None])[0]
    if not (net[2] > net[0] and net[3] > net[1]):
        return None
    answer = served(opened, net)
    return {
        "rule": answer.rule,
        "levels": [opened.levels[i].name for i in answer.levels],
        "rows": [asdict(row) for row in answer.rows],
        "terms": _terms(answer.terms),
    }


def _anchor(anchor: Anchor) -> dict[str, Any]:
    return asdict(anchor)


def _cell(opened: Opened, found: list[tuple[Anchor, ...]]) -> dict[str, float] | None:
    """The class probabilities of a YOLO cell."""
    if not isinstance(opened.module, GridDetector):
        return None
    chances = cell_classes(opened, [found[0][0].index])[0]
    return dict(zip(opened.trace.info.labels, chances.tolist(), strict=True))


def _proposals(opened: Opened, truth: tuple[np.ndarray, Sequence[str]] | None) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for when in ("before", "after"):
        ranked = proposals.best(opened, when)
        told[when] = {
            "count": len(ranked),
            "best": [
                {"anchor": a, "box": b, "objectness": s, "level": level}
                for a, b, s, level in zip(
                    ranked.anchor[:TOP],
                    ranked.boxes[:TOP],
                    ranked.scores[:TOP],
                    ranked.level[:TOP],
                    strict=True,
                )
            ],
        }
        if truth is not None and len(truth[0]):
            found = proposals.recall(ranked, truth[0], RECALL_IOU)
            told[when]["recall"] = {
                "iou": RECALL_IOU,
                "first_k": found.first,
                "best_iou": found.best,
                "over_k": found.recall,
            }
    told["objectness"] = [
        {"level": level.name, "max": maps.max(), "mean": maps.mean()}
        for level, maps in zip(opened.levels, proposals.objectness_maps(opened), strict=True)
    ]
    return told


def _head(opened: Opened, place: Followed, box: np.ndarray, asked: bool) -> dict[str, Any] | None:
    """What the second stage says about the proposal nearest to the box, or around the point."""
    sources = opened.trace.source_boxes_net
    if not len(sources):
        return None
    if asked:
        wanted = network_boxes(opened, box[None]).astype(np.float32)
        row = int(iou_matrix(sources, wanted)[:, 0].argmax())
    else:
        x, y = place.network
        x1, y1, x2, y2 = sources.T
        around = np.flatnonzero((x1 <= x) & (x <= x2) & (y1 <= y) & (y <= y2))
        if not len(around):
            return None
        row = int(around[0])
    view = head.look(opened, sources[row])
    return {
        "proposal": row,
        "box": view.box,
        "objectness": opened.trace.source_objectness[row],
        "level": view.level_name,
        "crop": {
            "shape": view.crop.shape,
            "strongest_channels": np.argsort(-view.crop.mean(axis=(1, 2)), kind="stable")[:8],
        },
        "sampling_points": view.points,
        "classes": [
            {"label": n, "score": s, "code": c, "box": b}
            for n, s, c, b in zip(view.labels, view.scores, view.codes, view.boxes, strict=True)
        ],
    }


def _teaching(
    opened: Opened, boxes: np.ndarray, labels: Sequence[str], settings: dict[str, Any]
) -> dict[str, Any]:
    """Which anchors learn what from the true boxes, and where the class loss comes from."""
    taught = teaching.assign(opened, boxes, settings.get("high"), settings.get("low"))
    anchors = opened.trace.field.anchors_net[taught.positive]  # type: ignore[union-attr]
    told: dict[str, Any] = {
        "true_boxes": [{"box": b, "label": n} for b, n in zip(boxes, labels, strict=True)],
        "rule": taught.rule,
        "high": taught.high,
        "low": taught.low,
        "counts": taught.counts(),
        "positive": [
            {
                "index": index,
                "true_box": taught.match[index],
                "iou": taught.overlap[index],
                "forced": taught.forced[index],
                "anchor": anchor,
                "target": target,
            }
            for index, anchor, target in zip(
                taught.positive, photo_boxes(opened, anchors), taught.targets, strict=True
            )
        ],
        "centerness": taught.centerness,
        "sampled": None,
        "imbalance": None,
    }
    size = teaching.sample_size(opened)
    if size is not None:
        drawn = teaching.sample(taught, settings.get("seed", 0), *size)
        told["sampled"] = {"positive": drawn.positive, "negative": drawn.negative}
    if not isinstance(opened.module, GridDetector):
        gamma, alpha = settings.get("gamma", 2.0), settings.get("alpha", 0.25)
        found = imbalance.imbalance(opened, taught, label_ids(opened, labels), gamma, alpha)
        told["imbalance"] = {"gamma": gamma, "alpha": alpha, **asdict(found)}
    return told


def label_ids(opened: Opened, labels: Sequence[str]) -> list[int]:
    """The network's label ids of class names; -1 for a class that it does not know."""
    known = {comparable(name): i for i, name in enumerate(opened.trace.info.labels)}
    return [known.get(comparable(name), -1) for name in labels]


def _box_losses(box: np.ndarray, truth: np.ndarray) -> dict[str, Any] | None:
    """The chosen box against the true box that it overlaps most, or else that lies nearest."""
    boxes = np.asarray(truth, np.float64).reshape(-1, 4)
    boxes = boxes[(boxes[:, 2:] > boxes[:, :2]).all(1)]
    if not len(boxes) or not (box[2:] > box[:2]).all():
        return None
    true = nearest_true(box, boxes)
    found = losses.box_losses(box, true)
    return {"predicted": box, "true": true, "losses": [asdict(one) for one in found]}


def nearest_true(box: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Of ``boxes`` [M, 4], M at least 1, the one with the greatest IoU with ``box`` [4].

    Where none overlaps, the one whose middle is nearest.
    """
    overlap = iou_matrix(box[None].astype(np.float32), boxes.astype(np.float32))[0]
    away = np.hypot(*((boxes[:, :2] + boxes[:, 2:] - box[:2] - box[2:]) / 2).T)
    return boxes[np.lexsort((away, -overlap))[0]]
