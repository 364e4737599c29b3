"""Where every record of a growing file lies, so that a few of many can be shown in any order."""

from __future__ import annotations

import heapq
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vision_core.gallery.totals import Totals

ORDERS = ("disagreement", "errors", "doubt", "name")
"""By which photos are shown: the greatest first, or by name."""


@dataclass(frozen=True, slots=True)
class Place:
    """One photo of a file of records.

    Attributes:
        photo: its name.
        at: where its record starts, bytes.
        disagreement, errors, doubt: see ``photo_record``; ``None`` where there is none.
        error: why it was skipped; empty where it was not.
    """

    photo: str
    at: int
    disagreement: float | None = None
    errors: int | None = None
    doubt: float | None = None
    error: str = ""


class Index:
    """A file of records that is read once, although it grows.

    Of each photo a name and four numbers stay in memory, of each detection a score.

    Attributes:
        path: of the file.
        places: of the photos that were looked at, in the file's order.
        skipped: those that could not be read.
    """

    def __init__(self, path: Path, models: Sequence[str]) -> None:
        self.path = path
        self.places: list[Place] = []
        self.skipped: list[Place] = []
        self._totals = Totals(models)
        self._end = 0

    def update(self) -> None:
        """Read what was added since; a last line that is not whole yet waits."""
        if not self.path.exists():
            return
        with open(self.path, "rb") as stream:
            if not self._end:
                first = stream.readline()
                self._end = len(first) if first.endswith(b"\n") else 0
            stream.seek(self._end)
            for line in stream if self._end else ():
                if not line.endswith(b"\n"):
                    break
                self._add(json.loads(line))
                self._end += len(line)

    def _add(self, record: dict[str, Any]) -> None:
        self._totals.add(record)
        name = record["photo"]
        if "error" in record:
            self.skipped.append(Place(name, self._end, error=record["error"]))
            return
        numbers = (record[key] for key in ("disagreement", "errors", "doubt"))
        self.places.append(Place(name, self._end, *numbers))

    def totals(self) -> dict[str, Any]:
        """See ``vision_core.gallery.totals.totals``."""
        return self._totals.told()

    def orders(self) -> tuple[str, ...]:
        """Those of ``ORDERS`` for which there are numbers."""
        return tuple(
            order
            for order in ORDERS
            if order == "name" or any(getattr(p, order) is not None for p in self.places)
        )

    def ordered(self, order: str, start: int, count: int) -> list[Place]:
        """Some places by falling ``order``, equal ones by name; without a number: at the end.

        Args:
            order: one of ``ORDERS``.
            start: how many are passed over.
            count: how many are wanted at most.
        """

        def key(place: Place) -> tuple[float, str]:
            value = None if order == "name" else getattr(place, order)
            return (0.0 if order == "name" else 1.0 if value is None else -value, place.photo)

        return heapq.nsmallest(start + count, self.places, key)[start:]

    def record(self, place: Place) -> dict[str, Any]:
        """The whole record of a photo."""
        with open(self.path, "rb") as stream:
            stream.seek(place.at)
            found: dict[str, Any] = json.loads(stream.readline())
        return found
