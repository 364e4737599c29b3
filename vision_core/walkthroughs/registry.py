"""All operators by name, and ``build``, the one door to them."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable
from typing import Any

from vision_core.errors import UserError
from vision_core.walkthroughs.anchors import anchors
from vision_core.walkthroughs.average_precision import average_precision
from vision_core.walkthroughs.channel_pool import channel_pool
from vision_core.walkthroughs.convolution import convolution
from vision_core.walkthroughs.convolution_3d import convolution_3d
from vision_core.walkthroughs.corner_pairs import corner_pairs
from vision_core.walkthroughs.corner_pool import corner_pool
from vision_core.walkthroughs.matrix import convolution_matrix
from vision_core.walkthroughs.nms import nms
from vision_core.walkthroughs.pooling import avg_pool, max_pool, max_pool_backward
from vision_core.walkthroughs.presets import PRESETS, Preset
from vision_core.walkthroughs.relu import relu_backward
from vision_core.walkthroughs.roi_align import roi_align
from vision_core.walkthroughs.roi_backward import roi_align_backward, roi_pool_backward
from vision_core.walkthroughs.roi_pool import roi_pool
from vision_core.walkthroughs.sentence import sentence
from vision_core.walkthroughs.tied_weights import tied_weights
from vision_core.walkthroughs.transposed import transposed_convolution
from vision_core.walkthroughs.types import Walkthrough
from vision_core.walkthroughs.unpooling import bed_of_nails, max_unpool, nearest_unpool

OPERATORS: dict[str, Callable[..., Walkthrough]] = {
    function.__name__: function
    for function in (
        convolution,
        transposed_convolution,
        convolution_matrix,
        max_pool,
        avg_pool,
        max_pool_backward,
        nearest_unpool,
        bed_of_nails,
        max_unpool,
        roi_pool,
        roi_align,
        roi_pool_backward,
        roi_align_backward,
        nms,
        corner_pool,
        corner_pairs,
        anchors,
        relu_backward,
        average_precision,
        channel_pool,
        convolution_3d,
        tied_weights,
        sentence,
    )
}
_ALIASES = {"kernel": "weight"}


def operator(name: str) -> Callable[..., Walkthrough]:
    """The function that builds the walkthrough ``name``.

    Raises:
        UserError: there is none; near names are suggested.
    """
    if name not in OPERATORS:
        near = difflib.get_close_matches(name, OPERATORS, n=1)
        hint = f"did you mean {near[0]}?" if near else f"choose one of {', '.join(OPERATORS)}."
        raise UserError(f"There is no operator called {name!r}; {hint}")
    return OPERATORS[name]


def parameters(name: str) -> dict[str, Any]:
    """Names of an operator's parameters and their defaults; ``...`` where one must be given.

    Raises:
        UserError: there is no such operator.
    """
    found = inspect.signature(operator(name)).parameters
    return {
        key: ... if p.default is inspect.Parameter.empty else p.default for key, p in found.items()
    }


def preset(name: str, which: str) -> Preset:
    """A preset of an operator.

    Raises:
        UserError: there is no such operator or preset.
    """
    operator(name)
    for found in PRESETS[name]:
        if found.name == which:
            return found
    names = ", ".join(p.name for p in PRESETS[name])
    raise UserError(f"{name} has no preset called {which!r}; choose one of {names}.")


def build(name: str, which: str | None = None, /, **params: Any) -> Walkthrough:
    """Build a walkthrough.

    Args:
        name: of the operator.
        which: of a preset. The operator's first one where nothing is given at all.
        params: the operator's parameters with PyTorch's names (``kernel`` for ``weight`` too);
            they replace those of the preset.

    Raises:
        UserError: an unknown name, or parameters that do not fit.
    """
    known = parameters(name)
    given: dict[str, Any] = {}
    for key, value in params.items():
        full = _ALIASES[key] if _ALIASES.get(key) in known else key
        if full not in known:
            raise UserError(f"{name} has no parameter {key}; it takes {', '.join(known)}.")
        if full in given:
            raise UserError(f"{full} is given twice, once as {key}; give it once.")
        given[full] = value
    if which is not None:
        given = {**preset(name, which).params, **given}
    elif not given:
        given = dict(PRESETS[name][0].params)
    missing = [key for key, default in known.items() if default is ... and key not in given]
    if missing:
        raise UserError(f"{name} still needs {' and '.join(missing)}, or a preset.")
    return OPERATORS[name](**given)
