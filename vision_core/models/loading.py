"""A name of the catalogue to a network that is ready to predict."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torchvision.models import get_model_weights

from vision_core import devices
from vision_core.errors import UserError
from vision_core.models import build, checkpoints
from vision_core.models.cards import Card, card
from vision_core.models.class_names import named
from vision_core.models.weights import require, sha256_of, verify

PERSON_DETECTOR = "fcos_s"  # finds the persons whose joints top-down pose models look for


@dataclass(frozen=True, eq=False)
class Model:
    """A network with its card; shared by all users and never changed.

    Attributes:
        card: what the network is; its labels fit these weights.
        module: in eval mode, parameters without gradients, on ``device``.
        device: where it runs.
        fingerprint: identifies the weights: the file's SHA-256, or ``random-<seed>``.
        preset: uint8 3xHxW photo to the network's input, for classification and segmentation.
        detector: top-down pose: the network that finds the persons.
    """

    card: Card
    module: nn.Module
    device: torch.device
    fingerprint: str
    preset: Callable[[Tensor], Tensor] | None = None
    detector: Model | None = None

    @property
    def name(self) -> str:
        """The card's name."""
        return self.card.name

    @property
    def labels(self) -> tuple[str, ...]:
        """Class names; a label id is an index."""
        return self.card.labels


def load(
    name: str,
    *,
    device: str | torch.device = "auto",
    weights: Path | str | None = None,
    folder: Path | None = None,
    random_seed: int | None = None,
    labels: Sequence[str] = (),
) -> Model:
    """Load a model of the catalogue; nothing is downloaded.

    Args:
        name: of the catalogue.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        weights: somebody's own checkpoint for this architecture, ``.pth`` or ``.safetensors``.
        folder: where else to look for the official weights.
        random_seed: random weights from this seed instead of trained ones.
        labels: names of the classes of ``weights``; see ``class_names.named``.

    Raises:
        UserError: unknown name or device, a file that cannot be read or does not fit, or another
            number of names than of classes.
        WeightsMissing: the weights are not on this machine.
    """
    entry, where = card(name), devices.resolve(str(device))
    if random_seed is not None:
        module, fingerprint = _build_random(entry, random_seed), f"random-{random_seed}"
        preset = preset_of(entry, None)
    elif weights is not None:
        entry, module, fingerprint, preset = _load_file(entry, Path(weights).expanduser())
        entry = named(entry, labels) if labels else entry
    else:
        entry, module, fingerprint, preset = _load_known(entry, folder)
    return _ready(Model(entry, module, where, fingerprint, preset), random_seed)


def load_own(
    file: Path, name: str, device: str = "auto", labels: Sequence[str] = (), most: int | None = None
) -> Model:
    """Somebody's own file for an architecture of the catalogue; see ``load``.

    Args:
        file: ``.pth`` or ``.safetensors``.
        name: of the architecture.
        device: where it shall run.
        labels: names of its classes.
        most: bytes that it may take in memory.

    Raises:
        UserError: as for ``load``; the file is too large.
    """
    entry, module, fingerprint, preset = _load_file(card(name), file, most)
    entry = named(entry, labels) if labels else entry
    return _ready(Model(entry, module, devices.resolve(device), fingerprint, preset))


def untrained(entry: Card, device: str = "auto", seed: int = 0) -> Model:
    """The architecture of a card with random weights, as many classes and the same names."""
    module = build.build_any(entry.builder, seed, **entry.extra.get("settings", {}))
    preset = preset_of(entry, None, entry.extra.get("settings", {}).get("image_size"))
    where = devices.resolve(device)
    return _ready(Model(entry, module, where, f"random-{seed}-{entry.name}", preset), seed)


def _ready(model: Model, random_seed: int | None = None) -> Model:
    """In eval mode on its device, with the detector that a pose network needs."""
    module = model.module.eval().requires_grad_(False)
    build.fix_roi_scales(module)
    detector = None
    if model.card.task == "pose":
        detector = load(PERSON_DETECTOR, device=str(model.device), random_seed=random_seed)
    return replace(model, module=module.to(model.device), detector=detector)


