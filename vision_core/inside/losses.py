"""Box losses with their gradients, in the words of the lecture: how far is a box from the truth?

- L2, L1 and smooth L1 (Girshick 2015) compare the four corner coordinates one by one.
- 1 - IoU, GIoU (Rezatofighi et al. 2019), DIoU and CIoU (Zheng et al. 2020) compare the boxes.

PyTorch and torchvision compute values and gradients.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from torchvision.ops import (
    box_iou,
    complete_box_iou_loss,
    distance_box_iou_loss,
    generalized_box_iou_loss,
)

Box = Sequence[float] | np.ndarray


@dataclass(frozen=True)
class BoxLoss:
    """The value of one loss and where it pushes the predicted box.

    Attributes:
        name: one of ``NAMES``.
        value: of the loss.
        gradient: of x1, y1, x2, y2; a step of gradient descent goes the other way.
    """

    name: str
    value: float
    gradient: tuple[float, float, float, float]

    @property
    def corners(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """The way (dx, dy) that gradient descent moves the upper left and lower right corner."""
        x1, y1, x2, y2 = self.gradient
        return (-x1, -y1), (-x2, -y2)


def _losses(beta: float, scale: float) -> dict[str, Callable[[Tensor, Tensor], Tensor]]:
    """Losses of ``[K, 4]`` against ``[K, 4]``, one value for each pair."""

    def plain(loss: Callable[..., Tensor], **more: float) -> Callable[[Tensor, Tensor], Tensor]:
        return lambda p, t: loss(p / scale, t / scale, reduction="none", **more).sum(-1)

    return {
        "L2": plain(F.mse_loss),
        "L1": plain(F.l1_loss),
        "smooth L1": plain(F.smooth_l1_loss, beta=beta),
        "1 - IoU": lambda p, t: 1 - box_iou(p, t).diagonal(),
        "GIoU": lambda p, t: generalized_box_iou_loss(p, t, reduction="none"),
        "DIoU": lambda p, t: distance_box_iou_loss(p, t, reduction="none"),
        "CIoU": lambda p, t: complete_box_iou_loss(p, t, reduction="none"),
    }


NAMES = tuple(_losses(1.0, 1.0))
"""L2, L1, smooth L1, 1 - IoU, GIoU, DIoU, CIoU."""


def box_losses(
    predicted: Box, true: Box, beta: float = 1.0, scale: float = 1.0
) -> tuple[BoxLoss, ...]:
    """All losses of one predicted box against one true box, float64.

    Args:
        predicted, true: x1, y1, x2, y2 in one unit, each with a width and a height.
        beta: where smooth L1 turns from a parabola into a line, in units of ``scale``.
        scale: L2, L1 and smooth L1 compare coordinates divided by this; 1 for pixels.

    Raises:
        ValueError: a box without area, or ``beta`` or ``scale`` that is not positive.
    """
    if not (beta > 0 and scale > 0):
        raise ValueError("beta and scale must be greater than 0")
    found = []
    for name, loss in _losses(beta, scale).items():
        box = _pair(predicted).requires_grad_(True)
        with torch.enable_grad():
            value = loss(box, _pair(true)).sum()
            (gradient,) = torch.autograd.grad(value, box)
        x1, y1, x2, y2 = gradient[0].tolist()
        found.append(BoxLoss(name, value.item(), (x1, y1, x2, y2)))
    return tuple(found)


def curves(
    predicted: Box, true: Box, distances: Sequence[float] | np.ndarray, beta: float = 1.0
) -> dict[str, np.ndarray]:
    """Every loss while the predicted box slides to the right: name to float64 [D].

    Args:
        predicted, true: as of ``box_losses``.
        distances: by how much x1 and x2 are moved, in the boxes' unit.
        beta: of smooth L1.
    """
    far = torch.as_tensor(np.asarray(distances, np.float64))
    moved = _pair(predicted) + far[:, None] * torch.tensor([1.0, 0.0, 1.0, 0.0])
    fixed = _pair(true).expand_as(moved)
    with torch.no_grad():
        return {n: loss(moved, fixed).numpy() for n, loss in _losses(beta, 1.0).items()}


def weighted(class_loss: float, box_loss: float, weight: float) -> dict[str, float]:
    """Both terms of a multi-task loss, class + weight * box, and the share of the second.

    Raises:
        ValueError: a negative weight.
    """
    if weight < 0:
        raise ValueError("the weight must not be negative")
    total = class_loss + weight * box_loss
    share = weight * box_loss / total if total else 0.0
    return {"class": class_loss, "box": weight * box_loss, "total": total, "box_share": share}


def _pair(box: Box) -> Tensor:
    tensor = torch.tensor(np.asarray(box, np.float64).reshape(1, 4))
    if not bool((tensor[:, 2:] > tensor[:, :2]).all()):
        raise ValueError("a box needs a width and a height")
    return tensor
