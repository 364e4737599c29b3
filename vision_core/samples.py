"""The sample photos of ``assets/samples``; ``samples.json`` names author, licence and source."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from pathlib import Path

from vision_core.errors import UserError
from vision_core.images import Photo, decode

ASSETS = Path(__file__).resolve().parents[1] / "assets" / "samples"


@dataclass(frozen=True)
class Sample:
    """A photo that comes with the app.

    Attributes:
        name: what the user picks.
        file: where it lies.
        title: a line below the picture.
        author: who made it.
        licence: the terms: public domain, CC0, or CC BY.
        source: the package that it was taken from, unchanged, and where the photo is on the web.
        shows: class names that are right for it; empty where no bundled classifier knows one.
    """

    name: str
    file: Path
    title: str
    author: str
    licence: str
    source: str
    shows: tuple[str, ...] = ()

    @property
    def credit(self) -> str:
        """Author and terms, as they stand below the picture."""
        return f"{self.author}, {self.licence}, from {self.source.partition(',')[0]}"


def _listed() -> tuple[Sample, ...]:
    """The rows of ``samples.json``, in its order."""
    rows = json.loads((ASSETS / "samples.json").read_text("utf-8"))
    return tuple(
        Sample(**{**row, "file": ASSETS / row["file"], "shows": tuple(row["shows"])})
        for row in rows
    )


SAMPLES: tuple[Sample, ...] = _listed()


def names() -> tuple[str, ...]:
    """The names of all samples, the one that opens first at the head."""
    return tuple(sample.name for sample in SAMPLES)


def info(name: str) -> Sample:
    """Title and credit of a sample.

    Raises:
        UserError: there is no such sample.
    """
    for candidate in SAMPLES:
        if candidate.name == name:
            return candidate
    raise UserError(f"There is no sample photo called {name!r}; choose {', '.join(names())}.")


@functools.cache
def sample(name: str) -> Photo:
    """A sample photo, decoded once.

    Raises:
        UserError: there is no such sample.
    """
    entry = info(name)
    return decode(entry.file.read_bytes(), entry.file.name)
