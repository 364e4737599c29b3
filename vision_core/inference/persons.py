"""Top-down pose: the persons that a detector finds are the candidates, joints come on demand."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from vision_core.errors import UserError
from vision_core.images import Photo
from vision_core.inference.detection import trace_detection
from vision_core.inference.families import Network, network
from vision_core.records import Cut, DetectionTrace

PERSON = "person"


def trace_persons(net: Network, photo: Photo) -> DetectionTrace:
    """The detector's candidates of class person, under the pose network's name.

    The joints of a candidate come from ``PartSource.keypoints``, which runs the pose network on
    the crop of that box.

    Raises:
        UserError: the detector knows no class called person.
    """
    finder = network(net.detector)
    if PERSON not in finder.labels:
        raise UserError(f"The detector {finder.name} does not know the class {PERSON}.")
    return persons_only(trace_detection(finder, photo), net)


def persons_only(found: DetectionTrace, net: Network) -> DetectionTrace:
    """Restrict a detector's trace to persons and put the pose network's name on it."""
    person = found.info.labels.index(PERSON)
    rows = np.flatnonzero(found.label_ids == person)
    per_candidate = ("boxes", "boxes_net", "scores", "source", "level", "group", "position")
    arrays: dict[str, Any] = {
        name: _frozen(getattr(found, name)[rows])
        for name in per_candidate
        if getattr(found, name) is not None
    }
    info = dataclasses.replace(
        found.info,
        model=net.name,
        family=net.family,
        labels=(PERSON,),
        fingerprint=f"{net.fingerprint[:12]}+{found.info.fingerprint[:12]}",
    )
    funnel = (*found.funnel, Cut("persons", len(rows), None, "candidates called person"))
    return dataclasses.replace(
        found,
        info=info,
        **arrays,
        label_ids=_frozen(np.zeros(len(rows), np.int64)),
        class_scores=_frozen(found.class_scores[:, [person]]),
        funnel=funnel,
        joints=net.joints,
        skeleton=net.skeleton,
    )


def _frozen(array: np.ndarray) -> np.ndarray:
    array = np.ascontiguousarray(array)
    array.setflags(write=False)
    return array