def on_cpu(model: Model) -> Model:
    """A copy of a model on the CPU, with its detector; the model itself stays where it is."""
    return replace(
        model,
        module=deepcopy(model.module).to("cpu"),
        device=torch.device("cpu"),
        detector=None if model.detector is None else on_cpu(model.detector),
    )


_Loaded = tuple[Card, nn.Module, str, Callable[[Tensor], Tensor] | None]


def _load_known(entry: Card, folder: Path | None) -> _Loaded:
    """The catalogue's own weights."""
    file = require(entry, folder)
    digest = verify(entry, file)
    state = checkpoints.read(file)
    if entry.bundled:
        module = build.build_to_fill(entry.name)
        checkpoints.fit(module, build.own_part(entry.name, state), file, entry.name)
        _believe_from(entry, module)
        return entry, module, digest, preset_of(entry, None)
    member = build.official(entry.builder, digest)
    module = build.build_official(entry.builder, member, state)
    return entry, module, digest, preset_of(entry, member)


def _believe_from(entry: Card, module: Any) -> None:
    """Set a bundled detector's score threshold to the one that was measured for its weights."""
    point = entry.extra.get("operating_point")
    if point is not None:
        holder = getattr(module, "roi_heads", module)
        holder.score_thresh = float(point["threshold"])


def _load_file(entry: Card, file: Path, most: int | None = None) -> _Loaded:
    """Somebody's own file; an official one is recognised by its hash."""
    state = checkpoints.read(file, most)
    digest = sha256_of(file)
    if entry.bundled:
        state = build.own_part(entry.name, checkpoints.without_prefix(state))
        settings = build.settings_of(entry.builder, state)
        module = build.build_to_fill(entry.name, **settings)
        checkpoints.fit(module, state, file, entry.name)
        return _relabelled(entry, settings), module, digest, preset_of(entry, None)
    if (member := build.official(entry.builder, digest)) is not None:
        module = build.build_official(entry.builder, member, state)
        return entry, module, digest, preset_of(entry, member)
    state = checkpoints.without_prefix(state)
    settings = build.settings_of(entry.builder, state)
    module = build.build_to_fill(entry.builder, **settings)
    checkpoints.fit(module, state, file, entry.name)
    preset = preset_of(entry, None, settings.get("image_size"))
    return _relabelled(entry, settings), module, digest, preset


def _relabelled(entry: Card, settings: dict[str, int]) -> Card:
    """The card of an architecture with weights that are not its own: no scores, own labels."""
    labels, joints, skeleton = entry.labels, entry.joints, entry.skeleton
    if (count := settings.get("num_classes")) is not None:
        if entry.task == "classification":
            labels = tuple(f"class {i + 1}" for i in range(count))
        else:
            labels = ("__background__", *(f"class {i}" for i in range(1, count)))
    if (count := settings.get("num_keypoints")) is not None:
        joints, skeleton = tuple(f"joint {i + 1}" for i in range(count)), ()
    extra = {"settings": settings} if settings else {}
    return replace(entry, labels=labels, joints=joints, skeleton=skeleton, scores=(), extra=extra)


def _build_random(entry: Card, seed: int) -> nn.Module:
    if not -(2**63) <= seed < 2**63:
        raise UserError(f"A random seed must fit into 64 bits, and {seed} does not.")
    if entry.bundled:
        return build.build_bundled(entry.name, seed)
    return build.build_plain(entry.builder, seed)


def preset_of(
    entry: Card, member: Any | None = None, size: int | None = None
) -> Callable[[Tensor], Tensor] | None:
    """torchvision's preset that turns a uint8 (3, H, W) photo into the network's input.

    Args:
        entry: card of the model.
        member: of its weights enum; the default one where it is ``None``.
        size: pixels of the square that is cut; the member's own where it is ``None``.

    Returns:
        ``None`` for networks that prepare their input themselves.
    """
    if build.bundled(entry.builder):
        from vision_core.models import zoo

        return zoo.preprocessing(entry.builder)
    if entry.task not in ("classification", "segmentation"):
        return None
    if member is None:
        member = get_model_weights(entry.builder).DEFAULT
    if size is not None:
        return member.transforms(crop_size=size, resize_size=size)
    return member.transforms()
