"""What is known of each method of a league, and how far the league is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from vision_core import methods
from vision_core.league.boxes import Corners
from vision_core.league.location import energy, pointing
from vision_core.league.maps import InputMap
from vision_core.league.removing import Removal

CONTROL = "edges"
"""A row that is no method: an edge detector, which knows no network."""
PARTS = 4
"""Of the run of a method: map, deletion, insertion, random layer."""


@dataclass(frozen=True, eq=False)
class Competitor:
    """What is known of one method so far.

    Attributes:
        name: of the method, or ``CONTROL``.
        map: its map.
        score: of the target, as the method found it.
        told: the settings that were used.
        notes: what a reader must know, sentences.
        deletion, insertion: curves.
        randomisation: rank correlation of the map with that of a copy with a random layer, signed.
        magnitudes: the same of the magnitudes.
        seconds: for the map, with what it waited for the device.
        forward, backward: pictures that went through the network for the map, and back.
        error: why there is no more, a sentence.
        parts: of its run that are done: map, both curves, random layer.
        passes: of the network for these parts.
    """

    name: str
    map: InputMap | None = None
    score: float = 0.0
    told: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    deletion: Removal | None = None
    insertion: Removal | None = None
    randomisation: float | None = None
    magnitudes: float | None = None
    seconds: float = 0.0
    forward: int = 0
    backward: int = 0
    error: str = ""
    parts: int = 0
    passes: int = 0

    @property
    def finished(self) -> bool:
        """Whether nothing is left to do for it."""
        return bool(self.error) or self.parts == PARTS

    @property
    def title(self) -> str:
        """For a reader."""
        return "Edge detector" if self.control else methods.method(self.name).title

    @property
    def control(self) -> bool:
        """Whether it is no method, and takes no part in the ranking."""
        return self.name == CONTROL

    def scores(self, box: Corners | None) -> dict[str, float | None]:
        """Its scores by the names of ``COLUMNS``; those that need a box are left out without."""
        told: dict[str, float | None] = {}
        if box is not None and self.map is not None:
            told = {"pointing": pointing(self.map, box), "energy": energy(self.map, box)}
        told |= {
            "deletion": None if self.deletion is None else self.deletion.area,
            "insertion": None if self.insertion is None else self.insertion.area,
            "randomisation": None if self.randomisation is None else abs(self.randomisation),
        }
        return told


@dataclass(frozen=True, eq=False)
class Progressing:
    """How far the league is.

    Attributes:
        done, total: passes of the network so far and in all, of methods that did not fail.
        doing: what comes now, in words; empty at the end.
        competitors: all, in their order; those that wait have no map yet.
        measure: what the curves show, in words.
        layer: that has random weights in the test.
    """

    done: int
    total: int
    doing: str
    competitors: tuple[Competitor, ...]
    measure: str = ""
    layer: str = ""
