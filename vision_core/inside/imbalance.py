"""The imbalance of a detector's anchors, and what the focal loss does about it.

Lin et al., "Focal Loss for Dense Object Detection" (2017): FL(p_t) = -alpha_t (1 - p_t)^gamma
log(p_t), where p_t is the probability of the right answer. gamma 0 without alpha is cross-entropy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from torchvision.models.detection.ssd import SSD
from torchvision.ops import sigmoid_focal_loss

from vision_core.errors import UserError
from vision_core.inside.assignment import NEGATIVE, Assignment
from vision_core.inside.opened import Opened
from vision_core.models.zoo.yolo_s import GridDetector

NO_ALPHA = -1.0
GROUPS = ("positive easy", "positive hard", "negative easy", "negative hard")


@dataclass(frozen=True)
class Group:
    """Anchors of one kind: how many, and their part of the class loss, 0..1."""

    name: str
    count: int
    cross_entropy: float
    focal: float


@dataclass(frozen=True)
class Imbalance:
    """Where the class loss of all anchors comes from.

    Attributes:
        groups: in the order of ``GROUPS``.
        cross_entropy, focal: sums over all anchors that are not ignored.
        negatives_per_positive: ``None`` where nothing is positive.
        left_out: positive anchors whose class the network does not know.
    """

    groups: tuple[Group, ...]
    cross_entropy: float
    focal: float
    negatives_per_positive: float | None
    left_out: int


def focal_curve(
    p: Sequence[float] | np.ndarray, gamma: float, alpha: float = NO_ALPHA
) -> np.ndarray:
    """The loss of a positive anchor over the probability p of its class, float64."""
    probability = torch.as_tensor(np.asarray(p, np.float64))
    logits = torch.logit(probability)
    return sigmoid_focal_loss(logits, torch.ones_like(logits), alpha, gamma).numpy()


def class_losses(
    opened: Opened,
    assignment: Assignment,
    label_ids: Sequence[int],
    gamma: float,
    alpha: float = NO_ALPHA,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The class loss of every anchor that counts, on the logits of the photo.

    Args:
        opened: an opened detector with logits for classes or objectness.
        assignment: of its anchors.
        label_ids: of the true boxes, as of the trace; -1 for a class that the network does not
            know. An RPN needs none.
        gamma: exponent, 0 or more.
        alpha: weight of positives, 0..1, negatives have 1 - alpha; ``NO_ALPHA`` for none.

    Returns:
        indices of the anchors, their loss (float64, summed over the classes), and the
        probability p_t that they give to the right answer: of the true class, or that there is
        nothing.

    Raises:
        UserError: the network is taught with another kind of loss.
        ValueError: gamma or alpha outside its range, or as many label ids as boxes are missing.
    """
    if isinstance(opened.module, GridDetector):
        raise UserError(
            f"{opened.net.name} learns classes by squares, not by cross-entropy; choose another "
            "detector for the focal loss."
        )
    if gamma < 0 or not (0 <= alpha <= 1 or alpha == NO_ALPHA):
        raise ValueError("gamma must be 0 or more, alpha between 0 and 1")
    known = np.zeros(0, np.int64) if opened.two_stage else np.asarray(label_ids, np.int64)
    if not opened.two_stage and assignment.match.max(initial=-1) >= len(known):
        raise ValueError("every true box needs a label id")
    rows, wanted = _answers(opened, assignment, known)
    logits = torch.from_numpy(opened.logits[rows].astype(np.float64))
    if isinstance(opened.module, SSD):
        loss, right = _softmax_focal(logits, torch.from_numpy(wanted), gamma, alpha)
    else:
        truth = torch.zeros_like(logits)
        positive = np.flatnonzero(wanted >= 0)
        truth[positive, wanted[positive]] = 1.0
        loss = sigmoid_focal_loss(logits, truth, alpha, gamma).sum(1)
        chances = logits.sigmoid()
        right = 1 - chances.amax(1)
        right[positive] = chances[positive, wanted[positive]]
    return rows, loss.numpy(), right.numpy()


def _answers(
    opened: Opened, assignment: Assignment, label_ids: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The anchors that count, and the column each should answer with; -1 (SSD: 0) for nothing."""
    positive = assignment.match >= 0
    nothing = 0 if isinstance(opened.module, SSD) else -1
    wanted = np.full(len(positive), nothing)
    if opened.two_stage:
        wanted[positive] = 0
    elif len(label_ids):
        wanted[positive] = label_ids[assignment.match[positive]]
        positive &= wanted >= 0
    rows = np.flatnonzero(positive | (assignment.match == NEGATIVE))
    return rows, wanted[rows]


def _softmax_focal(
    logits: Tensor, wanted: Tensor, gamma: float, alpha: float
) -> tuple[Tensor, Tensor]:
    """SSD: cross-entropy over softmax, with the factors of the focal loss."""
    entropy = F.cross_entropy(logits, wanted, reduction="none")
    right = torch.exp(-entropy)
    loss = entropy * (1 - right) ** gamma
    if alpha != NO_ALPHA:
        loss = loss * torch.where(wanted > 0, alpha, 1 - alpha)
    return loss, right


def imbalance(
    opened: Opened,
    assignment: Assignment,
    label_ids: Sequence[int],
    gamma: float = 2.0,
    alpha: float = 0.25,
    easy: float = 0.5,
) -> Imbalance:
    """Which anchors the class loss comes from, without and with the focal loss.

    Args:
        opened, assignment, label_ids, gamma, alpha: as of ``class_losses``.
        easy: an anchor is easy where the right answer has more than this probability.

    Raises:
        UserError, ValueError: as of ``class_losses``.
    """
    rows, plain, right = class_losses(opened, assignment, label_ids, 0.0)
    _, focal, _ = class_losses(opened, assignment, label_ids, gamma, alpha)
    positive, simple = assignment.match[rows] >= 0, right > easy
    chosen = (positive & simple, positive & ~simple, ~positive & simple, ~positive & ~simple)
    sums = float(plain.sum()), float(focal.sum())
    groups = tuple(
        Group(name, int(g.sum()), _share(plain[g], sums[0]), _share(focal[g], sums[1]))
        for name, g in zip(GROUPS, chosen, strict=True)
    )
    count = int(positive.sum())
    ratio = float((~positive).sum() / count) if count else None
    return Imbalance(groups, *sums, ratio, int((assignment.match >= 0).sum()) - count)


def _share(part: np.ndarray, total: float) -> float:
    return float(part.sum()) / total if total else 0.0
