"""What the methods of a league are asked alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from vision_core.errors import UserError

STEPS = (4, 128)
"""Range of the pictures of a curve."""


@dataclass(frozen=True)
class Terms:
    """What all methods are asked alike.

    Attributes:
        steps: pictures of each curve, after its first.
        seed: of the random weights, and of the order of equal pixels; 0 or more.
        settings: of the methods, by name; their own defaults where left out.
    """

    steps: int = 16
    seed: int = 0
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not STEPS[0] <= self.steps <= STEPS[1]:
            raise UserError(f"A curve takes {STEPS[0]} to {STEPS[1]} steps, not {self.steps}.")
        if self.seed < 0:
            raise UserError(f"The seed must be 0 or more, not {self.seed}.")

    def of(self, name: str) -> dict[str, Any]:
        """The settings of a method."""
        return dict(self.settings.get(name, {}))
