"""Top-1 accuracy of classifiers, and from which probability they are likely to be right."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from sklearn.metrics import accuracy_score
from torch import Tensor, nn

from vision_core.evaluation.sources import read_photo


def top1(logits: Tensor, labels: Tensor) -> float:
    """Return the share of ``logits`` ``[N, classes]`` whose largest entry is ``labels`` ``[N]``."""
    return float(accuracy_score(labels.numpy(), logits.argmax(1).numpy()))


def likely_from(logits: Tensor, labels: Tensor) -> float:
    """Return the probability from which a network's best class counts as likely.

    It is the lowest multiple of 0.05 such that, of the answers whose probability lies between it
    and 0.1 more, at least half are right (bands of fewer than 20 answers tell nothing).

    Args:
        logits: ``[N, classes]``.
        labels: ``[N]``.
    """
    best, answer = logits.softmax(1).max(1)
    right = answer == labels
    for step in range(2, 19):
        low = step / 20
        band = (best >= low) & (best < low + 0.1)
        if band.sum() >= 20 and right[band].double().mean() >= 0.5:
            return low
    return 0.95


def predict(network: nn.Module, preset: Callable[[Any], Tensor], found: Sequence[Any]) -> Tensor:
    """Return the logits ``[N, classes]`` of all examples (with a ``source``), as at inference."""
    device = next(network.parameters()).device
    logits = []
    with torch.inference_mode():
        for example in found:
            picture = preset(read_photo(example.source))
            logits.append(network(picture[None].to(device))[0].cpu())
    return torch.stack(logits)
