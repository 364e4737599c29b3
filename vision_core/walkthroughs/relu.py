"""The three backward rules of a ReLU, cell by cell."""

from __future__ import annotations

from typing import Any

from vision_core.errors import UserError
from vision_core.walkthroughs import params
from vision_core.walkthroughs.layer import places
from vision_core.walkthroughs.record import NOTHING, RawTerm, Recorder, at, check_terms, num
from vision_core.walkthroughs.types import Walkthrough
from vision_core.walkthroughs.windows import picture

RULES = ("plain", "deconvnet", "guided")
_ASKS = {
    "plain": ("x > 0", lambda x, g: x > 0),
    "deconvnet": ("g > 0", lambda x, g: g > 0),
    "guided": ("x > 0 and g > 0", lambda x, g: x > 0 and g > 0),
}


def relu_backward(input: Any, grad_output: Any, rule: str = "plain") -> Walkthrough:
    """What a ReLU passes back to its input, by one of three rules.

    ``plain`` is backpropagation, ``deconvnet`` that of Zeiler and Fergus (2014), ``guided`` that
    of Springenberg et al. (2015).

    Args:
        input: what went into the ReLU: L, H x W or C x H x W numbers.
        grad_output: in the same shape, the gradient from above.
        rule: ``plain``, ``deconvnet`` or ``guided``.

    Returns:
        reduction ``keep``; the result has the input's shape.

    Raises:
        UserError: numbers that do not fit, or another rule.
    """
    if rule not in RULES:
        raise UserError(f"rule must be one of {', '.join(RULES)}, not {rule!r}.")
    x, plain = picture(input, "input")
    g = params.numbers(grad_output, "grad_output", (x.ndim - 1 if plain else x.ndim,))
    g = g[None] if plain else g
    if g.shape != x.shape:
        raise UserError("grad_output must have the shape of the input, one gradient a value.")
    check_terms(x.size)
    asks, passes = _ASKS[rule]
    recorder = Recorder(x.shape[1:] if plain else x.shape, "keep")
    for cell in places(x.shape):
        shown = cell[1:] if plain else cell
        value, grad = float(x[cell]), float(g[cell])
        open_ = passes(value, grad)
        source = RawTerm(grad, (("input", shown), ("grad_output", shown))) if open_ else NOTHING
        recorder.step(
            [(shown, [source])],
            f"x{at(shown)} = {num(value)}, g = {num(grad)}: {asks} "
            f"{'holds, g passes' if open_ else 'does not hold, 0 passes'}",
        )
    operands: dict[str, Any] = {
        "input": ("input", x[0] if plain else x),
        "grad_output": ("kernel", g[0] if plain else g),
    }
    line = f"{rule}: the gradient passes where {asks}"
    return recorder.finish("relu_backward", operands, [line], {"rule": rule})
