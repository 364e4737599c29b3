"""Occlusion (Zeiler and Fergus 2014): hide a patch and see how much the score falls.

All classes are kept from one sweep over the patches, so another class costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from vision_core import devices
from vision_core.attribution.estimates import Estimate
from vision_core.attribution.gradients import BATCH, baseline_of
from vision_core.attribution.question import Question
from vision_core.errors import UserError


@dataclass(frozen=True, eq=False)
class Sweep:
    """What hiding each patch does.

    Attributes:
        corners: int64 ``[P, 2]``, top and left of each patch, input pixels.
        drops: float32 ``[P, K]``, score without less score with the patch, for each of K scores.
        patch: side of a patch, input pixels.
        own: float32 ``[K]``, the scores of the whole input.
        labels: names of the K scores: the classes of a classifier, else the target alone.
        size: (height, width) of the input.
        done, total: patches hidden so far, and in all.
    """

    corners: Tensor
    drops: Tensor
    patch: int
    own: Tensor
    labels: tuple[str, ...]
    size: tuple[int, int]
    done: int
    total: int

    def values(self, label: str) -> Tensor:
        """``[1, h, w]``: the mean drop over the patches that cover a pixel; no network runs.

        Raises:
            UserError: the sweep holds no such score.
        """
        if label not in self.labels:
            raise UserError(f"The occlusion holds no score called {label!r}.")
        drops = self.drops[:, self.labels.index(label)]
        total = torch.zeros(self.size)
        count = torch.zeros(self.size)
        for (top, left), drop in zip(self.corners.tolist(), drops.tolist(), strict=True):
            total[top : top + self.patch, left : left + self.patch] += drop
            count[top : top + self.patch, left : left + self.patch] += 1
        return (total / count.clamp(min=1))[None]


PATCH = 32
"""Input pixels, unless told otherwise."""


def estimate(question: Question, sweep: Sweep, settings: Mapping[str, Any]) -> Estimate:
    """The map of the question's target from a sweep over its input; no network runs."""
    label = str(question.target)
    score = float(sweep.own[sweep.labels.index(label)])
    values = partial(sweep.values, label)
    return Estimate(values, score, sweep.done, sweep.total, settings=dict(settings))


def passes(question: Question, patch: int = PATCH, stride: int | None = None) -> int:
    """How many patches a sweep hides: the passes of the network that it takes.

    Raises:
        UserError: a number outside its range.
    """
    return len(_corners(question, patch, stride))


def sweep(
    question: Question, patch: int = PATCH, stride: int | None = None, baseline: str = "mean"
) -> Iterator[Sweep]:
    """Hide every patch in turn; yields after each batch, the whole at the end.

    Args:
        question: what is explained.
        patch: side of the square, input pixels, at most the input's shorter side.
        stride: from patch to patch; at most ``patch``, so that no pixel is left out. Half a patch
            if left out.
        baseline: what fills a patch: ``mean``, ``black``, ``white`` or ``blur``.

    Raises:
        UserError: a number outside its range.
    """
    corners = _corners(question, patch, stride)
    height, width = question.input.shape[-2:]
    fill = baseline_of(question, baseline)[0]
    labels = question.labels if question.logits else (str(question.target),)
    own = _scores(question, question.input)[0]
    drops: list[Tensor] = []
    for start in range(0, len(corners), BATCH):
        part = corners[start : start + BATCH]
        batch = question.input.repeat(len(part), 1, 1, 1)
        for picture, (top, left) in zip(batch, part.tolist(), strict=True):
            window = (slice(None), slice(top, top + patch), slice(left, left + patch))
            picture[window] = fill[window]
        drops.append(own - _scores(question, batch))
        done = start + len(part)
        found = torch.cat(drops).float().cpu()
        yield Sweep(
            corners[:done],
            found,
            patch,
            own.float().cpu(),
            labels,
            (height, width),
            done,
            len(corners),
        )


def _corners(question: Question, patch: int, stride: int | None) -> Tensor:
    stride = max(1, patch // 2) if stride is None else stride
    height, width = question.input.shape[-2:]
    if not 1 <= patch <= (most := min(height, width)):
        raise UserError(f"The patch must have 1 to {most} pixels a side, not {patch}.")
    if not 1 <= stride <= patch:
        raise UserError(f"The stride must lie between 1 and the patch of {patch}, not {stride}.")
    return corners_of(height, width, patch, stride)


def corners_of(height: int, width: int, patch: int, stride: int) -> Tensor:
    """Top and left of every patch ``[P, 2]``; the last of a row or column ends at the edge."""
    rows, columns = ([*range(0, side - patch, stride), side - patch] for side in (height, width))
    return torch.cartesian_prod(torch.tensor(rows), torch.tensor(columns)).reshape(-1, 2)


def _scores(question: Question, batch: Tensor) -> Tensor:
    """``[N, K]``: all logits of a classifier, else the target's score alone."""
    with torch.inference_mode(False), torch.no_grad(), devices.forward_slot():
        batch = batch.contiguous(memory_format=torch.channels_last)
        if question.logits is not None:
            return question.logits(question.module, batch)
        return question.run(batch)[0][:, None]
