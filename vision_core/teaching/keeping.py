"""A taught network as a safetensors file that says how it was made."""

from __future__ import annotations

import json
from typing import Any

import safetensors.torch
from safetensors import SafetensorError, safe_open
from torch import nn

from vision_core.errors import UserError
from vision_core.models.own_file import FORMAT, PLAIN
from vision_core.teaching.data import LearningSet
from vision_core.teaching.network import PlainNet
from vision_core.teaching.run import LearningRun
from vision_core.teaching.settings import LearningSettings

_MOST_SIDE = 512


def record(run: LearningRun) -> dict[str, Any]:
    """Data, settings and what was measured after each epoch, for JSON."""
    data = run.data
    return {
        "data": data.name,
        "classes": list(data.classes),
        "training": len(data.training),
        "validation": len(data.validation),
        "settings": run.settings.record(),
        "epochs": [vars(epoch) for epoch in run.history],
    }


def as_bytes(run: LearningRun, network: nn.Module | None = None, way: str = "") -> bytes:
    """The network at its last epoch, with classes, settings and scores in the file's metadata.

    Args:
        run: what was learned.
        network: to be written in place of the run's, which may be a last layer alone.
        way: of transfer learning; empty for the small network.
    """
    network = run.network if network is None else network
    tensors = {k: v.detach().cpu().contiguous() for k, v in network.state_dict().items()}
    last, shape = run.history[-1], run.data.pictures.shape
    told = {
        "format": FORMAT,
        "network": f"resnet_s, {way}" if way else PLAIN,
        "data": run.data.name,
        "classes": json.dumps(run.data.classes),
        "settings": json.dumps(run.settings.record()),
        "epoch": str(last.number),
        "val_accuracy": f"{last.val_accuracy:.6g}",
        "input": json.dumps(shape[1:]),
    }
    return safetensors.torch.save(tensors, told)


def opened(path: str) -> tuple[PlainNet, tuple[str, ...]]:
    """A small network from its file, in eval mode, with its classes.

    Raises:
        UserError: the file is none of a small network that was taught here.
    """
    try:
        with safe_open(path, "pt") as file:
            told = file.metadata() or {}
            tensors = {k: file.get_tensor(k) for k in file.keys()}
    except (SafetensorError, OSError) as error:
        raise UserError(f"{path} cannot be read as safetensors ({error}).") from None
    if told.get("format") != FORMAT or told.get("network") != PLAIN:
        raise UserError(f"{path} holds no small network that was taught here.")
    try:
        classes = tuple(json.loads(told["classes"]))
        channels, side, _ = (min(int(n), _MOST_SIDE) for n in json.loads(told["input"]))
        settings = LearningSettings(**json.loads(told["settings"]))
        network = PlainNet(settings, channels, side, len(classes))
        network.load_state_dict(tensors)
    except (KeyError, ValueError, TypeError, RuntimeError):
        raise UserError(
            f"{path} was changed since it was kept: its weights do not fit what it says of itself."
        ) from None
    return network.eval(), classes


def set_words(data: LearningSet) -> str:
    """The two parts of a set in words."""
    return (
        f"{len(data.training):,} pictures are learned, {len(data.validation):,} are only asked "
        f"(validation); {len(data.classes)} classes"
    )
