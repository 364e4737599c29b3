"""A private view of a shared network: its modules are copied, its weights are not.

Hooks are the only way to see what a layer inside a network computes, and a hook on a shared
network would fire for every user. A shadow has module objects of its own over the same weight
tensors: it costs no memory to speak of, and what is hooked on it dies with it.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

from vision_core.errors import UserError
from vision_core.models.layout import not_maps


def shadow(
    module: nn.Module, weight: Callable[[nn.Parameter], nn.Parameter] = lambda p: p
) -> nn.Module:
    """Copy the modules of a network; parameters and buffers stay the same tensors.

    Args:
        module: the network.
        weight: what stands in for a parameter; the parameter itself if nothing is said. Layers
            that share a parameter share its stand-in.
    """
    held: dict[int, Any] = {id(t): t for t in module.buffers()}
    held |= {id(p): weight(p) for p in module.parameters()}
    return copy.deepcopy(module, held)


@contextmanager
def recording(
    module: nn.Module, names: Sequence[str], every_map: bool = False
) -> Iterator[dict[str, list[Tensor]]]:
    """Record what layers put out, in the graph, safe from in-place functions that follow.

    Args:
        module: a shadow; its hooks are removed at the end of the block.
        names: of layers.
        every_map: record every other layer that puts out ``[N, C, h, w]`` as well, in the order
            in which they first run.

    Yields:
        for each name the outputs of its calls so far, one for each time that the layer runs.

    Raises:
        UserError: there is no layer of that name, or it puts out no map and no plain numbers.
    """
    kept: dict[str, list[Tensor]] = {name: [] for name in names}
    known, patches = dict(module.named_modules()), not_maps(module)
    for name in names:
        if name in patches:
            raise UserError(
                f"The layer {name} puts out numbers for patches of the picture, not channels with "
                "rows and columns; choose a convolution or a layer behind the last block."
            )
        if name not in known or not name:
            raise UserError(
                f"There is no layer {name!r} in this network; its layers have names "
                f"like {', '.join(list(known)[1:4])}."
            )

    def hook_for(name: str) -> Any:
        def hook(_: nn.Module, __: Any, out: Any) -> Any:
            if not isinstance(out, Tensor):
                if name not in names:
                    return out
                raise UserError(f"The layer {name} puts out several tensors; choose one inside it.")
            if name not in names and out.ndim != 4:
                return out
            if not kept.get(name):
                kept.pop(name, None)  # so that the order is that of the first runs
            kept.setdefault(name, []).append(out)
            return out.clone()  # what follows may write into it

        return hook

    hooked = [n for n in known if n and n not in patches] if every_map else list(kept)
    handles = [known[name].register_forward_hook(hook_for(name)) for name in hooked]
    try:
        yield kept
    finally:
        for handle in handles:
            handle.remove()
