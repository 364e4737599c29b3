"""The rules of layer-wise relevance propagation for one layer that is linear in its input.

With inputs x, weights w, biases b, outputs z and the relevance R of each output, stabilised by
``z + e sign(z)`` wherever something is divided by:

- epsilon (Bach et al. 2015): each input gets its share x w / z of R, and so does the bias;
- gamma (Montavon et al. 2019): the same with weights w + gamma w+, which favour what raises the
  output. For a negative output, and for negative inputs, the parts of the other sign take that
  place (Andeol et al. 2021);
- z+ (Bach et al. 2015, as alpha 1, beta 0; Montavon et al. 2017): only what raises the output;
- zB (Montavon et al. 2017): for pixels, which lie between two limits l and h:
  x w - l w+ - h w-.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

STABILISER = 1e-6


@dataclass(frozen=True, eq=False)
class Affine:
    """A layer as a function of its input that is linear but for a bias.

    Attributes:
        run: ``(x, weight, bias)`` to the output; takes ``None`` for a bias, and for the weight of
            a layer without one, as pooling.
        weight: output channels first, but for transposed convolutions; ``None`` for pooling.
        bias: ``[C]``, or ``None``.
        spread: turns factors ``[C]``, one for each output channel, into the shape that multiplies
            the weight; ``None`` where the layer has no weight.
    """

    run: Callable[[Tensor, Tensor | None, Tensor | None], Tensor]
    weight: Tensor | None = None
    bias: Tensor | None = None
    spread: Callable[[Tensor], Tensor] | None = None

    def __call__(self, x: Tensor) -> Tensor:
        """The output."""
        return self.run(x, self.weight, self.bias)

    def opened(self, x: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        """The output, and the transposed layer: from the output's shape back to the input's."""
        with torch.enable_grad():
            free = x.detach().requires_grad_(True)
            out = self.run(free, self.weight, self.bias)
        return out.detach(), lambda at: torch.autograd.grad(out, free, at)[0]

    def scaled(self, scale: Tensor, shift: Tensor) -> Affine:
        """This layer with what follows it folded in: ``scale`` times the output, plus ``shift``.

        Args:
            scale, shift: ``[C]``, one for each output channel.
        """
        assert self.weight is not None and self.spread is not None, "only layers with weights"
        bias = shift if self.bias is None else self.bias * scale + shift
        return replace(self, weight=self.weight * self.spread(scale), bias=bias)


Rule = Callable[[Affine, Tensor, Tensor], Tensor]
"""Takes a layer, its input and its output's relevance; gives the relevance of the input."""


def stabilised(z: Tensor, e: float = STABILISER) -> Tensor:
    """``z + e sign(z)``, where the sign of 0 is 1."""
    return z + torch.where(z < 0, -e, e).to(z)


def epsilon(e: float = STABILISER) -> Rule:
    """The epsilon rule; ``e`` takes relevance from outputs that are small."""

    def rule(layer: Affine, x: Tensor, relevance: Tensor) -> Tensor:
        z, back = layer.opened(x)
        return x * back(relevance / stabilised(z, e))

    return rule


def gamma(g: float = 0.25) -> Rule:
    """The gamma rule."""

    def rule(layer: Affine, x: Tensor, relevance: Tensor) -> Tensor:
        up = _with(layer, lambda w: w + g * w.clamp(min=0))
        down = _with(layer, lambda w: w + g * w.clamp(max=0))
        z = layer(x)
        raised = _share(up, down, x, torch.where(z > 0, relevance, 0))
        if not bool((z < 0).any()):
            return raised
        return raised + _share(down, up, x, torch.where(z < 0, relevance, 0))

    return rule


def z_plus() -> Rule:
    """The z+ rule."""

    def rule(layer: Affine, x: Tensor, relevance: Tensor) -> Tensor:
        up, down = (_with(layer, lambda w, s=s: w.clamp(**s)) for s in ({"min": 0}, {"max": 0}))
        return _share(up, down, x, relevance)

    return rule


def z_box(low: Tensor, high: Tensor) -> Rule:
    """The zB rule.

    Args:
        low, high: the limits of the input, in a shape that spreads to it.
    """

    def rule(layer: Affine, x: Tensor, relevance: Tensor) -> Tensor:
        up, down = (_with(layer, lambda w, s=s: w.clamp(**s)) for s in ({"min": 0}, {"max": 0}))
        parts = [
            (v, *part.opened(v))
            for v, part in ((x, layer), (low.expand_as(x), up), (high.expand_as(x), down))
        ]
        z = parts[0][1] - parts[1][1] - parts[2][1]
        pixels, least, most = (v * back(relevance / stabilised(z)) for v, _, back in parts)
        return pixels - least - most

    return rule


def _with(layer: Affine, change: Callable[..., Tensor]) -> Affine:
    """The layer with changed weight and bias."""
    weight, bias = (None if v is None else change(v) for v in (layer.weight, layer.bias))
    return replace(layer, weight=weight, bias=bias)


def _share(first: Affine, second: Affine, x: Tensor, relevance: Tensor) -> Tensor:
    """Share relevance out by x w of ``first`` for inputs above 0, of ``second`` for those below.

    The bias is that of ``first``.
    """
    above, below = x.clamp(min=0), x.clamp(max=0)
    z, back = first.opened(above)
    if not bool((below < 0).any()):  # behind a ReLU nothing is
        return above * back(relevance / stabilised(z))
    more, back_too = replace(second, bias=None).opened(below)
    at = relevance / stabilised(z + more)
    return above * back(at) + below * back_too(at)


class Relevance(torch.autograd.Function):
    """A layer whose way back hands on relevance in place of the gradient."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, layer: Affine, rule: Rule) -> Tensor:
        ctx.layer, ctx.rule = layer, rule
        ctx.save_for_backward(x)
        return layer(x)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        (x,) = ctx.saved_tensors
        if not bool(grads[0].any()):  # as in the heads of other levels of a pyramid
            return torch.zeros_like(x), None, None
        return ctx.rule(ctx.layer, x, grads[0]), None, None


class RelevanceSum(torch.autograd.Function):
    """a + b of one shape: on the way back each gets the share that it has in the sum."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor, in_place: bool) -> Tensor:
        if not in_place:
            ctx.save_for_backward(a, b)
            return a + b
        ctx.save_for_backward(a.clone(), b)
        ctx.mark_dirty(a)
        return a.add_(b)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        a, b = ctx.saved_tensors
        at = grads[0] / stabilised(a + b)
        return a * at, b * at, None
