"""Which network an attribution map is of, and the keys of what is kept of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from vision_core.attribution.sanity import weighted_layers
from vision_core.inference import Trace
from vision_core.models import Model


@dataclass(frozen=True)
class RandomLayers:
    """A network whose ``count`` weighted layers nearest to the target are initialised afresh."""

    trained: Model
    count: int
    seed: int

    @property
    def name(self) -> str:
        """The name of the trained network."""
        return self.trained.name

    @property
    def device(self) -> torch.device:
        """Where the trained network runs."""
        return self.trained.device

    @property
    def fingerprint(self) -> str:
        """Tells it from the trained network and from others with random layers."""
        return f"{self.trained.fingerprint[:12]}-top{self.count}-seed{self.seed}"


Asked = Model | RandomLayers


def with_random_layers(model: Model, count: int, seed: int) -> Asked:
    """The model with ``count`` layers initialised afresh, from the target back; itself for 0."""
    return RandomLayers(model, count, seed) if count else model


def most_random_layers(model: Model) -> int:
    """How many layers a model has that might be initialised afresh, whatever the target."""
    parts = [m.module for m in (model, model.detector) if m is not None]
    return max(len(weighted_layers(part)) for part in parts)


def who_is(model: Asked, trace: Trace) -> tuple[str, ...]:
    """What a map depends on but for its target and method."""
    return (model.name, model.fingerprint, str(model.device), trace.info.id)


def settings_key(settings: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
    """Settings as part of a key."""
    return tuple(sorted(settings.items()))
