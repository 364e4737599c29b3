"""How a detector is taught: which anchors become positive, negative or ignored for true boxes.

Nobody labels proposals or anchors: the labels come from the true boxes, by a rule.

- ``iou``: torchvision's ``Matcher`` at two limits. A true box that no anchor reaches still gets the
  anchor that overlaps it best ("low-quality match"). SSD: one limit, and the best anchor of each.
- ``points``: FCOS takes a point that lies in the box, near its middle (centre sampling), if the
  largest of l, t, r, b is in the range of the point's level; of several boxes the smallest.
- ``cells``: YOLO's cell that holds the middle; of its boxes the one with the best IoU.

Numbers are float32, as in training.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor
from torchvision.models.detection import FCOS, FasterRCNN
from torchvision.models.detection._utils import (
    BalancedPositiveNegativeSampler,
    Matcher,
    SSDMatcher,
)
from torchvision.models.detection.ssd import SSD
from torchvision.ops import box_iou

from vision_core.errors import UserError
from vision_core.inside.anchors import coder_of, unclipped
from vision_core.inside.levels import fcos_ranges
from vision_core.inside.opened import Opened, network_boxes
from vision_core.models.zoo.yolo_s import GridDetector, in_cell, responsible

NEGATIVE, IGNORED = Matcher.BELOW_LOW_THRESHOLD, Matcher.BETWEEN_THRESHOLDS
Rule = Literal["iou", "points", "cells"]


@dataclass(frozen=True, eq=False)
class Assignment:
    """What every anchor is to learn.

    Attributes:
        rule: see the head of this module.
        high, low: the limits of ``iou``: positive from ``high``, negative below ``low``.
        match: int64 [A], the true box of a positive anchor, ``NEGATIVE`` or ``IGNORED``.
        overlap: float32 [A], IoU with the best true box; for ``cells`` of the predicted box, for
            ``points`` all 0.
        forced: bool [A], positive below ``high``, only since no anchor overlaps the box better.
        targets: float32 [P, 4], the code that each positive anchor is to say, in the order of
            ``positive``; as the head says it, so with the coder's weights.
        centerness: float32 [P], FCOS's target; ``None`` elsewhere.
        tests: FCOS alone: bool [A, M] by name, whether a point lies ``inside`` a box, ``near`` its
            middle and ``in range``.
    """

    rule: Rule
    high: float | None
    low: float | None
    match: np.ndarray
    overlap: np.ndarray
    forced: np.ndarray
    targets: np.ndarray
    centerness: np.ndarray | None = None
    tests: dict[str, np.ndarray] | None = None

    @property
    def positive(self) -> np.ndarray:
        """Indices of the positive anchors."""
        return np.flatnonzero(self.match >= 0)

    def counts(self) -> dict[str, int]:
        """How many anchors are positive, negative, ignored, and positive by force alone."""
        return {
            "positive": int((self.match >= 0).sum()),
            "negative": int((self.match == NEGATIVE).sum()),
            "ignored": int((self.match == IGNORED).sum()),
            "forced": int(self.forced.sum()),
        }


@dataclass(frozen=True, eq=False)
class SampledAnchors:
    """The anchors that one step of training looks at: int64 indices, rising."""

    positive: np.ndarray
    negative: np.ndarray


def limits(module: Any) -> tuple[float, float] | None:
    """The (high, low) IoU limits that a detector is trained with; ``None`` without such."""
    if isinstance(module, FCOS | GridDetector):
        return None
    matcher = (module.rpn if isinstance(module, FasterRCNN) else module).proposal_matcher
    return float(matcher.high_threshold), float(matcher.low_threshold)


def has_one_limit(module: Any) -> bool:
    """Whether a detector is trained with the upper limit alone, as SSD is: none is ignored."""
    return isinstance(module, SSD)


def assign(
    opened: Opened,
    truth: Any,
    high: float | None = None,
    low: float | None = None,
    low_quality: bool | None = None,
    radius: float | None = None,
) -> Assignment:
    """What every anchor is to learn from true boxes.

    Args:
        opened: an opened detector.
        truth: true boxes [M, 4], photo pixels; may be none, then all anchors are negative.
        high, low: IoU limits, 0..1; the network's own where left out. SSD has ``high`` alone.
        low_quality: whether the best anchor of each true box is taken in any case.
        radius: of FCOS's centre sampling, in anchor sizes; the network's own where left out.

    Raises:
        UserError: ``low`` is greater than ``high``.
    """
    boxes = network_boxes(opened, np.asarray(truth, np.float64).reshape(-1, 4))
    true = torch.from_numpy(boxes.astype(np.float32))
    anchors = torch.from_numpy(opened.trace.field.anchors_net.copy())  # type: ignore[union-attr]
    if isinstance(opened.module, FCOS):
        return _by_points(opened, anchors, true, radius)
    if isinstance(opened.module, GridDetector):
        return _by_cells(opened, true)
    own = limits(opened.module)
    assert own is not None
    high = own[0] if high is None else high
    low = (high if isinstance(opened.module, SSD) else min(own[1], high)) if low is None else low
    if low > high:
        raise UserError(
            f"The lower IoU limit {low:g} must not be greater than the upper one, {high:g}."
        )
    return _by_iou(opened, anchors, true, high, low, low_quality)


def _by_iou(
    opened: Opened,
    anchors: Tensor,
    true: Tensor,
    high: float,
    low: float,
    low_quality: bool | None,
) -> Assignment:
    module = opened.module
    if not len(true):
        match, best = torch.full((len(anchors),), NEGATIVE), torch.zeros(len(anchors))
    else:
        overlap = box_iou(true, anchors)
        best = overlap.max(dim=0).values
        if isinstance(module, SSD) and low_quality is not False:
            matcher: Matcher = SSDMatcher(high)
        else:
            own = (module.rpn if isinstance(module, FasterRCNN) else module).proposal_matcher
            allowed = own.allow_low_quality_matches if low_quality is None else low_quality
            matcher = Matcher(high, low, allow_low_quality_matches=bool(allowed))
        match = matcher(overlap)
    positive = match >= 0
    targets = coder_of(opened).encode_single(true[match[positive]], anchors[positive])
    forced = positive & (best < high)
    return Assignment(
        "iou", high, low, match.numpy(), best.numpy(), forced.numpy(), targets.numpy()
    )


def _by_points(opened: Opened, anchors: Tensor, true: Tensor, radius: float | None) -> Assignment:
    """As ``FCOS.compute_loss`` of torchvision does it, with the outcome of every test kept."""
    radius = float(opened.module.center_sampling_radius) if radius is None else radius
    points = (anchors[:, :2] + anchors[:, 2:]) / 2
    sizes = anchors[:, 2] - anchors[:, 0]
    distances = torch.cat([points[:, None] - true[:, :2], true[:, 2:] - points[:, None]], 2)
    middles = (true[:, :2] + true[:, 2:]) / 2
    away = (points[:, None] - middles).abs().amax(2)
    low, high = torch.tensor(fcos_ranges(opened))[
        torch.from_numpy(opened.trace.field.level.astype(np.int64))  # type: ignore[union-attr]
    ].unbind(1)
    farthest = distances.amax(2)
    tests = {
        "inside": distances.amin(2) > 0,
        "near": away < radius * sizes[:, None],
        "in range": (farthest > low[:, None]) & (farthest < high[:, None]),
    }
    match = torch.full((len(points),), NEGATIVE)
    if len(true):
        fits = tests["inside"] & tests["near"] & tests["in range"]
        area = (true[:, 2] - true[:, 0]) * (true[:, 3] - true[:, 1])
        smallest = torch.where(fits, area, torch.inf).argmin(1)
        match = torch.where(fits.any(1), smallest, match)
    positive = match >= 0
    targets = coder_of(opened).encode(anchors[positive], true[match[positive]])
    sides = targets.unflatten(1, (2, 2)).sort(1).values  # (l, r) and (t, b), the smaller first
    nothing = np.zeros(len(points), np.float32)
    return Assignment(
        "points",
        None,
        None,
        match.numpy(),
        nothing,
        nothing.astype(bool),
        targets.numpy(),
        (sides[:, 0] / sides[:, 1]).prod(1).sqrt().numpy(),
        {name: test.numpy() for name, test in tests.items()},
    )


def _by_cells(opened: Opened, true: Tensor) -> Assignment:
    """As ``grid_loss`` of ``yolo_s`` does it: the cell of the middle, its best box."""
    per_cell, side = opened.module.head.boxes, opened.padded_size[0]
    said = torch.from_numpy(unclipped(opened, range(len(opened.codes))).astype(np.float32))
    cells = len(said) // per_cell
    match, overlap = torch.full((len(said),), NEGATIVE), torch.zeros(len(said))
    targets: dict[int, Tensor] = {}
    for k, cell in responsible(true, cells, side):
        rows = slice(cell * per_cell, (cell + 1) * per_cell)
        overlap[rows] = box_iou(said[rows], true[k : k + 1])[:, 0]
        row = rows.start + int(overlap[rows].argmax())
        match[row] = k
        targets[row] = torch.cat(in_cell(true[k], cell, cells, side))
    ordered = [targets[row] for row in sorted(targets)]
    return Assignment(
        "cells",
        None,
        None,
        match.numpy(),
        overlap.numpy(),
        np.zeros(len(said), bool),
        torch.stack(ordered).numpy() if ordered else np.zeros((0, 4), np.float32),
    )


def sample(
    assignment: Assignment, seed: int, size: int = 256, positive_fraction: float = 0.5
) -> SampledAnchors:
    """The anchors that one step of an RPN's training looks at, by torchvision's sampler.

    Args:
        assignment: of all anchors.
        seed: of the draw; PyTorch's own random numbers are left as they were.
        size: anchors at most.
        positive_fraction: share that may be positive.
    """
    labels = torch.from_numpy(np.where(assignment.match >= 0, 1, assignment.match))
    labels = torch.where(labels == NEGATIVE, 0, torch.where(labels == IGNORED, -1, labels))
    sampler = BalancedPositiveNegativeSampler(size, positive_fraction)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        positive, negative = sampler([labels])
    return SampledAnchors(np.flatnonzero(positive[0].numpy()), np.flatnonzero(negative[0].numpy()))


def sample_size(opened: Opened) -> tuple[int, float] | None:
    """(anchors, share of positives) that the RPN is trained with; ``None`` for one stage."""
    if not opened.two_stage:
        return None
    sampler = opened.module.rpn.fg_bg_sampler
    return int(sampler.batch_size_per_image), float(sampler.positive_fraction)
