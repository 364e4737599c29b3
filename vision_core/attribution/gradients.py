"""Methods that follow the gradient back to the input; maps ``[3, h, w]`` over the input."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from vision_core.attribution.estimates import Estimate
from vision_core.attribution.question import Question
from vision_core.errors import UserError
from vision_core.methods import baselines

BATCH = 8
"""Inputs that run at once: the fastest on a CPU, small enough for any GPU."""
SAMPLES, STEPS = 32, 32
"""Of SmoothGrad and of integrated gradients, unless told otherwise."""


def absolute(grad: Tensor) -> Tensor:
    """``[1, h, w]``: the largest magnitude over the three colours, as Simonyan et al. 2014 draw."""
    return grad.abs().amax(0, keepdim=True)


def input_x_gradient(question: Question, grad: Tensor) -> Tensor:
    """Gradient times the normalised input."""
    return grad * question.input[0]


def smoothgrad(
    question: Question,
    samples: int = SAMPLES,
    level: float = 0.15,
    seed: int = 0,
    rule: str = "plain",
) -> Iterator[Estimate]:
    """Mean gradient over noisy copies of the input (Smilkov et al. 2017), batch after batch.

    Args:
        question: what is explained.
        samples: noisy copies, 1 or more.
        level: spread of the noise as a share of the input's range (largest less smallest value);
            0 gives the gradient itself.
        seed: of the noise.
        rule: of the ReLUs.
    """
    _check(samples >= 1, f"SmoothGrad takes 1 sample or more, not {samples}.")
    _check(0 <= level <= 2, f"The noise level must lie between 0 and 2, not {level:g}.")
    x = question.input
    spread = level * float(x.max() - x.min())
    rng = torch.Generator().manual_seed(seed)
    total = torch.zeros_like(x[0])
    for start in range(0, samples, BATCH):
        count = min(BATCH, samples - start)
        noise = torch.randn(count, *x.shape[1:], generator=rng).to(x.device) * spread
        total += question.gradients(x + noise, rule)[1].sum(0)
        yield Estimate(total / (start + count), done=start + count, total=samples)


def integrated_gradients(
    question: Question, steps: int = STEPS, baseline: str = "black"
) -> Iterator[Estimate]:
    """Gradients along the straight way from a baseline to the input (Sundararajan et al. 2017).

    The integral is a Gauss-Legendre sum. The estimate before the last step is the share so far.

    Args:
        question: what is explained.
        steps: points on the way, 2 or more.
        baseline: ``black``, ``mean`` (0 after normalisation), ``white`` or ``blur``.
    """
    _check(steps >= 2, f"Integrated gradients take 2 steps or more, not {steps}.")
    x, start = question.input, baseline_of(question, baseline)
    nodes, weights = np.polynomial.legendre.leggauss(steps)
    place = torch.from_numpy((1 + nodes) / 2).to(x)
    share = torch.from_numpy(weights / 2).to(x)
    with torch.inference_mode(False), torch.no_grad():
        ends, _ = question.run(torch.cat([start, x]))
        rise = float(ends[1] - ends[0])
    total = torch.zeros_like(x[0])
    for at in range(0, steps, BATCH):
        points = start + place[at : at + BATCH, None, None, None] * (x - start)
        grads = question.gradients(points)[1]
        total += (grads * share[at : at + BATCH, None, None, None]).sum(0)
        values = total * (x - start)[0]
        done = min(at + BATCH, steps)
        yield Estimate(values, done=done, total=steps, gap=float(values.sum()) - rise)


def baseline_of(question: Question, name: str) -> Tensor:
    """``[1, 3, h, w]``: the picture that stands for "nothing there", normalised.

    Raises:
        UserError: there is no such baseline.
    """
    baselines.baseline("black").check(name)
    x = question.input
    mean = x.new_tensor(question.mean)[None, :, None, None]
    std = x.new_tensor(question.std)[None, :, None, None]
    if name == "mean":
        return torch.zeros_like(x)
    if name in ("black", "white"):
        return ((float(name == "white") - mean) / std).expand_as(x).clone()
    from torchvision.transforms.functional import gaussian_blur

    sigma = max(x.shape[-2:]) / 16
    side = 2 * min(math.ceil(2 * sigma), (min(x.shape[-2:]) - 1) // 2) + 1
    # Along rows, then columns: the same as at once, in a fiftieth of the multiply-adds.
    return gaussian_blur(gaussian_blur(x, [side, 1], [sigma, sigma]), [1, side], [sigma, sigma])


def _check(fine: bool, sentence: str) -> None:
    if not fine:
        raise UserError(sentence)
