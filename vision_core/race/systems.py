"""The systems of the lectures, each a run that tells how far it is.

R-CNN (Girshick et al. 2014), Fast R-CNN (Girshick 2015) and Faster R-CNN (Ren et al. 2015) run on
the weights of one two-stage detector, so that they differ in what is computed how often, and in
nothing else: the same backbone, the same second stage, the same last NMS. The sliding window runs a
classifier. One-stage networks run as they are.

A run's seconds are those of computing: waiting for a turn on the device is not counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.transform import resize_boxes
from torchvision.ops import nms

from vision_core import devices
from vision_core.errors import UserError
from vision_core.images import Photo
from vision_core.inference import trace
from vision_core.inference.detection import backbone_features, network_input
from vision_core.inference.families import Network, default_thresholds, network
from vision_core.inference.timing import Stopwatch
from vision_core.inference.two_stage import pool_regions
from vision_core.race.crops import normalised, warped
from vision_core.race.proposals import Regions, selective_search, windows
from vision_core.selection import select

WARPED, CONTEXT = 160, 16 / 227
"""Side of R-CNN's squares here; how much of the paper's 227 pixels shows the surroundings."""
BATCH = 16
HEAD_BATCH = 256
WINDOW_NMS = 0.3
"""IoU above which the worse of two windows is dropped, whatever their classes."""


@dataclass(frozen=True, eq=False)
class Found:
    """What a system has found: boxes float32 [K, 4] in photo pixels, K labels, scores [K]."""

    boxes: np.ndarray
    labels: tuple[str, ...]
    scores: np.ndarray


NOTHING = Found(np.zeros((0, 4), np.float32), (), np.zeros(0, np.float32))


@dataclass(frozen=True, eq=False)
class Lap:
    """How far a system is.

    Attributes:
        done, total: boxes that the network has looked at, and has to look at; 0 while nobody knows.
        seconds: of computing so far, by stage, in the order of the stages.
        found: detections of what was looked at so far.
        examined: float32 [done, 4], the boxes that were looked at.
    """

    done: int
    total: int
    seconds: dict[str, float]
    found: Found = NOTHING
    examined: np.ndarray = field(default_factory=lambda: NOTHING.boxes)

    @property
    def whole(self) -> bool:
        """Whether everything was looked at."""
        return self.total > 0 and self.done == self.total

    @property
    def expected(self) -> float:
        """Seconds that the whole run takes, at the pace of its last stage so far."""
        *before, last = self.seconds.values()
        return sum(before) + last * self.total / max(self.done, 1)


@dataclass(frozen=True, eq=False)
class Contest:
    """Who races on what.

    Attributes:
        photo: the photo.
        two_stage: the detector whose weights the three of the R-CNN family share.
        classifier: for the sliding window.
        one_stage: further detectors, by the name of their system.
        regions: the outside proposals; found once for all who want them.
    """

    photo: Photo
    two_stage: Any
    classifier: Any
    one_stage: dict[str, Any] = field(default_factory=dict)
    regions: Regions | None = None


@dataclass(frozen=True)
class System:
    """One of the lectures' systems: its name, how a person calls it, what it does, and its run."""

    name: str
    title: str
    text: str
    run: Callable[[Contest], Iterator[Lap]]


def _rcnn_network(contest: Contest) -> Network:
    """The two-stage detector.

    Raises:
        UserError: it is none.
    """
    net = network(contest.two_stage)
    if not isinstance(net.module, FasterRCNN):
        raise UserError(f"{net.name} has no second stage; choose a two-stage detector.")
    return net


def _regions(contest: Contest) -> Regions:
    return contest.regions or selective_search(contest.photo)


def _found(net: Network, boxes: Tensor, scores: Tensor, labels: Tensor) -> Found:
    names = tuple(net.labels[i] for i in labels.tolist())
    return Found(boxes.cpu().numpy(), names, scores.cpu().numpy())


def second_stage(
    net: Network, logits: Tensor, codes: Tensor, boxes: Tensor, size: tuple[int, int]
) -> Found:
    """torchvision's last steps on what the box head said: scores, boxes, threshold, NMS.

    Args:
        net: the detector.
        logits, codes: [K, C] and [K, 4 C], of the box head.
        boxes: [K, 4], what it looked at, in whichever pixels the result shall have.
        size: (height, width) of the picture in these pixels.
    """
    module: Any = net.module
    kept, scores, labels = module.roi_heads.postprocess_detections(logits, codes, [boxes], [size])
    return _found(net, kept[0], scores[0], labels[0])


