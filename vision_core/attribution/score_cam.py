"""Score-CAM (Wang et al. 2020): each channel of a layer hides the photo where it is low."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from vision_core.attribution.cam import record
from vision_core.attribution.estimates import Estimate
from vision_core.attribution.gradients import BATCH
from vision_core.attribution.question import Question
from vision_core.errors import UserError


def score_cam(
    question: Question, layers: Sequence[str] = (), relu: bool = True
) -> Iterator[Estimate]:
    """Weight the channels by the softmax over the scores of the photos that they let through.

    Algorithm 1 of the paper: a channel, enlarged to the input and stretched from 0 to 1, is
    multiplied with the normalised input, so that what is hidden gets the mean colour. The score
    of an empty picture, which the paper takes off each score, falls out of the softmax. A channel
    that is the same everywhere lets nothing particular through and takes no part.

    Args:
        question: what is explained.
        layers: one layer; the default layer if there is none.
        relu: drop what is below zero, as in the paper.

    Yields:
        first the number of passes, which takes one pass to know; then, after each batch, the map
        ``[1, h, w]`` from the channels so far.

    Raises:
        UserError: as of ``record``, several layers, or every channel is the same everywhere.
    """
    if len(layers) > 1:
        raise UserError("Score-CAM takes one layer at a time; ask for each by itself.")
    found = record(question, layers, gradients=False)
    ((name, maps),) = found.maps.items()
    flat = maps[0].flatten(1)
    varied = torch.nonzero(flat.amax(1) > flat.amin(1))[:, 0]
    if not len(varied):
        raise UserError(f"Every channel of the layer {name} is the same everywhere on this photo.")
    channels = maps[0][varied]
    told = {"layer": name, "relu": relu}
    yield Estimate.cost(len(channels))
    scores: list[Tensor] = []
    for start in range(0, len(channels), BATCH):
        scores.append(_through(question, channels[start : start + BATCH]))
        seen = torch.cat(scores)
        weights = seen.softmax(0)[:, None, None]
        cam = (weights * channels[: len(seen)]).sum(0, keepdim=True)
        yield Estimate(
            cam.clamp(min=0) if relu else cam, found.score, len(seen), len(channels), settings=told
        )


def _through(question: Question, channels: Tensor) -> Tensor:
    """The scores ``[K]`` of the input seen through channels ``[K, h, w]``."""
    size = question.input.shape[-2:]
    large = F.interpolate(channels[:, None], size=size, mode="bilinear", align_corners=False)
    least, most = large.amin((2, 3), keepdim=True), large.amax((2, 3), keepdim=True)
    with torch.inference_mode(False), torch.no_grad():
        masks = (large - least) / (most - least).clamp(min=torch.finfo(large.dtype).tiny)
        return question.run(question.input * masks)[0]
