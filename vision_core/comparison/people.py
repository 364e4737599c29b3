"""Where somebody's joints really are, from COCO's annotation format. No PyTorch here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vision_core.comparison.annotations import CocoFile, image_of, length, told
from vision_core.errors import UserError

COCO_JOINTS = (
    "nose left_eye right_eye left_ear right_ear left_shoulder right_shoulder left_elbow "
    "right_elbow left_wrist right_wrist left_hip right_hip left_knee right_knee left_ankle "
    "right_ankle"
).split()
"""COCO's keypoints in their order; what a file without names means."""


@dataclass(frozen=True, eq=False)
class TruePerson:
    """One person's true joints.

    Attributes:
        names: of the joints.
        xy: float64 ``[J, 2]``, photo pixels; of joints without a label it means nothing.
        labelled: bool ``[J]``.
        area: of the person, square pixels; ``None`` where nobody told it.
    """

    names: tuple[str, ...]
    xy: np.ndarray
    labelled: np.ndarray
    area: float | None = None

    @property
    def scale(self) -> float:
        """Square pixels that OKS takes for s^2: the area, else that of the box of the joints."""
        if self.area is not None:
            return self.area
        at = self.xy[self.labelled]
        width, height = at.max(0) - at.min(0)
        return float(max(width, 1.0) * max(height, 1.0))


def read_people(
    data: bytes, width: int, height: int, name: str | None = None
) -> tuple[TruePerson, ...]:
    """The persons of one image with at least one labelled joint, the largest first.

    Args:
        data: the JSON file, annotations with ``keypoints``.
        width, height: of the photo; annotations of an image of another size are scaled.
        name: of the photo's file; the only image is taken where there is one.

    Raises:
        UserError: it is no such file, the image is not in it, or nobody there has joints.
    """
    file, people = CocoFile(data), []
    with told():
        entry = file.images[image_of(file.images, name)]
        scale = np.array([width / length(entry["width"]), height / length(entry["height"])])
        for note in file.notes(entry["id"]):
            if not note.get("keypoints"):
                continue
            names = file.joints.get(note["category_id"], tuple(COCO_JOINTS))
            rows = np.array(note["keypoints"], np.float64).reshape(len(names), 3)
            if not np.isfinite(rows).all():
                raise ValueError("keypoints that are no numbers")
            if (rows[:, 2] > 0).any():
                area = note.get("area")
                area = None if area is None else length(area) * float(scale.prod())
                people.append(TruePerson(names, rows[:, :2] * scale, rows[:, 2] > 0, area))
    if not people:
        raise UserError("Nobody on this photo has keypoints in the file; choose another file.")
    return tuple(sorted(people, key=lambda person: -person.scale))
