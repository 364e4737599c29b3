"""Pictures of everyday classes: four data sets of whole photos, and crops around boxes.

Three of the data sets name their classes otherwise, more finely or only at 32 pixels; the tables
here say which everyday class theirs belong to. What stands in no table is nameless here, and may
still help a trunk to learn.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vision_core.errors import UserError
from vision_core.evaluation.sources import Source, square_around
from vision_core.models.zoo.everyday import LABELS

UNNAMED = -1
"""The label of a picture that belongs to none of ``LABELS``; losses ignore it."""
SMALLEST = 24.0
"""Boxes with a shorter side below this many pixels show too little to be named."""
BOX_SETS = ("voc12_subset", "coco_everyday", "coco_mini", "voc_more")
BOX_NAMES = {
    "aeroplane": "airplane",
    "motorbike": "motorcycle",
    "pottedplant": "potted plant",
    "sofa": "sofa",
    "couch": "sofa",
    "tv": "television",
    "tvmonitor": "television",
    "cell phone": "mobile phone",
}
"""Where Pascal VOC and COCO call a class otherwise than ``LABELS``."""
IMAGENETTE_NAMES = {"tench": "fish", "English springer": "dog"}
CALTECH_NAMES = {
    "Faces": "person",
    "Leopards": "leopard",
    "Motorbikes": "motorcycle",
    "airplanes": "airplane",
    "bass": "fish",
    "binocular": "binoculars",
    "bonsai": "potted plant",
    "brontosaurus": "dinosaur",
    "stegosaurus": "dinosaur",
    "car_side": "car",
    "ceiling_fan": "ceiling fan",
    "cellphone": "mobile phone",
    "cougar_body": "cougar",
    "cougar_face": "cougar",
    "crayfish": "lobster",
    "crocodile_head": "crocodile",
    "dalmatian": "dog",
    "electric_guitar": "guitar",
    "emu": "bird",
    "ibis": "bird",
    "pigeon": "bird",
    "ferry": "boat",
    "ketch": "boat",
    "schooner": "boat",
    "flamingo_head": "flamingo",
    "grand_piano": "piano",
    "hawksbill": "turtle",
    "headphone": "headphones",
    "inline_skate": "roller skate",
    "lotus": "flower",
    "sunflower": "flower",
    "water_lilly": "flower",
    "rhino": "rhinoceros",
    "sea_horse": "sea horse",
    "soccer_ball": "soccer ball",
    "stop_sign": "stop sign",
    "windsor_chair": "chair",
}
TINY_NAMES = {
    "n02085620": "dog",
    "n02094433": "dog",
    "n02099601": "dog",
    "n02099712": "dog",
    "n02106662": "dog",
    "n02113799": "dog",
    "n02123045": "cat",
    "n02123394": "cat",
    "n02124075": "cat",
    "n02125311": "cougar",
    "n02403003": "cow",
    "n02504458": "elephant",
    "n02814533": "car",
    "n03100240": "car",
    "n03670208": "car",
    "n04285008": "car",
    "n04146614": "bus",
    "n04487081": "bus",
    "n02823428": "bottle",
    "n03937543": "bottle",
    "n03983396": "bottle",
    "n04399382": "teddy bear",
    "n04507155": "umbrella",
    "n07753592": "banana",
    "n07873807": "pizza",
    "n01770393": "scorpion",
    "n01983481": "lobster",
    "n02268443": "dragonfly",
    "n02279972": "butterfly",
    "n02281406": "butterfly",
    "n02795169": "barrel",
    "n02841315": "binoculars",
    "n02950826": "cannon",
    "n04099969": "chair",
    "n01443537": "fish",
}
"""Classes of Tiny ImageNet by their WordNet number."""

SHOWN_WITH_OTHERS = {
    "Faces",
    "Leopards",
    "Motorbikes",
    "buddha",
    "car_side",
    "chair",
    "cougar_body",
    "cougar_face",
    "cup",
    "dalmatian",
    "dollar_bill",
    "garfield",
    "gerenuk",
    "headphone",
    "inline_skate",
    "llama",
    "snoopy",
    "umbrella",
    "wheelchair",
    "wild_cat",
    "windsor_chair",
}
"""Classes of Caltech-101 that are, resemble, or often stand beside a class of the detectors."""


@dataclass(frozen=True)
class Everyday:
    """A picture, or part of one.

    Attributes:
        source: where it is.
        label: index into ``LABELS``, or ``UNNAMED``.
        dataset: where it comes from.
        own: the class name in that data set.
    """

    source: Source
    label: int
    dataset: str
    own: str


@dataclass(frozen=True)
class TinyPhotos:
    """Tiny ImageNet at 32 pixels.

    Attributes:
        jpegs: the files' bytes, one for each picture.
        own: ``[N]`` class numbers of the data set, 0..199.
        labels: ``[N]`` indices into ``LABELS``, or ``UNNAMED``.
    """

    jpegs: list[bytes]
    own: np.ndarray
    labels: np.ndarray


def index_of(name: str) -> int:
    """Return the index of ``name`` in ``LABELS``, ``UNNAMED`` if it is not one of them."""
    return LABELS.index(name) if name in LABELS else UNNAMED


def everyday(data: Path, split: str, context: float = 1.15) -> list[Everyday]:
    """Return everything that has a name or helps a trunk, of ``split`` "train" or "val".

    The part of Caltech-101 that is called "test" counts as "val" here. Pictures for "val" all have
    a name.

    Args:
        data: folder with ``imagenette128``, ``imagewoof``, ``caltech101`` and the sets of boxes.
        split: which part.
        context: side of the square cut around a box, as a multiple of its longer side.

    Raises:
        UserError: if a data set is not there.
    """
    pictures = _folders(data, "imagenette128", split, IMAGENETTE_NAMES)
    pictures += _folders(data, "caltech101", "test" if split == "val" else split, CALTECH_NAMES)
    if split == "train":
        pictures += _folders(data, "imagewoof", split, {})
    for dataset in BOX_SETS:
        if split == "train" or (data / dataset / split).is_dir():
            pictures += _boxes(data / dataset, split, context)
    return [p for p in pictures if split == "train" or p.label != UNNAMED]


def _folders(data: Path, dataset: str, split: str, names: dict[str, str]) -> list[Everyday]:
    """Photos in one folder for each class."""
    root = data / dataset / split
    if not root.is_dir():
        raise UserError(f"No data set {dataset}/{split} in {data}; give its folder with --data.")
    table = data / dataset / "classes.json"
    titles: dict[str, str] = json.loads(table.read_text()) if table.exists() else {}
    pictures = []
    for folder in sorted(path for path in root.iterdir() if path.is_dir()):
        own = titles.get(folder.name, folder.name)
        label = index_of("dog" if dataset == "imagewoof" else names.get(own, own))
        paths = sorted(folder.iterdir())
        pictures += [Everyday(Source(path), label, dataset, own) for path in paths]
    return pictures


def _boxes(root: Path, split: str, context: float) -> list[Everyday]:
    """Squares around boxes; crowds and small boxes are left out."""
    path = root / split / "annotations.json"
    if not path.exists():
        raise UserError(
            f"No data set {root.name}/{split} in {root.parent}; give its folder with --data."
        )
    content = json.loads(path.read_text())
    names = {entry["id"]: entry["name"] for entry in content["categories"]}
    photos = {entry["id"]: entry for entry in content["images"]}
    pictures = []
    for note in content["annotations"]:
        own = names[note["category_id"]]
        label = index_of(BOX_NAMES.get(own, own))
        x, y, w, h = note["bbox"]
        if label == UNNAMED or min(w, h) < SMALLEST or note.get("iscrowd"):
            continue
        photo = photos[note["image_id"]]
        box = square_around((x, y, x + w, y + h), context, (photo["width"], photo["height"]))
        source = Source(root / split / photo["file_name"], box)
        pictures.append(Everyday(source, label, root.name, own))
    return pictures


def tiny(data: Path, split: str) -> TinyPhotos:
    """Return Tiny ImageNet's part ``split``.

    Raises:
        UserError: if it is not there.
    """
    dataset = "tinyimagenet32"
    path = data / dataset / f"{split}.npz"
    if not path.exists():
        raise UserError(f"No data set {dataset}/{split} in {data}; give its folder with --data.")
    with np.load(path) as content:
        blob, ends = content["jpeg"].tobytes(), content["ends"].tolist()
        own, wnids = content["label"].astype(np.int64), content["wnids"].tolist()
    starts = [0, *ends[:-1]]
    jpegs = [blob[start:end] for start, end in zip(starts, ends, strict=True)]
    table = np.array([index_of(TINY_NAMES.get(wnid, "")) for wnid in wnids])
    return TinyPhotos(jpegs, own, table[own])


def nothing_known(data: Path, split: str) -> list[Path]:
    """Return photos of Caltech-101 that show no class of the bundled detectors.

    Raises:
        UserError: if the data set is not there.
    """
    pictures = _folders(data, "caltech101", "test" if split == "val" else split, {})
    return [p.source.path for p in pictures if p.own not in SHOWN_WITH_OTHERS]
