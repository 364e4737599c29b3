"""Average precision of boxes, by pycocotools (Lin et al., "Microsoft COCO", 2014)."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from torch import Tensor, nn

from vision_core.evaluation.annotations import AnnotatedPhoto
from vision_core.evaluation.sources import Source, read_photo

LOWEST_SCORE = 0.01
"""Every prediction above it counts for the precision-recall curve."""


def average_precision(
    truth: Sequence[Mapping[str, Tensor]],
    found: Sequence[Mapping[str, Tensor]],
    names: Sequence[str],
) -> dict[str, float]:
    """Return AP50, AP (mean over IoU 0.50 to 0.95) and AP50 of each class, all 0..1.

    Args:
        truth: per photo ``boxes [K, 4]`` and ``labels [K]``.
        found: per photo ``boxes``, ``labels`` and ``scores [K]``.
        names: class names; labels are indices into it. A class without any true box gives NaN
            and does not count for the means.
    """
    reference = COCO()
    notes: list[dict[str, object]] = []
    results: list[dict[str, object]] = []
    for index, photo in enumerate(truth):
        for box, label in zip(_xywh(photo["boxes"]), photo["labels"].tolist(), strict=True):
            notes.append(_note(index, box, label) | {"id": len(notes) + 1, "iscrowd": 0})
    for index, photo in enumerate(found):
        parts = zip(
            _xywh(photo["boxes"]), photo["labels"].tolist(), photo["scores"].tolist(), strict=True
        )
        results += [_note(index, box, label) | {"score": score} for box, label, score in parts]
    reference.dataset = {
        "info": {},
        "images": [{"id": index} for index in range(len(truth))],
        "categories": [{"id": index, "name": name} for index, name in enumerate(names)],
        "annotations": notes,
    }
    if not results:
        return {"AP50": 0.0, "AP": 0.0, **{f"AP50 {name}": 0.0 for name in names}}
    with contextlib.redirect_stdout(io.StringIO()):
        reference.createIndex()
        scorer = COCOeval(reference, reference.loadRes(results), "bbox")
        scorer.evaluate()
        scorer.accumulate()
    # [IoU, recall, class, area, limit]; -1 marks a class without true boxes
    precision = scorer.eval["precision"][:, :, :, 0, -1]
    precision = np.where(precision < 0, np.nan, precision)
    scores = {"AP50": float(np.nanmean(precision[0])), "AP": float(np.nanmean(precision))}
    for index, name in enumerate(names):
        scores[f"AP50 {name}"] = float(precision[0, :, index].mean())
    return scores


def _xywh(boxes: Tensor) -> list[list[float]]:
    return torch.cat([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], 1).tolist()


def _note(photo: int, box: list[float], label: int) -> dict[str, object]:
    return {"image_id": photo, "category_id": label, "bbox": box, "area": box[2] * box[3]}


def score_detector(
    network: nn.Module, photos: Sequence[AnnotatedPhoto], names: Sequence[str]
) -> dict[str, float]:
    """Return ``average_precision`` of a torchvision detector on whole photos.

    The score threshold is lowered to ``LOWEST_SCORE`` meanwhile, and put back.
    """
    device = next(network.parameters()).device
    before = network.score_thresh
    network.score_thresh = LOWEST_SCORE  # type: ignore[assignment]
    found = []
    try:
        with torch.inference_mode():
            for photo in photos:
                picture = read_photo(Source(photo.path)).to(device) / 255
                found.append({k: v.cpu() for k, v in network([picture])[0].items()})
    finally:
        network.score_thresh = before
    truth = [{"boxes": photo.boxes, "labels": photo.labels} for photo in photos]
    return average_precision(truth, found, names)
