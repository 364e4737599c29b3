"""Average precision of boxes, by pycocotools (Lin et al., "Microsoft COCO", 2014)."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pycocotools import mask as run_lengths
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from torch import Tensor, nn
from torchvision.models.detection import FasterRCNN

from vision_core.evaluation.annotations import AnnotatedPhoto, annotated_photos
from vision_core.evaluation.instances import instance_map
from vision_core.evaluation.sources import Source, read_photo

LOWEST_SCORE = 0.01
"""Every prediction above it counts for the precision-recall curve."""


def average_precision(
    truth: Sequence[Mapping[str, Tensor]],
    found: Sequence[Mapping[str, Tensor]],
    names: Sequence[str],
    kind: str = "bbox",
) -> dict[str, float]:
    """Return AP50, AP (mean over IoU 0.50 to 0.95) and AP50 of each class, all 0..1.

    Args:
        truth: per photo ``boxes [K, 4]`` and ``labels [K]``; for masks also ``masks [K, H, W]``;
            maybe ``crowds [C, 4]`` and ``crowd_labels [C]``: what lies in them is not judged.
        found: per photo ``boxes``, ``labels`` and ``scores [K]``; for masks also ``masks``.
        kind: "bbox" to compare boxes, "segm" to compare masks (boolean).
        names: class names; labels are indices into it. A class without any true box gives NaN
            and does not count for the means; one with true boxes and nothing found gives 0.
    """
    reference = COCO()
    notes: list[dict[str, object]] = []
    results: list[dict[str, object]] = []
    for index, photo in enumerate(truth):
        for note in _notes(index, photo):
            notes.append(note | {"id": len(notes) + 1, "iscrowd": 0})
        for note in _notes(index, _crowds(photo)):
            notes.append(note | {"id": len(notes) + 1, "iscrowd": 1})
    for index, photo in enumerate(found):
        scored = zip(_notes(index, photo), photo["scores"].tolist(), strict=True)
        results += [note | {"score": score} for note, score in scored]
    reference.dataset = {
        "info": {},
        "images": [_image(index, photo) for index, photo in enumerate(truth)],
        "categories": [{"id": index, "name": name} for index, name in enumerate(names)],
        "annotations": notes,
    }
    if not results:  # pycocotools cannot load an empty list
        present = {int(label) for photo in truth for label in photo["labels"]}
        each = {i: 0.0 if i in present else float("nan") for i in range(len(names))}
        mean = 0.0 if present else float("nan")
        return {"AP50": mean, "AP": mean, **{f"AP50 {n}": each[i] for i, n in enumerate(names)}}
    if not notes:
        return dict.fromkeys(["AP50", "AP", *(f"AP50 {n}" for n in names)], float("nan"))
    with contextlib.redirect_stdout(io.StringIO()):
        reference.createIndex()
        scorer = COCOeval(reference, reference.loadRes(results), kind)
        scorer.evaluate()
        scorer.accumulate()
    # [IoU, recall, class, area, limit]; -1 marks a class without true boxes
    precision = scorer.eval["precision"][:, :, :, 0, -1]
    precision = np.where(precision < 0, np.nan, precision)
    scores = {"AP50": float(np.nanmean(precision[0])), "AP": float(np.nanmean(precision))}
    for index, name in enumerate(names):
        scores[f"AP50 {name}"] = float(precision[0, :, index].mean())
    return scores


def _crowds(photo: Mapping[str, Tensor]) -> dict[str, Tensor]:
    none = torch.zeros(0, 4)
    return {
        "boxes": photo.get("crowds", none),
        "labels": photo.get("crowd_labels", none[:, 0].long()),
    }


def _xywh(boxes: Tensor) -> list[list[float]]:
    return torch.cat([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], 1).tolist()


def _image(index: int, photo: Mapping[str, Tensor]) -> dict[str, int]:
    """A photo as COCO's entry; pycocotools wants to know the size of masks."""
    if "masks" not in photo:
        return {"id": index}
    height, width = photo["masks"].shape[1:]
    return {"id": index, "height": int(height), "width": int(width)}


