"""Weights on disk: float16 safetensors, and what can be taken from them again."""

from __future__ import annotations

import hashlib
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from vision_core.errors import UserError
from vision_core.models.zoo.trunk import Trunk
from vision_core.training.widening import widen


def save_half(network: nn.Module, path: Path) -> str:
    """Write the state dict of ``network``, floats as float16; return the file's SHA-256.

    Counters and other integer buffers keep their type. Values beyond float16 raise ``ValueError``.
    """
    tensors: dict[str, Tensor] = {}
    for name, value in network.state_dict().items():
        value = value.detach().cpu()
        if value.is_floating_point():
            value = value.half()
            if not torch.isfinite(value).all():
                raise ValueError(f"{name} does not fit into float16")
        tensors[name] = value.contiguous().clone()
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, path)
    path.chmod(0o644)  # safetensors makes it readable for its owner alone
    return hashlib.sha256(path.read_bytes()).hexdigest()


def read_weights(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a safetensors file, floats as float32.

    Raises:
        UserError: if the file is missing or is not in the safetensors format.
    """
    try:
        tensors = load_file(path)
    except Exception as error:
        raise UserError(f"The weights {path} cannot be read as safetensors: {error}.") from error
    return {k: v.float() if v.is_floating_point() else v for k, v in tensors.items()}


def take_start(network: nn.Module, path: Path) -> None:
    """Copy what fits from the weights at ``path``; a trunk wider than theirs starts as theirs.

    Raises:
        UserError: nothing in the file fits.
    """
    trunks = [module for module in network.modules() if isinstance(module, Trunk)]
    given = {
        name.partition("trunk.")[2]: value
        for name, value in read_weights(path).items()
        if "trunk." in name
    }
    stem = given.get("stem.0.weight")
    if len(trunks) == 1 and stem is not None and len(stem) < trunks[0].out_widths[0]:
        widen(trunks[0], given)
    else:
        take_matching(network, path)


def take_matching(network: nn.Module, path: Path) -> list[str]:
    """Copy every tensor whose name ends alike and whose shape fits; return the names taken.

    A trunk may stand at ``trunk.`` in one network and at ``backbone.trunk.`` in another, so names
    are compared from ``trunk.`` on where they contain it, else as a whole.
    """

    def short(name: str) -> str:
        at = name.find("trunk.")
        return name[at:] if at >= 0 else name

    given = {short(name): value for name, value in read_weights(path).items()}
    own = network.state_dict()
    taken = [n for n, v in own.items() if short(n) in given and given[short(n)].shape == v.shape]
    if not taken:
        raise UserError(f"No tensor of {path} fits this network; choose other weights for --init.")
    for name in taken:
        own[name].copy_(given[short(name)])
    return taken
