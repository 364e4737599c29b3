"""A network of one's own: a checkpoint for an architecture of the catalogue, with its own card."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from vision_core.models.loading import Model, load_own
from vision_core.models.own_file import PREFIX, own_name, own_title
from vision_core.models.weights import sha256_of

_LICENCE = "your own network; its terms are yours to know"


def own_network(
    file: Path,
    architecture: str,
    title: str,
    labels: Sequence[str] = (),
    device: str = "auto",
    most: int | None = None,
) -> Model:
    """Load a checkpoint as a network that has a name of its own.

    Args:
        file: ``.safetensors``, or a PyTorch file, which is read with ``weights_only=True``.
        architecture: name of the catalogue.
        title: what its owner calls it.
        labels: names of its classes; see ``class_names.named``.
        device: where it shall run.
        most: bytes that it may take in memory.

    Returns:
        a model whose fingerprint nobody can guess, so that no cache gives its results to others,
        even to one who has the same file with other class names.

    Raises:
        UserError: as for ``load``; ``checkpoints.DoesNotFit`` lists all that does not match.
    """
    return as_own(load_own(file, architecture, device, labels, most), title, sha256_of(file), file)


def as_own(model: Model, title: str, sha256: str, file: Path) -> Model:
    """The model with the card of somebody's own network.

    Args:
        model: of an architecture, with their weights.
        title: what its owner calls it.
        sha256: of the file.
        file: where the weights came from.
    """
    shown = own_title(title)
    card = replace(
        model.card,
        name=own_name(shown, sha256),
        title=f"yours: {shown}",
        architecture=model.card.builder,
        parameters=sum(p.numel() for p in model.module.parameters()),
        bytes=file.stat().st_size,
        licence=_LICENCE,
        scores=(),
        bundled=False,
        weights=None,
        url=None,
        filename=file.name,
        sha256=sha256,
        limits="",
        extra={k: v for k, v in model.card.extra.items() if k == "settings"},
    )
    return replace(model, card=card, fingerprint=f"{PREFIX}{secrets.token_hex(16)}")
