"""The pose data that training and scores share, and what a network says of them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from vision_core.errors import UserError
from vision_core.evaluation.sources import Source, read_photo, square_around
from vision_core.inference.pose import COCO_FROM_LSP, JOINTS, crop_boxes, decode

GROWTH = 0.08
"""A person's box is the box of the joints, grown on each side by this share of its longer side."""


@dataclass(frozen=True)
class Person:
    """One person.

    Attributes:
        source: where the photo is.
        joints: ``[14, 3]``: x, y in its pixels, labelled 0/1.
        box: ``[4]`` around the person where one is labelled; else the joints tell it.
        unseen: ``[14]`` bool: joints that are known not to be visible on the photo.
    """

    source: Source
    joints: Tensor
    box: Tensor | None = None
    unseen: Tensor = field(default_factory=lambda: torch.zeros(len(JOINTS), dtype=torch.bool))


def persons(data: Path, split: str) -> list[Person]:
    """Return the persons of ``lspet_pose``; ``split`` is "train" or "val".

    Raises:
        UserError: if the data are not there.
    """
    folder = data / "lspet_pose" / split
    if not (folder / "keypoints.npz").exists():
        raise UserError(f"No data set lspet_pose in {data}; give its folder with --data.")
    with np.load(folder / "keypoints.npz", allow_pickle=False) as arrays:
        if tuple(arrays["lsp14_names"]) != JOINTS:
            raise UserError(f"The joints in {folder} are not those of the Leeds Sports Pose data.")
        joints = torch.from_numpy(arrays["lsp14"].astype(np.float32))
        names = [str(name) for name in arrays["file_name"]]
    joints[:, :, 2] = (joints[:, :, 2] > 0).float()
    sources = [Source(folder / "images" / name) for name in names]
    return [Person(source, j) for source, j in zip(sources, joints, strict=True)]


def everyday_persons(
    data: Path, dataset: str = "coco_mini", split: str = "train", least: int = 6
) -> list[Person]:
    """Return the persons of a COCO data set with at least that many of the 12 shared joints.

    Each is cut out with some room around the box; an absent data set gives an empty list.
    """
    folder = data / dataset / split
    if not (folder / "annotations.json").exists():
        return []
    content = json.loads((folder / "annotations.json").read_text())
    photos = {entry["id"]: entry for entry in content["images"]}
    people = []
    for note in content["annotations"]:
        joints = shared_joints(note.get("keypoints"))
        if joints[:, 2].sum() < least or note.get("iscrowd"):
            continue
        photo = photos[note["image_id"]]
        x, y, w, h = note["bbox"]
        cut = square_around((x, y, x + w, y + h), 1.7, (photo["width"], photo["height"]))
        joints[:, :2] -= torch.tensor(cut[:2])
        unseen = joints[:, 2] == 0
        unseen[[k for k in range(len(JOINTS)) if k not in COCO_FROM_LSP.values()]] = False
        box = torch.tensor([x, y, x + w, y + h]) - torch.tensor(cut[:2]).repeat(2)
        people.append(Person(Source(folder / photo["file_name"], cut), joints, box, unseen))
    return people


def shared_joints(keypoints: list[float] | None) -> Tensor:
    """Return COCO's 17 keypoints (51 numbers, or ``None``) as ``[14, 3]``, labelled 0/1."""
    points = torch.tensor(keypoints or [0.0] * 51).reshape(17, 3)
    joints = torch.zeros(len(JOINTS), 3)
    for coco, lsp in COCO_FROM_LSP.items():
        joints[lsp] = points[coco]
    joints[:, 2] = (joints[:, 2] > 0).float()
    return joints


def person_boxes(joints: Tensor) -> Tensor:
    """Return ``[N, 4]`` boxes x1, y1, x2, y2 around the labelled ones of ``joints [N, 14, 3]``."""
    unlabelled = joints[:, :, 2:] == 0
    low = joints[:, :, :2].masked_fill(unlabelled, torch.inf).amin(1)
    high = joints[:, :, :2].masked_fill(unlabelled, -torch.inf).amax(1)
    margin = GROWTH * (high - low).amax(1, keepdim=True)
    return torch.cat([low - margin, high + margin], 1)


def predict(network: nn.Module, people: list[Person]) -> Tensor:
    """Return ``[N, 14, 2]`` joints in photo pixels, from each person's true box."""
    device = next(network.parameters()).device
    found = []
    with torch.inference_mode():
        for person in people:
            photo = read_photo(person.source) / 255
            boxes = person_boxes(person.joints[None]) if person.box is None else person.box[None]
            crops, geometry = crop_boxes(photo, boxes)
            xy, _ = decode(network(crops.to(device)).cpu(), geometry)
            found.append(xy[0])
    return torch.stack(found)
