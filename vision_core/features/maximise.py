"""Activation maximisation: change the input until a class or a unit is as active as can be.

Simonyan et al., "Deep Inside Convolutional Networks" (2014), with L2; Yosinski et al.,
"Understanding Neural Networks Through Deep Visualization" (2015), with blur and with the clipping
of small pixels and small contributions; jitter: Mordvintsev et al. (2015). Whole layers from a
photo are in ``vision_core.style.dream``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torchvision.transforms.functional import gaussian_blur

from vision_core.attribution.question import Question, differentiable
from vision_core.attribution.rules import opened_relus
from vision_core.errors import UserError

Objective = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Regularisers:
    """What keeps the picture from becoming noise; 0 switches each of them off.

    Blur and jitter are at most a sixteenth and an eighth of what the target sees: more would wipe
    out the pattern of a unit that sees few pixels faster than it grows.

    Attributes:
        l2: share of the picture (about the mean colour) that is taken away in each step.
        blur: spread of a Gaussian in pixels, every fourth step.
        clip_pixels: share of the pixels, those of smallest norm, set to the mean colour.
        clip_gradients: share of the pixels, those with the smallest contribution (gradient times
            value, summed over the colours), set to the mean colour.
        jitter: the picture is rolled by up to so many pixels in each step.
    """

    l2: float = 0.0
    blur: float = 0.0
    clip_pixels: float = 0.0
    clip_gradients: float = 0.0
    jitter: int = 0

    def __post_init__(self) -> None:
        for name, most in (("l2", 0.5), ("clip_pixels", 0.9), ("clip_gradients", 0.9)):
            if not 0 <= getattr(self, name) <= most:
                raise UserError(f"The regulariser {name} must lie between 0 and {most:g}.")
        if not 0 <= self.blur <= 8 or not 0 <= self.jitter <= 64:
            raise UserError("The blur must lie between 0 and 8, the jitter between 0 and 64.")


FROM_NOISE = (0.06, Regularisers(l2=0.01, blur=0.5, jitter=4))
"""Step size and regularisers that give a good picture from noise."""
FROM_PICTURES = (0.04, Regularisers(blur=0.5, jitter=4))
"""The same from a mean of pictures. The decay would take away what tells one start from another:
0.01 in each of 64 steps leaves half of it. Without, the facets of a class differ twice as much in
the features of another network, and the scores are no lower."""


@dataclass(frozen=True, eq=False)
class Frame:
    """The picture after a step.

    Attributes:
        picture: uint8 ``[h, w, 3]``.
        score: the objective on this picture.
        step, total: steps so far and in all.
    """

    picture: np.ndarray
    score: float
    step: int
    total: int


def maximise(
    question: Question,
    steps: int = 96,
    rate: float = 0.06,
    seed: int = 0,
    regularisers: Regularisers | None = None,
    from_photo: bool = False,
    every: int = 4,
    start: Tensor | None = None,
) -> Iterator[Frame]:
    """Climb the target's score step by step.

    A step moves the picture along its gradient, scaled to a mean magnitude of ``rate`` in
    normalised units over the pixels that the target depends on. Where the gradient is zero, as for
    a unit that no ReLU lets speak, the ReLUs pass all gradients in that step.

    Args:
        question: the target, and the network.
        steps: 1 or more.
        rate: 0 or more.
        seed: of the noise and the jitter.
        regularisers: none where left out.
        from_photo: start from the photo, not from noise.
        every: a frame after so many steps, and after the last.
        start: float ``[1, 3, h, w]``, start from this input instead, as for one of several facets
            (``vision_core.space.facets``).

    Raises:
        UserError: a number outside its range, or a start of another size than the input.
    """
    if steps < 1 or rate < 0 or every < 1:
        raise UserError("Steps and frames must be 1 or more, and the rate 0 or more.")
    keep = regularisers or Regularisers()
    rng = torch.Generator().manual_seed(seed)
    like = question.input
    if start is not None and start.shape != like.shape:
        raise UserError(f"The start must have the size {list(like.shape)} of the input.")
    x = torch.randn(like.shape, generator=rng).to(like) * 0.1
    if from_photo or start is not None:
        x = (like if start is None else start).to(like).clone()
    low, high = _range(question)

    def score(batch: Tensor) -> Tensor:
        return question.run(batch)[0].sum()

    keep = _fitting(keep, _gradient(score, x))
    yield Frame(as_picture(question, x), _value(score, x), 0, steps)
    for step in range(1, steps + 1):
        shift = torch.randint(-keep.jitter, keep.jitter + 1, (2,), generator=rng).tolist()
        x = torch.roll(x, shift, (2, 3))
        grad = _gradient(score, x)
        reached = grad.count_nonzero().clamp(min=1)  # a unit of an early layer sees few pixels
        x = x + rate * grad / (grad.abs().sum() / reached).clamp(min=1e-12)
        x = _regularised(x, grad, keep, step)
        x = torch.roll(x, [-s for s in shift], (2, 3)).clamp(low, high)
        if step % every == 0 or step == steps:
            yield Frame(as_picture(question, x), _value(score, x), step, steps)


def _gradient(score: Objective, x: Tensor) -> Tensor:
    with differentiable():
        x = x.detach().clone().requires_grad_(True)
        (grad,) = torch.autograd.grad(score(x), x)
        if not bool(grad.any()):
            with opened_relus():
                (grad,) = torch.autograd.grad(score(x), x)
    return grad


def _value(score: Objective, x: Tensor) -> float:
    with torch.inference_mode(False), torch.no_grad():
        return float(score(x))


def _fitting(keep: Regularisers, grad: Tensor) -> Regularisers:
    """Blur and jitter for a target whose gradient ``[1, 3, h, w]`` shows how much it sees."""
    seen = grad[0].any(0)
    if not bool(seen.any()):
        return keep
    places = (seen.any(1).nonzero(), seen.any(0).nonzero())
    side = max(int(p.max() - p.min()) + 1 for p in places)
    return replace(keep, blur=min(keep.blur, side / 16), jitter=min(keep.jitter, side // 8))


def _regularised(x: Tensor, grad: Tensor, keep: Regularisers, step: int) -> Tensor:
    """The picture about its mean colour, which is 0 after normalisation, made simpler."""
    x = x * (1 - keep.l2)
    if keep.blur and step % 4 == 0:
        side = 2 * max(1, round(2 * keep.blur)) + 1
        x = gaussian_blur(x, [side, side], [keep.blur, keep.blur])
    for share, size in (
        (keep.clip_pixels, x.norm(dim=1)),
        (keep.clip_gradients, (x * grad).sum(1).abs()),
    ):
        if share:
            x = x * (size > torch.quantile(size.flatten(), share))[:, None]
    return x


def _range(question: Question) -> tuple[Tensor, Tensor]:
    mean = question.input.new_tensor(question.mean)[None, :, None, None]
    std = question.input.new_tensor(question.std)[None, :, None, None]
    return -mean / std, (1 - mean) / std


def as_picture(question: Question, x: Tensor) -> np.ndarray:
    """An input ``[1, 3, h, w]`` of a question's network as a picture, uint8 ``[h, w, 3]``."""
    mean = x.new_tensor(question.mean)[:, None, None]
    std = x.new_tensor(question.std)[:, None, None]
    shown = (x[0] * std + mean).clamp(0, 1)[:, : question.window.height, : question.window.width]
    return (shown * 255).round().byte().permute(1, 2, 0).contiguous().cpu().numpy()