def _notes(index: int, photo: Mapping[str, Tensor]) -> list[dict[str, object]]:
    """Boxes of one photo as COCO's annotations, with run-length masks where there are masks."""
    notes: list[dict[str, object]] = []
    for box, label in zip(_xywh(photo["boxes"]), photo["labels"].tolist(), strict=True):
        area = box[2] * box[3]
        notes.append({"image_id": index, "category_id": label, "bbox": box, "area": area})
    for note, mask in zip(notes, photo.get("masks", ()), strict=False):
        note["segmentation"] = run_lengths.encode(np.asfortranarray(mask.numpy(), np.uint8))
        note["area"] = float(mask.sum())
    return notes


def score_detector(
    network: nn.Module, photos: Sequence[AnnotatedPhoto], names: Sequence[str]
) -> dict[str, float]:
    """Return ``average_precision`` of a torchvision detector on whole photos.

    The score threshold is lowered to ``LOWEST_SCORE`` meanwhile, and put back. Two-stage networks
    count from the background; their labels are moved down by one.
    """
    found = predict(network, photos)
    return average_precision([truth_of(photo) for photo in photos], found, names)


def truth_of(photo: AnnotatedPhoto) -> dict[str, Tensor]:
    """Return what is marked on a photo, as ``average_precision`` takes it."""
    return {
        "boxes": photo.boxes,
        "labels": photo.labels,
        "crowds": photo.crowds,
        "crowd_labels": photo.crowd_labels,
    }


def predict(network: Any, photos: Sequence[AnnotatedPhoto]) -> list[dict[str, Tensor]]:
    """Return what a torchvision detector finds above ``LOWEST_SCORE``, on the CPU."""
    device = next(network.parameters()).device
    two_stage = isinstance(network, FasterRCNN)
    holder = network.roi_heads if two_stage else network
    before = holder.score_thresh
    holder.score_thresh = LOWEST_SCORE
    found = []
    try:
        with torch.inference_mode():
            for photo in photos:
                picture = read_photo(Source(photo.path)).to(device) / 255
                one = {k: v.cpu() for k, v in network([picture])[0].items()}
                found.append(one | {"labels": one["labels"] - int(two_stage)})
    finally:
        holder.score_thresh = before
    return found


def outlined_people(
    data: Path, dataset: str, split: str, names: Sequence[str]
) -> list[AnnotatedPhoto]:
    """Return the photos on which every person has a mask; ``[]`` if the data set is absent."""
    if not (data / dataset / split).is_dir():
        return []
    person = names.index("person")
    photos = annotated_photos(data, dataset, split, tuple(names))
    return [photo for photo in photos if _all_outlined(photo, person)]


def _all_outlined(photo: AnnotatedPhoto, person: int) -> bool:
    people = (photo.labels == person).nonzero()[:, 0].tolist()
    return bool(people) and all(photo.outlines[index] is not None for index in people)


def score_masks(
    network: nn.Module, photos: Sequence[AnnotatedPhoto], names: Sequence[str]
) -> dict[str, float]:
    """Return mask AP50 and mask AP of persons.

    Masks are torchvision's, pasted into the photo and cut at 0.5. People whose outline is hidden
    by others' count by what is left of it.
    """
    person = names.index("person")
    truth, found = [], []
    for photo, prediction in zip(photos, predict(network, photos), strict=True):
        pixels, known = instance_map(photo, names)
        people = known & (photo.labels == person).numpy()
        numbers = torch.from_numpy(people.nonzero()[0])[:, None, None] + 1
        masks = torch.from_numpy(pixels)[None] == numbers
        rows = torch.from_numpy(people)
        labels = torch.zeros(int(rows.sum()), dtype=torch.int64)
        truth.append({"boxes": photo.boxes[rows], "labels": labels, "masks": masks})
        mine = prediction["labels"] == person
        one = {k: v[mine] for k, v in prediction.items()}
        one |= {"labels": one["labels"] * 0, "masks": one["masks"][:, 0] > 0.5}
        found.append(one)
    scores = average_precision(truth, found, ["person"], "segm")
    return {"mask AP50 person": scores["AP50"], "mask AP person": scores["AP"]}
