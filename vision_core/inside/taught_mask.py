"""What a mask head is taught for a proposal, from true masks, and how far it is from that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F
from torchvision.ops import box_iou

from vision_core.inside.head import mask_probabilities, mask_target
from vision_core.inside.opened import Opened, network_boxes


@dataclass(frozen=True)
class TrueMatch:
    """The true box that a proposal is compared with in training.

    Attributes:
        index: of the true box with the greatest IoU.
        iou: of it and the proposal.
        positive: whether the proposal learns the mask: only from ``limit`` on.
        limit: the IoU limit of the second stage.
    """

    index: int
    iou: float
    positive: bool
    limit: float


@dataclass(frozen=True, eq=False)
class TaughtMask:
    """A mask target.

    Attributes:
        target: float32 [28, 28], 0..1: the true mask, cut out by the proposal.
        said: float32 [28, 28], what the mask head says of the proposal for the true class;
            ``None`` for a class that the network does not know.
        loss: binary cross-entropy of both, the mask loss of this proposal; ``None`` likewise.
    """

    target: np.ndarray
    said: np.ndarray | None
    loss: float | None


def match(opened: Opened, box_net: Any, truth: Any) -> TrueMatch:
    """Which true box a proposal is to learn, as torchvision's ``RoIHeads`` assigns it.

    Args:
        opened: a two-stage detector.
        box_net: the proposal, pixels of the network's input.
        truth: true boxes [M, 4], photo pixels, at least one.
    """
    boxes = network_boxes(opened, np.asarray(truth, np.float64).reshape(-1, 4)).astype(np.float32)
    proposal = torch.tensor(np.asarray(box_net, np.float32).reshape(1, 4))
    overlap = box_iou(torch.from_numpy(boxes), proposal)
    matcher = opened.module.roi_heads.proposal_matcher
    index = int(overlap[:, 0].argmax())
    positive = int(matcher(overlap)[0]) >= 0
    return TrueMatch(index, float(overlap[index, 0]), positive, float(matcher.high_threshold))


def taught_mask(opened: Opened, box_net: Any, mask: np.ndarray, label: int) -> TaughtMask:
    """The mask target of a proposal, and the loss of what the head says of it now.

    Args:
        opened: a detector with a mask head.
        box_net: the proposal, pixels of the network's input.
        mask: bool [H, W], the true mask at the photo's size.
        label: label id of the true class; -1 for one that the network does not know.

    Raises:
        UserError: the network has no mask head.
        ValueError: the mask has another size than the photo.
    """
    target = mask_target(opened, box_net, mask)
    if label < 0:
        return TaughtMask(target, None, None)
    said = mask_probabilities(opened, box_net, label)
    loss = F.binary_cross_entropy(torch.tensor(said), torch.tensor(target))
    return TaughtMask(target, said, float(loss))
