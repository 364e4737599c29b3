"""The three backward rules of a ReLU, for every ReLU that a network calls.

With g the gradient that comes from above and x the input of the ReLU:

- plain (backpropagation): g where x > 0;
- deconvnet (Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks", 2014):
  g where g > 0;
- guided (Springenberg et al., "Striving for Simplicity", 2015): g where both hold.

A ``TorchFunctionMode`` belongs to one thread and sees every call of a torch function, so a module,
a function, in place or not, is all the same to it, and the network is never touched.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal, get_args

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from vision_core.errors import UserError

Rule = Literal["plain", "deconvnet", "guided"]
RULES: tuple[str, ...] = get_args(Rule)
_OPEN = "open"  # everything passes; for a start where every ReLU is shut

_RELU: frozenset[Any] = frozenset({F.relu, torch.relu, Tensor.relu})
_RELU_IN_PLACE: frozenset[Any] = frozenset({torch.relu_, Tensor.relu_})
_OTHERS: dict[Any, str] = {
    F.hardswish: "Hardswish",
    F.silu: "SiLU",
    F.gelu: "GELU",
    F.leaky_relu: "LeakyReLU",
    F.elu: "ELU",
    F.selu: "SELU",
    F.softplus: "Softplus",
    F.mish: "Mish",
    F.prelu: "PReLU",
}


class _Ruled(torch.autograd.Function):
    """Clip to 0..top going forward; the rule going backward."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, rule: str, top: float | None, in_place: bool) -> Tensor:
        passed = x > 0 if top is None else (x > 0) & (x < top)
        ctx.rule = rule
        ctx.save_for_backward(passed)
        if in_place:
            ctx.mark_dirty(x)
            return x.clamp_(0, top)
        return x.clamp(0, top)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        (grad,) = grads
        (passed,) = ctx.saved_tensors
        return apply_rule(grad, passed, ctx.rule), None, None, None


def apply_rule(grad: Tensor, passed: Tensor, rule: str) -> Tensor:
    """What a rule lets through.

    Args:
        grad: gradient with respect to the ReLU's output, any shape.
        passed: bool, where the input of the ReLU passed: above 0 (and below 6 for ReLU6).
        rule: one of ``RULES``.
    """
    if rule == "plain":
        return grad * passed
    if rule == _OPEN:
        return grad
    positive = grad.clamp(min=0)
    return positive if rule == "deconvnet" else positive * passed


class _RuleMode(TorchFunctionMode):
    def __init__(self, rule: str) -> None:
        super().__init__()
        self.rule = rule

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        found = _as_relu(func, args, kwargs := kwargs or {})
        if found is None:
            return func(*args, **kwargs)
        x, top, in_place = found
        return _Ruled.apply(x, self.rule, top, in_place)


class _WatchMode(TorchFunctionMode):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[Tensor, Tensor]] = []

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        found = _as_relu(func, args, kwargs := kwargs or {})
        if found is None:
            return func(*args, **kwargs)
        x, top, in_place = found
        before = x.detach().clone()
        out = _Ruled.apply(x, "plain", top, in_place)
        self.seen.append((before, out))
        return out


class _CountMode(TorchFunctionMode):
    def __init__(self) -> None:
        super().__init__()
        self.calls: Counter[str] = Counter()

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        found = _as_relu(func, args, kwargs := kwargs or {})
        x: Any = args[0] if args else kwargs.get("input")
        if torch.is_grad_enabled() and not getattr(x, "requires_grad", False):
            pass  # of a table of its own, as Swin V2 makes of its places: no gradient comes by
        elif found is not None:
            self.calls["ReLU" if found[1] is None else "ReLU6"] += 1
        elif func in _OTHERS:
            self.calls[_OTHERS[func]] += 1
        return func(*args, **kwargs)


def _as_relu(
    func: Callable[..., Any], args: Any, kwargs: dict[str, Any]
) -> tuple[Tensor, float | None, bool] | None:
    """The input, the upper limit and "in place" of a call that is a ReLU; ``None`` of another."""
    x: Any = args[0] if args else kwargs.get("input")
    if func in _RELU:
        return x, None, bool(kwargs.get("inplace", len(args) > 1 and args[1]))
    if func in _RELU_IN_PLACE:
        return x, None, True
    if func is F.relu6:
        return x, 6.0, bool(kwargs.get("inplace", len(args) > 1 and args[1]))
    if func is F.hardtanh:
        names = ("input", "min_val", "max_val", "inplace")
        given = {"min_val": -1.0, "max_val": 1.0, "inplace": False}
        given |= dict(zip(names, args, strict=False)) | kwargs
        if given["min_val"] == 0:  # nn.ReLU6 is a hardtanh from 0 to 6
            return x, float(given["max_val"]), bool(given["inplace"])
    return None


@contextmanager
def relu_rule(rule: Rule | str) -> Iterator[None]:
    """Within this block, in this thread, every ReLU that runs will go backward by a rule.

    Raises:
        UserError: there is no such rule.
    """
    if rule not in RULES:
        raise UserError(f"There is no ReLU rule {rule!r}; choose one of {', '.join(RULES)}.")
    if rule == "plain":
        yield
        return
    with _RuleMode(rule):
        yield


@contextmanager
def opened_relus() -> Iterator[None]:
    """Within this block, in this thread, ReLUs pass every gradient: a way out for dead units."""
    with _RuleMode(_OPEN):
        yield


@contextmanager
def watched_relus() -> Iterator[list[tuple[Tensor, Tensor]]]:
    """Collect (input, output in the graph) of every ReLU called in this block, in order."""
    mode = _WatchMode()
    with mode:
        yield mode.seen


@contextmanager
def counted_activations() -> Iterator[Counter[str]]:
    """Count the activation functions called in this block: ``ReLU``, ``ReLU6``, ``SiLU`` ...

    Where gradients are on, those alone that a gradient goes through.
    """
    mode = _CountMode()
    with mode:
        yield mode.calls
