"""Sanity checks for saliency maps (Adebayo et al. 2018): does a map depend on the weights?"""

from __future__ import annotations

import copy
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from scipy.stats import rankdata
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from vision_core.images import Photo


def weighted_layers(module: nn.Module) -> tuple[str, ...]:
    """Names of the layers with weights of their own, from the output down to the input."""
    names = [
        name for name, m in module.named_modules()
        if next(iter(m.parameters(recurse=False)), None) is not None
    ]
    return tuple(reversed(names))


def randomised(module: nn.Module, count: int, seed: int = 0) -> nn.Module:
    """A copy of a network whose top ``count`` layers with weights are initialised afresh.

    Running statistics of batch normalisation stay: without them the signal dies out, and what
    is shown is that and not the loss of the learned weights. The caller's random state stays too.
    """
    chosen = set(weighted_layers(module)[:count])
    copied = copy.deepcopy(module)
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        for name, part in copied.named_modules():
            if name in chosen:
                _reset(part)
    return copied


def _reset(part: nn.Module) -> None:
    if isinstance(part, _BatchNorm) or not hasattr(part, "reset_parameters"):
        for name, value in part.named_parameters(recurse=False):
            value.fill_(1.0 if name == "weight" else 0.0)
    else:
        part.reset_parameters()  # type: ignore[operator]


@dataclass(frozen=True)
class Similarity:
    """Rank correlations (Spearman) of two maps, -1 to 1; ``nan`` where a map is constant.

    Attributes:
        signed: of the values as they are.
        absolute: of their magnitudes, which alone would condemn input x gradient as well.
    """

    signed: float
    absolute: float


def similarity(a: np.ndarray, b: np.ndarray) -> Similarity:
    """Compare two maps of the same shape, ``[H, W]`` or ``[H, W, 3]``."""
    return Similarity(_spearman(a, b), _spearman(np.abs(a), np.abs(b)))


def _spearman(a: np.ndarray, b: np.ndarray) -> float:
    ranks = [rankdata(v.ravel()) for v in (a, b)]
    if any(np.ptp(r) == 0 for r in ranks):
        return float("nan")
    return float(np.corrcoef(*ranks)[0, 1])


def edges(photo: Photo) -> np.ndarray:
    """Sobel gradient magnitude of a photo, float32 ``[H, W]``: a map that knows no network."""
    grey = cv2.cvtColor(photo.pixels, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    dx, dy = cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    return np.hypot(dx, dy)
