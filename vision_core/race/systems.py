"""The systems of the lectures, each a run that tells how far it is.

A run's seconds are those of computing: waiting for a turn on the device is not counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torchvision.ops import nms

from vision_core import devices
from vision_core.errors import UserError
from vision_core.inference.families import Network, network
from vision_core.inference.timing import Stopwatch
from vision_core.race.crops import normalised, warped
from vision_core.race.laps import (
    SHOWN_SO_FAR,
    WAITING,
    Contest,
    Found,
    Lap,
    System,
    found_of,
    seconds_of,
)
from vision_core.race.proposals import check_shape, windows
from vision_core.race.rcnn import BATCH, fast_rcnn, faster_rcnn, rcnn, whole_network

ONE_STAGE = ("fcos_s", "yolo_s")
"""The systems that are one network each, of the same name."""
WINDOW_NMS = 0.3
"""IoU above which the worse of two windows is dropped, whatever their classes."""


def sliding_window(contest: Contest) -> Iterator[Lap]:
    """A classifier on windows of every place, size and ratio, without a word from anybody else."""
    net, photo = network(contest.classifier), contest.photo
    preset: Any = net.preset
    boxes = windows(photo.width, photo.height)
    watch = Stopwatch(net.device)
    watch.ms = {"classifier, window by window": 0.0}
    scores, labels = [], []
    for rows in np.array_split(np.arange(len(boxes)), -(-len(boxes) // BATCH)):
        with torch.inference_mode(), devices.forward_slot():
            watch.lap(WAITING)
            crops = warped(photo, boxes[rows], preset.crop_size[0])
            batch = normalised(crops, preset.mean, preset.std, net.device)
            best = net.module(batch).float().softmax(1).max(1)
            scores.append(best.values.cpu())
            labels.append(best.indices.cpu())
            watch.lap("classifier, window by window")
            done = int(rows[-1]) + 1
            found = _sure(net, boxes[:done], torch.cat(scores), torch.cat(labels))
            watch.lap(SHOWN_SO_FAR)
        yield Lap(done, len(boxes), seconds_of(watch), found, boxes[:done])


def _sure(net: Network, boxes: np.ndarray, scores: Tensor, labels: Tensor) -> Found:
    """The windows of which the classifier is sure, without those that a better one covers."""
    rows = (scores >= net.likely_from).nonzero()[:, 0]
    kept = torch.from_numpy(boxes)[rows]
    rows = rows[nms(kept, scores[rows], WINDOW_NMS)]
    return found_of(net, torch.from_numpy(boxes)[rows], scores[rows], labels[rows])


def one_stage(name: str) -> Callable[[Contest], Iterator[Lap]]:
    """The run of a one-stage network of the contest."""

    def run(contest: Contest) -> Iterator[Lap]:
        yield whole_network(network(contest.one_stage[name]), contest.photo)

    return run


SYSTEMS: tuple[System, ...] = (
    System(
        "sliding_window",
        "Sliding window",
        "A classifier looks at windows of every place, size and ratio, one by one.",
        sliding_window,
    ),
    System(
        "rcnn",
        "R-CNN",
        "Selective search proposes regions; each is warped and goes through the whole network.",
        rcnn,
    ),
    System(
        "fast_rcnn",
        "Fast R-CNN",
        "The backbone runs once; RoI Align cuts the same regions out of its features.",
        fast_rcnn,
    ),
    System(
        "faster_rcnn",
        "Faster R-CNN",
        "The backbone runs once, and a region proposal network on its features proposes.",
        faster_rcnn,
    ),
    System(
        "fcos_s",
        "FCOS (one stage)",
        "No proposals: every point of the feature maps predicts a class and a box.",
        one_stage("fcos_s"),
    ),
    System(
        "yolo_s",
        "YOLO (one stage)",
        "No proposals: every cell of one coarse grid predicts its boxes and a class.",
        one_stage("yolo_s"),
    ),
)


def race(contest: Contest, name: str) -> Iterator[Lap]:
    """The laps of one system; the last one is whole.

    Raises:
        UserError: there is no such system, or its network cannot do it.
    """
    systems = {system.name: system for system in SYSTEMS}
    if name not in systems:
        raise UserError(f"There is no system {name!r} in the race; choose {', '.join(systems)}.")
    if name in ONE_STAGE and name not in contest.one_stage:
        raise UserError(f"{name} is not in this race.")
    check_shape(contest.photo)
    yield from systems[name].run(contest)
