"""A network that was taught here, as one of one's own: for all pages, from its file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn
from torchvision.transforms._presets import ImageClassification

from vision_core import devices
from vision_core.errors import UserError
from vision_core.models.cards import Card, card
from vision_core.models.class_names import named
from vision_core.models.loading import Model, load_own
from vision_core.models.own import as_own, own_network
from vision_core.models.own_file import TAUGHT, TRUNK, architecture_of, said, taught_card
from vision_core.models.weights import sha256_of
from vision_core.teaching.keeping import opened
from vision_core.teaching.network import PlainNet
from vision_core.teaching.transfer import MEAN, STD


class PhotoReader(nn.Module):
    """A small network behind the door that classifiers have: it takes normalised photos.

    ``forward`` takes ``[N, 3, S, S]`` normalised as for ImageNet and returns logits. A network that
    learned grey pictures gets the mean of the colours, dark as 1: digits are written in ink.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, network: PlainNet, channels: int) -> None:
        super().__init__()
        self.network, self.channels = network, channels
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(STD).view(1, 3, 1, 1), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        colours = x * self.std + self.mean
        return self.network(1 - colours.mean(1, keepdim=True) if self.channels == 1 else colours)


def load_taught(
    file: Path, labels: Sequence[str] = (), device: str = "auto", most: int | None = None
) -> Model:
    """A network from the file that the page Training or the command ``teach`` kept.

    It gets the square in the middle of a photo, at the side with which it was taught.

    Args:
        file: safetensors with metadata.
        labels: other names for its classes.
        device: where it shall run.
        most: bytes that it may take in memory.

    Raises:
        UserError: the file is none of these, is damaged or too large.
    """
    names, channels, side = said(file)
    preset = ImageClassification(crop_size=side, resize_size=side)
    if architecture_of(file) == TRUNK:
        return replace(load_own(file, TRUNK, device, labels or names, most), preset=preset)
    network, _ = opened(str(file))
    module = PhotoReader(network, channels).eval().requires_grad_(False)
    where = devices.resolve(device)
    entry = taught_card(file)
    entry = replace(
        named(entry, labels) if labels else entry,
        parameters=sum(p.numel() for p in module.parameters()),
    )
    return Model(entry, module.to(where), where, sha256_of(file), preset)


def open_own(
    file: Path,
    architecture: str,
    title: str,
    labels: Sequence[str] = (),
    device: str = "auto",
    most: int | None = None,
) -> Model:
    """``own_network``, for files of networks that were taught here too; these say what they are.

    Raises:
        UserError: as for ``own_network``.
    """
    if architecture_of(file) is not None:
        return as_own(load_taught(file, labels, device, most), title, sha256_of(file), file)
    if architecture == TAUGHT:
        raise UserError(f"{file.name} holds no small network that was taught here.")
    return own_network(file, architecture, title, labels, device, most)


def usual(architecture: str) -> Card | None:
    """The catalogue's card of an architecture; ``None`` for small networks, which are in none."""
    return None if architecture == TAUGHT else card(architecture)
