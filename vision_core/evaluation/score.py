"""Score a bundled network on the data it never saw, and write the numbers into its card."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from vision_core.errors import UserError
from vision_core.evaluation import classification, detection, pose, segmentation
from vision_core.evaluation.annotations import annotated_photos
from vision_core.models import zoo
from vision_core.models.cards import ASSETS
from vision_core.models.zoo import fcn_voc_s, fcos_s, resnet_s, streets
from vision_core.training import card as cards
from vision_core.training.export import read_weights

DETECTORS = ("fcos_s", "faster_rcnn_s", "mask_rcnn_s")

Rows = list[dict[str, Any]]
Found = dict[str, Any]
"""What a scorer found: ``scores``, and of classifiers ``likely_from``."""


def evaluate(
    name: str, data_dir: Path, weights: Path | None = None, device: str = "cpu"
) -> dict[str, Any]:
    """Return the scores of a bundled network.

    Args:
        name: of the network.
        data_dir: folder of the data sets.
        weights: safetensors file; without it the bundled one.
        device: as ``torch.device`` takes it.

    Returns:
        ``{"model", "sha256", "scores": [{metric, value, dataset, split, n}]}``; every value is a
        share from 0 to 1, the first one is the headline. Of classifiers also ``likely_from``.

    Raises:
        UserError: there is no such network, or data or weights are missing or do not fit.
    """
    if name not in _SCORERS:
        known = ", ".join(zoo.NAMES)
        raise UserError(f"There is no bundled network {name!r}; choose one of {known}.")
    path = weights or ASSETS / f"{zoo.stem(name)}.safetensors"
    network = load(name, path).to(device)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return {"model": name, "sha256": digest, **_SCORERS[name](name, network, data_dir)}


def load(name: str, path: Path) -> nn.Module:
    """Return network ``name`` with the weights of a safetensors file, in eval mode.

    Raises:
        UserError: if the file cannot be read or does not fit.
    """
    network = zoo.build(name)
    try:
        network.load_state_dict(zoo.own_part(name, read_weights(path)))
    except RuntimeError as error:
        raise UserError(f"The weights {path} do not fit {name}.") from error
    return network.eval()


def write_into_card(result: dict[str, Any], speed_ms: float) -> Path:
    """Put scores and speed into the card of a bundled network.

    Raises:
        UserError: if the scores are of other weights than the card's.
    """
    path = ASSETS / f"{result['model']}.json"
    card = cards.read(path)
    if card["sha256"] != result["sha256"]:
        raise UserError(f"The scores belong to other weights than the card {path.name}.")
    card |= {key: result[key] for key in ("scores", "likely_from") if key in result}
    card["speed_ms_640x480"] = round(speed_ms, 1)
    return cards.save(card, path)


def speed(name: str, network: nn.Module, repeats: int = 25) -> float:
    """Return the milliseconds for a 640x480 photo, preparation included, once warm.

    It is the fastest of ``repeats``: other work on the machine can only make a run slower.

    For pose networks it is one person; the detector's time comes on top.
    """
    photo = torch.randint(0, 256, (3, 480, 640), dtype=torch.uint8)
    run = _forward(name, network)
    times = []
    with torch.inference_mode():
        for _ in range(3):
            run(photo)
        for _ in range(repeats):
            start = time.perf_counter()
            run(photo)
            times.append((time.perf_counter() - start) * 1000)
    return min(times)


def bundled_speed(name: str) -> float:
    """Return ``speed`` of a bundled network with its own weights."""
    return speed(name, load(name, ASSETS / f"{zoo.stem(name)}.safetensors"))


def _forward(name: str, network: nn.Module) -> Callable[[Tensor], Any]:
    from vision_core.inference.pose import crop_boxes, decode

    preset = zoo.preprocessing(name)
    if preset is not None:
        return lambda photo: network(preset(photo)[None])
    if name in DETECTORS:
        return lambda photo: network([photo / 255])

    def pose_of_one(photo: Tensor) -> Any:
        crops, geometry = crop_boxes(photo / 255, torch.tensor([[200.0, 50.0, 400.0, 450.0]]))
        return decode(network(crops), geometry)

    return pose_of_one


def _rows(values: dict[str, float], dataset: str, split: str, n: int) -> Rows:
    """Scores as a card holds them; what cannot be scored for want of examples is ``None``."""
    return [
        {
            "metric": metric,
            "value": None if math.isnan(value) else round(value, 4),
            "dataset": dataset,
            "split": split,
            "n": n,
        }
        for metric, value in values.items()
    ]


def _score_classifier(name: str, network: nn.Module, data: Path) -> Found:
    found = classification.examples(data, "val")
    preset = zoo.preprocessing(name)
    assert preset is not None
    logits = classification.predict(network, preset, found)
    labels = torch.tensor([example.label for example in found])
    voc = torch.tensor([example.source.box is not None for example in found])
    right = logits.argmax(1) == labels
    both = "imagenette128 + voc12_subset box crops"
    scores = _rows({"top-1": classification.top1(logits, labels)}, both, "val", len(found))
    for dataset, rows in (("imagenette128", ~voc), ("voc12_subset box crops", voc)):
        value = classification.top1(logits[rows], labels[rows])
        scores += _rows({"top-1": value}, dataset, "val", int(rows.sum()))
    for index, label in enumerate(resnet_s.LABELS):
        mine = labels == index
        share = {f"top-1 {label}": float(right[mine].double().mean())}
        scores += _rows(share, both, "val", int(mine.sum()))
    return {"scores": scores, "likely_from": classification.likely_from(logits, labels)}


def _score_detector(name: str, network: nn.Module, data: Path) -> Found:
    photos = annotated_photos(data, "voc12_subset", "val", fcos_s.LABELS)
    values = detection.score_detector(network, photos, fcos_s.LABELS)
    scores = _rows(values, "voc12_subset", "val", len(photos))
    if (data / "pennfudan" / "test").is_dir():
        walkers = annotated_photos(data, "pennfudan", "test", fcos_s.LABELS)
        value = detection.score_detector(network, walkers, fcos_s.LABELS)["AP50 person"]
        scores += _rows({"AP50 person": value}, "pennfudan", "test", len(walkers))
    return {"scores": scores}


def _score_masks(name: str, network: nn.Module, data: Path) -> Found:
    """Masks of persons first, then the boxes, which are those of ``faster_rcnn_s``."""
    values, n = detection.score_masks(network, data, fcos_s.LABELS)
    boxes = _score_detector(name, network, data)["scores"]
    return {"scores": _rows(values, "pennfudan", "test", n) + boxes}


def _score_voc_segmenter(name: str, network: nn.Module, data: Path) -> Found:
    photos = annotated_photos(data, "voc12_subset", "val", fcn_voc_s.LABELS)
    preset = zoo.preprocessing(name)
    assert preset is not None
    values = segmentation.score_segmenter(network, preset, photos, fcn_voc_s.LABELS)
    return {"scores": _rows(values, "voc12_subset", "val", len(photos))}


def _score_street_segmenter(name: str, network: nn.Module, data: Path) -> Found:
    frames = segmentation.street_photos(data, "test")
    preset = zoo.preprocessing(name)
    assert preset is not None
    table = segmentation.street_table()
    values = segmentation.score_segmenter(network, preset, frames, streets.LABELS, table)
    return {"scores": _rows(values, "camvid", "test", len(frames))}


def _score_pose(name: str, network: nn.Module, data: Path) -> Found:
    people = pose.persons(data, "val")
    xy = pose.predict(network, people)
    joints = torch.stack([person.joints for person in people])
    each = pose.pck(xy, joints).tolist()
    titles = ["PCK@0.2 torso", *(f"PCK@0.2 torso {joint}" for joint in pose.JOINTS)]
    values = dict(zip(titles, [each[-1], *each[:-1]], strict=True))
    return {"scores": _rows(values, "lspet_pose", "val", len(people))}


_SCORERS: dict[str, Callable[[str, nn.Module, Path], Found]] = {
    **dict.fromkeys(zoo.CLASSIFIERS, _score_classifier),
    "fcos_s": _score_detector,
    "faster_rcnn_s": _score_detector,
    "mask_rcnn_s": _score_masks,
    "fcn_voc_s": _score_voc_segmenter,
    **dict.fromkeys(streets.DECODERS, _score_street_segmenter),
    "pose_heatmap_s": _score_pose,
    "pose_regression_s": _score_pose,
}
