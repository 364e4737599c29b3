"""Score a bundled network on the data it never saw, and write the numbers into its card."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from vision_core.errors import UserError
from vision_core.evaluation import classification, detection, pose, segmentation
from vision_core.evaluation.annotations import AnnotatedPhoto, annotated_photos
from vision_core.evaluation.everyday import everyday
from vision_core.evaluation.operating_point import operating_point
from vision_core.metrics.pck import pck
from vision_core.models import zoo
from vision_core.models.cards import ASSETS
from vision_core.models.zoo import everyday as classes
from vision_core.models.zoo import fcn_voc_s, fcos_s, streets
from vision_core.models.zoo.facts import FACTS
from vision_core.training import card as cards
from vision_core.training.export import read_weights

DETECTORS = ("fcos_s", "faster_rcnn_s", "mask_rcnn_s", "yolo_s")

KEPT = ("scores", "likely_from", "operating_point", "sure_from")
"""What of a result goes into a card."""

Rows = list[dict[str, Any]]
Found = dict[str, Any]
"""What a scorer found: ``scores``, of classifiers ``likely_from``, of detectors
``operating_point``, of segmenters ``sure_from``."""


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
    card |= {key: result[key] for key in KEPT if key in result}
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
    """Top-1 of all pictures, by data set and by class."""
    pictures = everyday(data, "val")
    preset = zoo.preprocessing(name)
    assert preset is not None
    logits = classification.predict(network, preset, pictures)
    labels = torch.tensor([picture.label for picture in pictures])
    right = logits.argmax(1) == labels
    datasets = sorted({picture.dataset for picture in pictures})
    scores = _rows({"top-1": float(right.double().mean())}, " + ".join(datasets), "val", len(right))
    for dataset in datasets:
        mine = torch.tensor([picture.dataset == dataset for picture in pictures])
        value = {"top-1": float(right[mine].double().mean())}
        scores += _rows(value, dataset, "val", int(mine.sum()))
    for index, label in enumerate(classes.LABELS):
        mine = labels == index
        share = {f"top-1 {label}": float(right[mine].double().mean())}
        scores += _rows(share, "all of these", "val", int(mine.sum()))
    return {"scores": scores, "likely_from": classification.likely_from(logits, labels)}


DETECTION_PARTS = (("voc12_subset", "val"), ("coco_everyday", "val"), ("pennfudan", "test"))
ENOUGH_BOXES = 15
"""A class with fewer boxes in a data set is not counted for its mean."""


def _score_detector(name: str, network: nn.Module, data: Path) -> Found:
    names = tuple(label for label in FACTS[name].labels if label != "__background__")
    scores: Rows = []
    judged: tuple[list[Any], list[Any]] = ([], [])
    for dataset, split in DETECTION_PARTS:
        if (data / dataset / split).is_dir():
            photos = annotated_photos(data, dataset, split, names)
            truth = [detection.truth_of(photo) for photo in photos]
            predicted = detection.predict(network, photos)
            values = detection.average_precision(truth, predicted, names)
            scores += _rows(_counted(values, photos, names), dataset, split, len(photos))
            if split == "val":
                judged[0].extend(truth)
                judged[1].extend(predicted)
    if not scores:
        dataset = DETECTION_PARTS[0][0]
        raise UserError(f"No data set {dataset} in {data}; give its folder with --data.")
    return {"scores": scores, "operating_point": asdict(operating_point(*judged))}


def _counted(
    values: dict[str, float], photos: Sequence[AnnotatedPhoto], names: Sequence[str]
) -> dict[str, float]:
    """Return AP50 as the mean over classes with enough boxes, AP, and AP50 of each of these.

    On photos of animals the six classes of the first edition come first: their mean is comparable.
    """
    counts = torch.cat([photo.labels for photo in photos]).bincount(minlength=len(names))
    kept = [n for n, count in zip(names, counts.tolist(), strict=True) if count >= ENOUGH_BOXES]
    each = {f"AP50 {name}": values[f"AP50 {name}"] for name in kept}
    six = [values[f"AP50 {name}"] for name in fcos_s.ANIMALS_AND_PEOPLE]
    head = {"AP50": sum(each.values()) / len(each)} if each else {"AP50": values["AP50"]}
    if not any(math.isnan(value) for value in six):
        head["AP50 of six classes"] = sum(six) / len(six)
    return head | {"AP": values["AP"]} | each


def _score_masks(name: str, network: nn.Module, data: Path) -> Found:
    """Masks of persons first, then the boxes, which are those of ``faster_rcnn_s``."""
    names = tuple(label for label in FACTS[name].labels if label != "__background__")
    scores: Rows = []
    for dataset, split in (("pennfudan", "test"), ("coco_everyday", "val")):
        photos = detection.outlined_people(data, dataset, split, names)
        if photos:
            values = detection.score_masks(network, photos, names)
            scores += _rows(values, dataset, split, len(photos))
    boxes = _score_detector(name, network, data)
    return boxes | {"scores": scores + boxes["scores"]}


def _score_voc_segmenter(name: str, network: nn.Module, data: Path) -> Found:
    photos = annotated_photos(data, "voc12_subset", "val", fcn_voc_s.LABELS)
    preset = zoo.preprocessing(name)
    assert preset is not None
    sure = segmentation.Certainty(background=0)
    values = segmentation.score_segmenter(network, preset, photos, fcn_voc_s.LABELS, certainty=sure)
    scores = _rows(values, "voc12_subset", "val", len(photos))
    if (data / "person_masks" / "val").is_dir():
        people = annotated_photos(data, "person_masks", "val", ("person",))
        table = segmentation.people_table()
        values = segmentation.score_segmenter(network, preset, people, fcn_voc_s.LABELS, table)
        only = {"IoU person": values["IoU person"]}
        scores += _rows(only, "person_masks", "val", len(people))
    return {"scores": scores, "sure_from": sure.sure_from()}


def _score_street_segmenter(name: str, network: nn.Module, data: Path) -> Found:
    frames = segmentation.street_photos(data, "test")
    preset = zoo.preprocessing(name)
    assert preset is not None
    table = segmentation.street_table()
    values = segmentation.score_segmenter(network, preset, frames, streets.LABELS, table)
    sure, judged = segmentation.Certainty(), segmentation.street_photos(data, "val")
    segmentation.score_segmenter(network, preset, judged, streets.LABELS, table, sure)
    return {"scores": _rows(values, "camvid", "test", len(frames)), "sure_from": sure.sure_from()}


def _score_pose(name: str, network: nn.Module, data: Path) -> Found:
    scores: Rows = []
    everyday_people = pose.everyday_persons(data, "coco_everyday", "val", least=8)
    for dataset, people in (
        ("lspet_pose", pose.persons(data, "val")),
        ("coco_everyday", everyday_people),
    ):
        if people:
            xy = pose.predict(network, people)
            each = pck(xy, torch.stack([person.joints for person in people])).tolist()
            titles = ["PCK@0.2 torso", *(f"PCK@0.2 torso {joint}" for joint in pose.JOINTS)]
            values = dict(zip(titles, [each[-1], *each[:-1]], strict=True))
            scores += _rows(values, dataset, "val", len(people))
    return {"scores": scores}


_SCORERS: dict[str, Callable[[str, nn.Module, Path], Found]] = {
    "alexnet_s": _score_classifier,
    "vgg_s": _score_classifier,
    "resnet_s": _score_classifier,
    "fcos_s": _score_detector,
    "faster_rcnn_s": _score_detector,
    "yolo_s": _score_detector,
    "mask_rcnn_s": _score_masks,
    "fcn_voc_s": _score_voc_segmenter,
    **dict.fromkeys(streets.DECODERS, _score_street_segmenter),
    "pose_heatmap_s": _score_pose,
    "pose_regression_s": _score_pose,
}
