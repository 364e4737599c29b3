"""Layer-wise relevance propagation (Bach et al. 2015) through any network whose layers have a rule.

The score is handed back, layer by layer: each layer shares the relevance of its outputs out among
its inputs. Like the ReLU rules this is a ``TorchFunctionMode``: it belongs to one thread, sees
every call of a torch function and touches no network. Batch normalisation is folded into the
convolution before it as it runs, in tensors of its own (Montavon et al. 2019, section 10.3).

What has no rule is not guessed at: the way from the score back to the input is looked through, and
a function on it that is neither ruled nor a mere change of places is named in the refusal.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from vision_core.attribution import lrp_rules as rules
from vision_core.attribution.estimates import Estimate
from vision_core.attribution.lrp_calls import affine_of, channel_factors, folded_norm, is_dense
from vision_core.attribution.lrp_graph import refuse_the_rest
from vision_core.attribution.lrp_rules import Affine, Relevance, RelevanceSum, Rule
from vision_core.attribution.question import Question, differentiable
from vision_core.attribution.rules import opened_relus
from vision_core.errors import UserError

RULES = ("composite", "epsilon", "gamma", "zplus")
"""``composite``: epsilon in dense layers, gamma in convolutions, zB in the first layer."""


@dataclass(frozen=True)
class Rules:
    """Which rule each layer gets.

    Attributes:
        pixels: of convolutions that read the input itself.
        convolution, dense: of other convolutions, and of linear layers.
        plain: of what has no weights, as average pooling.
    """

    pixels: Rule
    convolution: Rule
    dense: Rule
    plain: Rule

    def of(self, layer: Affine, x: Tensor, dense: bool) -> Rule:
        """The rule of a layer at its input."""
        if layer.weight is None:
            return self.plain
        if dense:
            return self.dense
        return self.pixels if x.grad_fn is None else self.convolution


def rules_of(question: Question, name: str, epsilon: float, gamma: float) -> Rules:
    """The rules of a setting.

    Args:
        question: tells the limits of a pixel.
        name: one of ``RULES``.
        epsilon, gamma: of these rules, 0 or more.

    Raises:
        UserError: no such name, or a number below 0.
    """
    if name not in RULES:
        raise UserError(f"There is no rule {name!r} of LRP; choose one of {', '.join(RULES)}.")
    if epsilon < 0 or gamma < 0:
        raise UserError("Epsilon and gamma of LRP must be 0 or more.")
    by_epsilon, by_gamma, plain = rules.epsilon(epsilon), rules.gamma(gamma), rules.epsilon()
    if name != "composite":
        one = {"epsilon": by_epsilon, "gamma": by_gamma, "zplus": rules.z_plus()}[name]
        return Rules(one, one, one, plain)
    x = question.input
    mean, std = (x.new_tensor(v)[None, :, None, None] for v in (question.mean, question.std))
    return Rules(rules.z_box(-mean / std, (1 - mean) / std), by_gamma, by_epsilon, plain)


def lrp(
    question: Question, rule: str = "composite", epsilon: float = 1e-6, gamma: float = 0.25
) -> Estimate:
    """The share of each input value in the score.

    Args:
        question: what is explained; its score is the relevance that is shared out.
        rule: one of ``RULES``.
        epsilon: of that rule: the larger, the more relevance small outputs lose.
        gamma: of that rule: the larger, the more what raises an output counts.

    Returns:
        the map ``[3, h, w]``, score units; ``gap`` is its sum less the score: what biases and
        stabilisers took.

    Raises:
        UserError: there is a function without a rule on the way to the target.
    """
    mode = _Propagating(rules_of(question, rule, epsilon, gamma))
    with differentiable():
        x = question.input.detach().clone().requires_grad_(True)
        with opened_relus(), mode:
            scores, _ = question.run(x)
        refuse_the_rest(scores)
        start = scores.detach()
        (found,) = torch.autograd.grad(scores, x, start)
    score = float(start[0])
    notes = tuple(s for s, on in ((_FIXED, mode.fixed), (_NEGATIVE, score < 0)) if on)
    told = {"lrp_rule": rule, "lrp_epsilon": epsilon, "lrp_gamma": gamma}
    return Estimate(found[0], score, gap=float(found.sum()) - score, settings=told, notes=notes)


_FIXED = (
    "Group normalisation runs with its mean and spread on this photo held fixed: LRP has no rule "
    "for how they depend on the pixels."
)
_NEGATIVE = (
    "The score is below 0, and so is what is shared out: most of the map lowers the score. Softmax "
    "compares classes, so that such a class can still be the best one."
)


@dataclass(frozen=True, eq=False)
class _Made:
    """Where a tensor comes from: a layer with weights, and the input of that layer."""

    out: Tensor
    maker: Any
    x: Tensor
    layer: Affine
    dense: bool


class _Propagating(TorchFunctionMode):
    """Every layer that runs goes back by its rule."""

    def __init__(self, chosen: Rules) -> None:
        super().__init__()
        self.fixed = False
        self._rules = chosen
        self._made: dict[int, _Made] = {}

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        x: Any = args[0] if args else kwargs.get("input")
        if not isinstance(x, Tensor) or not (x.requires_grad or _second(args)):
            return func(*args, **kwargs)
        layer = affine_of(func, args, kwargs)
        if layer is not None:
            return self._run(x, layer, is_dense(func))
        return self._after(func, args, kwargs)

    def _run(self, x: Tensor, layer: Affine, dense: bool) -> Tensor:
        out: Tensor = Relevance.apply(x, layer, self._rules.of(layer, x, dense))
        if layer.weight is not None:
            self._made[id(out)] = _Made(out, out.grad_fn, x, layer, dense)
        return out

    def _after(self, func: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """What may follow a layer: it is folded in, or added to another."""
        x: Any = args[0] if args else kwargs.get("input")
        made = self._made.get(id(x))
        if made is not None and x.grad_fn is made.maker:  # not written to since
            norm = folded_norm(func, x, args, kwargs)
            factors = norm or channel_factors(func, x, args, kwargs)
            if factors is not None:
                self.fixed |= func is F.group_norm
                return self._run(made.x, made.layer.scaled(*factors), made.dense)
        if func in _SUMS and len(args) == 2 and not kwargs and _alike(*args):
            return RelevanceSum.apply(*args, func in _IN_PLACE)
        return func(*args, **kwargs)


_IN_PLACE: frozenset[Any] = frozenset({Tensor.add_, Tensor.__iadd__})
_SUMS = _IN_PLACE | {torch.add, Tensor.add, Tensor.__add__}


def _second(args: Any) -> bool:
    """Whether the second operand is a tensor that a gradient goes through."""
    return len(args) > 1 and isinstance(args[1], Tensor) and args[1].requires_grad


def _alike(a: Any, b: Any) -> bool:
    return isinstance(b, Tensor) and a.shape == b.shape and a.requires_grad and b.requires_grad
