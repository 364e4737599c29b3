"""Top-1 accuracy on Imagenette's val part and the box crops of ``voc12_subset/val``."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from sklearn.metrics import accuracy_score
from torch import Tensor, nn

from vision_core.errors import UserError
from vision_core.evaluation.sources import Source, read_photo, square_around
from vision_core.models.zoo.everyday import FIFTEEN as LABELS

SPRINGER = "English springer"
SMALLEST = 20.0
"""Boxes with a shorter side below this many pixels show too little to be named."""


@dataclass(frozen=True)
class Example:
    """One picture (or part of one) and the class it shows, an index into ``FIFTEEN``."""

    source: Source
    label: int


def examples(data: Path, split: str, context: float = 1.15) -> list[Example]:
    """Return all examples of ``split`` ("train" or "val").

    Args:
        data: folder with ``imagenette128`` and ``voc12_subset``.
        split: which part.
        context: side of the square cut around a box, as a multiple of its longer side.

    Raises:
        UserError: if the data are not there.
    """
    whole = _imagenette(data / "imagenette128", split)
    return whole + _voc(data / "voc12_subset", split, context)


def _imagenette(root: Path, split: str) -> list[Example]:
    if not (root / "classes.json").exists():
        raise UserError(f"No data set imagenette128 in {root.parent}; give its folder with --data.")
    classes: dict[str, str] = json.loads((root / "classes.json").read_text())
    found = []
    for folder, title in sorted(classes.items()):
        label = LABELS.index("dog" if title == SPRINGER else title)
        paths = sorted((root / split / folder).iterdir())
        found += [Example(Source(path), label) for path in paths]
    return found


def _voc(root: Path, split: str, context: float) -> list[Example]:
    path = root / split / "annotations.json"
    if not path.exists():
        raise UserError(f"No data set voc12_subset in {root.parent}; give its folder with --data.")
    content = json.loads(path.read_text())
    names = {entry["id"]: entry["name"] for entry in content["categories"]}
    photos = {entry["id"]: entry for entry in content["images"]}
    found = []
    for note in content["annotations"]:
        name = names[note["category_id"]]
        x, y, w, h = note["bbox"]
        if name not in LABELS or min(w, h) < SMALLEST:
            continue
        photo = photos[note["image_id"]]
        box = square_around((x, y, x + w, y + h), context, (photo["width"], photo["height"]))
        source = Source(root / split / photo["file_name"], box)
        found.append(Example(source, LABELS.index(name)))
    return found


def top1(logits: Tensor, labels: Tensor) -> float:
    """Return the share of ``logits`` ``[N, classes]`` whose largest entry is ``labels`` ``[N]``."""
    return float(accuracy_score(labels.numpy(), logits.argmax(1).numpy()))


def likely_from(logits: Tensor, labels: Tensor) -> float:
    """Return the probability from which a network's best class counts as likely.

    It is the lowest multiple of 0.05 such that, of the answers whose probability lies between it
    and 0.1 more, at least half are right (bands of fewer than 20 answers tell nothing).

    Args:
        logits: ``[N, classes]``.
        labels: ``[N]``.
    """
    best, answer = logits.softmax(1).max(1)
    right = answer == labels
    for step in range(2, 19):
        low = step / 20
        band = (best >= low) & (best < low + 0.1)
        if band.sum() >= 20 and right[band].double().mean() >= 0.5:
            return low
    return 0.95


def predict(network: nn.Module, preset: Callable[[Any], Tensor], found: Sequence[Any]) -> Tensor:
    """Return the logits ``[N, classes]`` of all examples (with a ``source``), as at inference."""
    device = next(network.parameters()).device
    logits = []
    with torch.inference_mode():
        for example in found:
            picture = preset(read_photo(example.source))
            logits.append(network(picture[None].to(device))[0].cpu())
    return torch.stack(logits)
