"""The R-CNN family on the weights of one two-stage detector.

R-CNN (Girshick et al. 2014), Fast R-CNN (Girshick 2015) and Faster R-CNN (Ren et al. 2015) differ
here in what is computed how often, and in nothing else: the same backbone, the same second stage,
the same last NMS.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.transform import resize_boxes

from vision_core import devices
from vision_core.errors import UserError
from vision_core.images import Photo
from vision_core.inference.detection import backbone_features, network_input, trace_detection
from vision_core.inference.families import Network, default_thresholds, network
from vision_core.inference.timing import Stopwatch
from vision_core.inference.two_stage import pool_regions
from vision_core.race.crops import normalised, warped
from vision_core.race.laps import (
    SHOWN_SO_FAR,
    WAITING,
    Contest,
    Found,
    Lap,
    found_of,
    seconds_of,
)
from vision_core.race.proposals import Regions, selective_search
from vision_core.selection import select

WARPED, CONTEXT = 160, 16 / 227
"""Side of R-CNN's squares here; how much of the paper's 227 pixels shows the surroundings."""
BATCH = 16
HEAD_BATCH = 256


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
    return found_of(net, kept[0], scores[0], labels[0])


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
            watch.lap(WAITING)
            crops = warped(photo, regions.boxes[rows], WARPED, CONTEXT)
            transform = module.transform
            batch = normalised(crops, transform.image_mean, transform.image_std, net.device)
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
            watch.lap(SHOWN_SO_FAR)
        yield Lap(done, len(boxes), seconds_of(watch), found, regions.boxes[:done])


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
        watch.lap(WAITING)
        images = network_input(net, photo)
        features = backbone_features(module, images.tensors)
        watch.lap("backbone, once")
        size = images.image_sizes[0]
        given = torch.from_numpy(boxes).to(net.device)
        given = resize_boxes(given, [photo.height, photo.width], list(size))
    for start in range(0, len(boxes), HEAD_BATCH):
        part = given[start : start + HEAD_BATCH]
        with torch.inference_mode(), devices.forward_slot():
            watch.lap(WAITING)
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
            watch.lap(SHOWN_SO_FAR)
        found = replace(found, boxes=back.numpy())
        yield Lap(done, len(boxes), seconds_of(watch), found, boxes[:done])


def faster_rcnn(contest: Contest) -> Iterator[Lap]:
    """Faster R-CNN: the same, with the network's own region proposals."""
    yield whole_network(_rcnn_network(contest), contest.photo)


def whole_network(net: Network, photo: Photo) -> Lap:
    """A detector as it is, measured on its second pass: the first one is slower."""
    trace_detection(net, photo)
    said = trace_detection(net, photo)
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
