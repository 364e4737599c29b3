"""Sanity checks for saliency maps (Adebayo et al. 2018): does a map depend on the weights?"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from vision_core.attribution.question import Question, differentiable
from vision_core.attribution.rules import opened_relus
from vision_core.attribution.shadow import shadow
from vision_core.images import Photo

_SPREAD = 0.02  # of fresh values for a parameter that was all zero, as transformers start


def weighted_layers(module: nn.Module) -> tuple[str, ...]:
    """Names of the layers with weights of their own, in the order of their definition."""
    return tuple(name for name, part in module.named_modules() if _own(part))


def layers_on_the_way(question: Question) -> tuple[str, ...]:
    """Names of the layers with weights that the target depends on, from the target back.

    A layer counts if the target's gradient with respect to a weight of its own is not zero.
    ReLUs pass every gradient here: a unit that is shut on this photo would open with other
    weights below it. One pass; nothing that others share is touched.

    Args:
        question: a target of a network on a photo.
    """
    module = shadow(question.module, lambda p: nn.Parameter(p.detach(), p.is_floating_point()))
    live: set[int] = set()

    def note(weight: Tensor) -> None:
        if weight.grad is not None and bool(weight.grad.any()):
            live.add(id(weight))
        weight.grad = None  # all of them at once could fill the memory

    with differentiable(), _order_of_calls(module) as called:
        for weight in module.parameters():
            if weight.requires_grad:
                weight.register_post_accumulate_grad_hook(note)
        with opened_relus():
            scores, _ = replace(question, module=module).run(question.input.detach().clone())
        if scores.requires_grad:
            scores.sum().backward()
    names = [
        name for name, part in module.named_modules() if any(id(p) in live for p in _own(part))
    ]
    return tuple(sorted(reversed(names), key=lambda name: -_place(name, called)))


def randomised(question: Question, names: Sequence[str], seed: int = 0) -> Question:
    """The same question to a copy of its network in which some layers are initialised afresh.

    What is asked stays what the trained network was asked: the same box, region or place of a
    joint. Running statistics of batch normalisation stay: without them the signal dies out, and
    what is shown is that and not the loss of the learned weights. The caller's random state stays
    too, and a layer gets the same fresh weights whatever comes after it in ``names``.

    Args:
        question: a target of a network on a photo.
        names: of the layers, as of ``layers_on_the_way``.
        seed: of the fresh weights.
    """
    parts = dict(question.module.named_modules())
    changing = {id(p) for name in names for p in _own(parts[name])}
    module = shadow(question.module, lambda p: _copied(p) if id(p) in changing else p)
    copied = dict(module.named_modules())
    gpus = range(torch.cuda.device_count())
    with torch.random.fork_rng(gpus), torch.inference_mode(False), torch.no_grad():
        torch.manual_seed(seed)
        for name in names:
            _reset(copied[name])
    return replace(question, module=module, known={})


def _own(part: nn.Module) -> list[nn.Parameter]:
    return list(part.parameters(recurse=False))


def _copied(weight: Tensor) -> nn.Parameter:
    return nn.Parameter(weight.detach().clone(), requires_grad=False)


@contextmanager
def _order_of_calls(module: nn.Module) -> Iterator[dict[str, int]]:
    """When the last call of each module of a shadow began: 1, 2, 3 ..."""
    clock, called = itertools.count(1), dict[str, int]()

    def hook_for(name: str) -> object:
        return lambda *_: called.__setitem__(name, next(clock))

    handles = [
        part.register_forward_pre_hook(hook_for(name)) for name, part in module.named_modules()
    ]
    try:
        yield called
    finally:
        for handle in handles:
            handle.remove()


def _place(name: str, called: dict[str, int]) -> int:
    """When a layer ran; a layer whose weights are read without a call ran with its parent."""
    while name and name not in called:
        name = name.rpartition(".")[0]
    return called.get(name, 0)


def _reset(part: nn.Module) -> None:
    if isinstance(part, _BatchNorm):
        for name, value in part.named_parameters(recurse=False):
            value.fill_(1.0 if name == "weight" else 0.0)
    elif hasattr(part, "reset_parameters"):
        part.reset_parameters()  # type: ignore[operator]
    else:  # weights that are no layer of PyTorch's: as large as they were
        for value in _own(part):
            size = float(value.square().mean().sqrt())
            value.normal_(std=size or _SPREAD)


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
    from scipy.stats import rankdata  # the page opens half a second sooner without it

    ranks = [rankdata(v.ravel()) for v in (a, b)]
    if any(np.ptp(r) == 0 for r in ranks):
        return float("nan")
    return float(np.corrcoef(*ranks)[0, 1])


def edges(photo: Photo) -> np.ndarray:
    """Sobel gradient magnitude of a photo, float32 ``[H, W]``: a map that knows no network."""
    grey = cv2.cvtColor(photo.pixels, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    dx, dy = cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    return np.hypot(dx, dy)