def rcnn(contest: Contest) -> Iterator[Lap]:
    """R-CNN: every region is warped to a square and goes through the whole network."""
    net, photo = _rcnn_network(contest), contest.photo
    module: Any = net.module
    regions = _regions(contest)
    boxes = torch.from_numpy(regions.boxes).to(net.device)
    edge = CONTEXT * WARPED
    inside = boxes.new_tensor([[edge, edge, WARPED - edge, WARPED - edge]])
    logits, codes = [], []
    watch = Stopwatch(net.device)
    watch.ms = {"selective search": 1000 * regions.seconds, "network, region by region": 0.0}
    size = (photo.height, photo.width)
    for rows in np.array_split(np.arange(len(boxes)), -(-len(boxes) // BATCH)):
        with torch.inference_mode(), devices.forward_slot():
            watch.lap("waiting")
            crops = warped(photo, regions.boxes[rows], WARPED, CONTEXT)
            transform = module.transform
            batch = normalised(crops, transform.image_mean, transform.image_std, boxes)
            features = backbone_features(module, batch)
            pooled = torch.cat(
                [
                    pool_regions(
                        module.roi_heads.box_roi_pool,
                        {name: maps[n : n + 1] for name, maps in features.items()},
                        inside,
                        (WARPED, WARPED),
                    )
                    for n in range(len(rows))
                ]
            )
            answer = module.roi_heads.box_predictor(module.roi_heads.box_head(pooled))
            logits.append(answer[0])
            codes.append(answer[1])
            watch.lap("network, region by region")
            done = int(rows[-1]) + 1
            found = second_stage(net, torch.cat(logits), torch.cat(codes), boxes[:done], size)
            watch.lap("NMS of what was found so far")
        yield Lap(done, len(boxes), _seconds(watch), found, regions.boxes[:done])


def fast_rcnn(contest: Contest) -> Iterator[Lap]:
    """Fast R-CNN: one pass of the backbone, RoI crops of the same regions from its features."""
    regions = _regions(contest)
    yield from crops_of(contest, regions.boxes, {"selective search": regions.seconds})


def crops_of(contest: Contest, boxes: np.ndarray, before: dict[str, float]) -> Iterator[Lap]:
    """One pass of the backbone, then the second stage on boxes from elsewhere.

    Args:
        contest: who races.
        boxes: float32 [K, 4], photo pixels.
        before: seconds of the stages before.
    """
    net, photo = _rcnn_network(contest), contest.photo
    module: Any = net.module
    heads, watch = module.roi_heads, Stopwatch(net.device)
    watch.ms = {name: 1000 * seconds for name, seconds in before.items()}
    logits, codes = [], []
    with torch.inference_mode(), devices.forward_slot():
        watch.lap("waiting")
        images = network_input(net, photo)
        features = backbone_features(module, images.tensors)
        watch.lap("backbone, once")
        size = images.image_sizes[0]
        given = torch.from_numpy(boxes).to(net.device)
        given = resize_boxes(given, [photo.height, photo.width], list(size))
    for start in range(0, len(boxes), HEAD_BATCH):
        part = given[start : start + HEAD_BATCH]
        with torch.inference_mode(), devices.forward_slot():
            watch.lap("waiting")
            pooled = pool_regions(heads.box_roi_pool, features, part, size)
            answer = heads.box_predictor(heads.box_head(pooled))
            logits.append(answer[0])
            codes.append(answer[1])
            watch.lap("RoI Align and box head")
            done = start + len(part)
            found = second_stage(net, torch.cat(logits), torch.cat(codes), given[:done], size)
            back = resize_boxes(
                torch.from_numpy(found.boxes), list(size), [photo.height, photo.width]
            )
            watch.lap("NMS of what was found so far")
        found = replace(found, boxes=back.numpy())
        yield Lap(done, len(boxes), _seconds(watch), found, boxes[:done])


def faster_rcnn(contest: Contest) -> Iterator[Lap]:
    """Faster R-CNN: the same, with the network's own region proposals."""
    yield whole_network(_rcnn_network(contest), contest.photo)


def whole_network(net: Network, photo: Photo) -> Lap:
    """A detector as it is, measured on its second pass: the first one is slower."""
    trace(net, photo)
    said = trace(net, photo)
    watch = Stopwatch(net.device)
    chosen = select(said, default_thresholds(net)).detections
    watch.lap("NMS")
    seconds = {**said.info.timing_ms, **watch.ms}
    two_stage = isinstance(net.module, FasterRCNN)
    boxes = said.source_boxes_net if two_stage or said.field is None else said.field.boxes_net
    ratio = np.tile(np.divide(said.info.photo_size, said.info.network_size), 2)
    boxes = (boxes * ratio).astype(np.float32)
    found = Found(chosen.boxes, chosen.labels, chosen.scores)
    spent = {stage: value / 1000 for stage, value in seconds.items()}
    return Lap(len(boxes), len(boxes), spent, found, boxes)


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
            watch.lap("waiting")
            crops = warped(photo, boxes[rows], preset.crop_size[0])
            here = torch.zeros(0, device=net.device)
            batch = normalised(crops, preset.mean, preset.std, here)
            best = net.module(batch).float().softmax(1).max(1)
            scores.append(best.values.cpu())
            labels.append(best.indices.cpu())
            watch.lap("classifier, window by window")
            done = int(rows[-1]) + 1
            found = _sure(net, boxes[:done], torch.cat(scores), torch.cat(labels))
            watch.lap("NMS of what was found so far")
        yield Lap(done, len(boxes), _seconds(watch), found, boxes[:done])


def _sure(net: Network, boxes: np.ndarray, scores: Tensor, labels: Tensor) -> Found:
    """The windows of which the classifier is sure, without those that a better one covers."""
    rows = (scores >= net.likely_from).nonzero()[:, 0]
    kept = torch.from_numpy(boxes)[rows]
    rows = rows[nms(kept, scores[rows], WINDOW_NMS)]
    return _found(net, torch.from_numpy(boxes)[rows], scores[rows], labels[rows])


def one_stage(name: str) -> Callable[[Contest], Iterator[Lap]]:
    """The run of a one-stage network of the contest."""

    def run(contest: Contest) -> Iterator[Lap]:
        yield whole_network(network(contest.one_stage[name]), contest.photo)

    return run


def _seconds(watch: Stopwatch) -> dict[str, float]:
    """By stage; NMS so far is there to show boxes as they come, and a system does it once."""
    ms = {k: v for k, v in watch.ms.items() if k not in ("waiting", "NMS of what was found so far")}
    return {stage: value / 1000 for stage, value in ms.items()}


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
    if name in ("fcos_s", "yolo_s") and name not in contest.one_stage:
        raise UserError(f"{name} is not in this race.")
    yield from systems[name].run(contest)
