"""Whether every function between the input and a score has a rule for relevance."""

from __future__ import annotations

import re
from typing import Any

from torch import Tensor

from vision_core.errors import UserError

_RULED = ("Relevance", "RelevanceSum", "_Ruled")
# They put values elsewhere, or leave some out; what comes back to a place is what went from it.
_PLACES = (
    "Alias",
    "Cat",
    "ChannelShuffle",
    "Clone",
    "ConstantPadNd",
    "Expand",
    "Index",
    "IndexPut",
    "IndexSelect",
    "MaxPool2DWithIndices",
    "MaxUnpool2D",
    "NativeChannelShuffle",
    "Permute",
    "ReshapeAlias",
    "Select",
    "Slice",
    "Split",
    "Squeeze",
    "Stack",
    "T",
    "ToCopy",
    "Transpose",
    "Unbind",
    "UnsafeView",
    "Unsqueeze",
    "View",
    "torch::autograd::AccumulateGrad",
)
_KNOWN = frozenset((*_RULED, *_PLACES))
_WORDS = {
    "Add": "a sum with numbers of another shape",
    "NativeBatchNorm": "batch normalisation without a convolution before it",
    "NativeGroupNorm": "group normalisation without a convolution before it",
    "NativeLayerNorm": "layer normalisation",
    "Mul": "a product",
    "Silu": "SiLU",
    "Hardswish": "Hardswish",
    "Hardsigmoid": "Hardsigmoid",
    "Gelu": "GELU",
}


def refuse_the_rest(scores: Tensor) -> None:
    """Look through all that a score depends on.

    Args:
        scores: with the graph behind it.

    Raises:
        UserError: naming what has no rule.
    """
    seen: set[Any] = set()
    waiting, unknown = [scores.grad_fn], dict[str, None]()
    if scores.grad_fn is None:
        raise UserError("The score does not depend on the photo, so that there is no relevance.")
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        name = re.sub(r"Backward\d*$", "", node.name())
        if name not in _KNOWN:
            unknown[_WORDS.get(name, name)] = None
        waiting += [before for before, _ in node.next_functions]
    if unknown:
        raise UserError(
            "LRP has rules for convolutions, linear layers, ReLU, pooling, enlargement and sums; "
            f"on the way to this target there is also {', '.join(sorted(unknown))}."
        )
