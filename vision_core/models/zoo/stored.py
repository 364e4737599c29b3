"""Which file holds a network's weights, and which of its tensors are the network's own."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from vision_core.models.zoo.rcnn_s import MASK_BRANCH
from vision_core.models.zoo.streets import DECODERS

SHARED = {
    **dict.fromkeys(DECODERS, "streets_s"),
    "faster_rcnn_s": "rcnn_s",
    "mask_rcnn_s": "rcnn_s",
}
"""Networks whose weights lie in one file with others', and that file's name without its end."""


def stem(name: str) -> str:
    """Return the name of a bundled network's weights file, without ``.safetensors``."""
    return SHARED.get(name, name)


def trained_together(name: str) -> tuple[str, ...]:
    """Return the networks that one run of the recipe ``name`` makes: mostly ``name`` alone."""
    return tuple(DECODERS) if name in DECODERS else (name,)


def own_part(name: str, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors of a stored file that belong to network ``name``, under its own names.

    A file that holds that network alone comes back as it is.
    """
    if name in DECODERS:
        prefix = f"decoders.{name}."
        others = tuple(f"decoders.{other}." for other in DECODERS if other != name)
        return {
            "decoder." + key.removeprefix(prefix) if key.startswith(prefix) else key: value
            for key, value in state.items()
            if not key.startswith(others)
        }
    if name == "faster_rcnn_s":
        return {k: v for k, v in state.items() if not k.startswith(MASK_BRANCH)}
    return dict(state)
