"""Many photos, one record after the other in a file; a run that was stopped goes on."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from vision_core.comparison.annotations import CocoFile
from vision_core.errors import UserError
from vision_core.gallery.records import photo_record
from vision_core.gallery.sources import Photos
from vision_core.models import Model

FORMAT = 1


@dataclass(frozen=True)
class Progress:
    """How far a gallery is.

    Attributes:
        done, total: photos.
        left: seconds to go, from the photos of this run.
        record: of the photo that was done last.
    """

    done: int
    total: int
    left: float
    record: dict[str, Any]

    @property
    def words(self) -> str:
        """For example *12 of 300 photos, 3 min to go*."""
        return f"{self.done} of {self.total} photos, {duration(self.left)} to go"


def duration(seconds: float) -> str:
    """A time in words: *12 s*, *3 min*, *1 h 5 min*."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def header(models: Sequence[Model], truth: bytes | None, score: float | None) -> dict[str, Any]:
    """What all records of a file have in common; its first line."""
    import hashlib

    return {
        "gallery": FORMAT,
        "models": [
            {"name": m.name, "task": m.card.task, "fingerprint": m.fingerprint} for m in models
        ],
        "score": score,
        "truth": None if truth is None else hashlib.sha256(truth).hexdigest(),
    }


def run(
    photos: Photos,
    models: Sequence[Model],
    path: Path,
    truth: bytes | None = None,
    score: float | None = None,
) -> Iterator[Progress]:
    """Append the record of every photo that the file has not; nothing but names is kept in memory.

    A photo that cannot be read gets a record with ``error``. Photos go by their names: whether a
    file changed since its record was made is not looked at.

    Args:
        photos: where they come from.
        models: one or more, each once.
        path: of the JSON-lines file; made where there is none.
        truth: a COCO annotation file; a photo that is not in it has no truth.
        score: threshold of the detectors; each one's own if ``None``.

    Raises:
        UserError: the file is of another gallery or cannot be written, or the truth is none.
    """
    known = None if truth is None else CocoFile(truth)
    try:
        stream = open(path, "a+b")
    except OSError as error:
        raise UserError(
            f"{path} cannot be written ({error.strerror}); choose another place."
        ) from None
    with stream:
        done = _resume(stream, path, header(models, truth, score))
        left = [name for name in photos.names if name not in done]
        start, before = time.monotonic(), len(photos.names) - len(left)
        for number, name in enumerate(left, 1):
            made = _one(photos, name, models, known, score)
            _append(stream, made)
            rate = (time.monotonic() - start) / number
            yield Progress(before + number, len(photos.names), rate * (len(left) - number), made)


def _one(
    photos: Photos,
    name: str,
    models: Sequence[Model],
    known: CocoFile | None,
    score: float | None,
) -> dict[str, Any]:
    try:
        photo = photos.photo(name)
        truth = None
        if known is not None and (image := known.find(name)) is not None:
            truth = known.truth(image, photo.width, photo.height)
    except UserError as error:
        return {"photo": name, "error": str(error)}
    return photo_record(name, photo, models, truth, score)


def _append(stream: IO[bytes], value: dict[str, Any]) -> None:
    """One line in one piece, so that whoever is stopped leaves whole lines or the start of one."""
    stream.write(json.dumps(value, allow_nan=False).encode() + b"\n")
    stream.flush()


def _resume(stream: IO[bytes], path: Path, wanted: dict[str, Any]) -> set[str]:
    """Cut a line that was not finished, and name the photos that are done.

    Raises:
        UserError: the file is no gallery's, or that of other models, thresholds or truth.
    """
    stream.seek(0)
    first = stream.readline()
    if not first.endswith(b"\n") and json.dumps(wanted).encode().startswith(first):
        stream.truncate(0)
        _append(stream, wanted)
        return set()
    if _header(first, path) != wanted:
        raise UserError(
            f"{path} holds records of other models, another threshold or another truth; name "
            "another file, or delete it."
        )
    done, end = set(), len(first)
    for number, line in enumerate(stream, 2):
        if not line.endswith(b"\n"):
            break
        done.add(str(_record(line, path, number)["photo"]))
        end += len(line)
    stream.truncate(end)
    return done


def records(path: Path) -> Iterator[dict[str, Any]]:
    """The records of a file, one at a time, without a last one that was not finished.

    Raises:
        UserError: it is no such file.
    """
    with open(path, "rb") as stream:
        _header(stream.readline(), path)
        for number, line in enumerate(stream, 2):
            if line.endswith(b"\n"):
                yield _record(line, path, number)


def head(path: Path) -> dict[str, Any]:
    """The first line of a file, see ``header``.

    Raises:
        UserError: it is no such file.
    """
    with open(path, "rb") as stream:
        return _header(stream.readline(), path)


def _header(line: bytes, path: Path) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or found.get("gallery") != FORMAT:
        raise UserError(f"{path} is no file of records that a gallery wrote; name another file.")
    return found


def _record(line: bytes, path: Path, number: int) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or "photo" not in found:
        raise UserError(f"Line {number} of {path} is no record of a photo; delete that line.")
    return found
