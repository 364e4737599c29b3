"""Deletion and insertion (Petsiuk et al. 2018): the score as pixels go or come."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from vision_core import devices
from vision_core.attribution import Question
from vision_core.attribution.gradients import BATCH, baseline_of
from vision_core.errors import UserError
from vision_core.league.maps import InputMap
from vision_core.records.targets import ClassTarget

GREY, BLURRED = "mean", "blur"
"""What takes the place of a deleted pixel, and what insertion starts from."""
_SAME = 1e-6


@dataclass(frozen=True, eq=False)
class Removal:
    """How a score changes while pixels are deleted or inserted.

    Attributes:
        shares: float64 ``[S + 1]``, the share of the pixels that was changed, 0 to 1.
        values: float64 ``[S + 1]``, the measure at each.
    """

    shares: np.ndarray
    values: np.ndarray

    @property
    def area(self) -> float:
        """The area under the curve, by trapezoids."""
        return float(np.trapezoid(self.values, self.shares))


@dataclass(frozen=True, eq=False)
class Measure:
    """What the curves show.

    Attributes:
        words: for a reader.
        empty, whole: scores of the grey picture and of the photo, between which a score without
            a probability is measured; 0 and 1 for a probability.
    """

    words: str
    empty: float
    whole: float


def measure_of(question: Question) -> Measure:
    """What the curves of a target show: a class's probability, else the score's share.

    Raises:
        UserError: the grey picture has the same score as the photo.
    """
    if isinstance(question.target, ClassTarget) and question.logits is not None:
        return Measure(f"probability of {question.target.label}", 0.0, 1.0)
    ends = torch.cat([baseline_of(question, GREY), question.input])
    empty, whole = (float(v) for v in _raw(question, ends))
    if abs(whole - empty) < _SAME:
        raise UserError(
            "A grey picture has the same score as the photo, so that deletion and insertion have "
            "nothing to measure."
        )
    return Measure("share of the score (0: grey picture, 1: photo)", empty, whole)


def order_of(question: Question, found: InputMap, seed: int = 0) -> Tensor:
    """The place of each input pixel when the largest values come first, int64 ``[h, w]``.

    Equal values, as the zeros of a map that was clipped, are in random order: in the order of the
    rows the top of the photo would go first. Padding comes last.

    Args:
        question: tells the size of the input.
        found: a map.
        seed: of the random order.
    """
    values = found.values.flatten()
    chance = np.random.default_rng(seed).permutation(len(values))
    place = np.empty(len(values), np.int64)
    place[np.lexsort((chance, -values))] = np.arange(len(values))
    whole = torch.full(question.input.shape[-2:], len(values), dtype=torch.int64)
    height, width = found.values.shape
    whole[:height, :width] = torch.from_numpy(place).reshape(height, width)
    return whole


def passes(steps: int) -> int:
    """Passes of the network for one curve."""
    return steps + 1


def follow(
    question: Question, order: Tensor, measure: Measure, steps: int, insert: bool
) -> Generator[int, None, Removal]:
    """Delete or insert pixels in some order.

    Args:
        question: what is explained.
        order: of the pixels, as ``order_of`` gives it.
        measure: as ``measure_of`` gives it.
        steps: pictures after the first one, in which equally many pixels change.
        insert: start from the blurred photo and bring the pixels back; else make them grey.

    Yields:
        passes done so far.

    Returns:
        the curve.
    """
    count = question.window.width * question.window.height
    limits = [round(count * step / steps) for step in range(steps + 1)]
    place = order.to(question.input.device)
    changed = baseline_of(question, BLURRED if insert else GREY)
    first, then = (changed, question.input) if insert else (question.input, changed)
    values: list[float] = []
    for start in range(0, len(limits), BATCH):
        batch = [torch.where(place < k, then, first) for k in limits[start : start + BATCH]]
        raw = _measured(question, torch.cat(batch), measure)
        values += [float(v) for v in raw]
        yield len(values)
    return Removal(np.array(limits) / count, np.array(values))


def _measured(question: Question, batch: Tensor, measure: Measure) -> Tensor:
    if isinstance(question.target, ClassTarget) and question.logits is not None:
        index = question.labels.index(question.target.label)
        with torch.inference_mode(False), torch.no_grad(), devices.forward_slot():
            return question.logits(question.module, batch).softmax(1)[:, index]
    return (_raw(question, batch) - measure.empty) / (measure.whole - measure.empty)


def _raw(question: Question, batch: Tensor) -> Tensor:
    with torch.inference_mode(False), torch.no_grad():
        return question.run(batch)[0]
