"""What the commands share: strict JSON to a file or standard output, and text tables."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from vision_core.cli import places
from vision_core.errors import UserError

STDOUT = "-"


def add_json(parser: argparse.ArgumentParser, bare: bool = True) -> None:
    """The option ``--json PATH``; where ``bare`` it may stand alone for standard output.

    A command with file arguments must not be bare: ``--json photo.png`` would take the photo.
    """
    text = "write JSON to PATH, or to standard output alone for -"
    if bare:
        parser.add_argument("--json", nargs="?", const=STDOUT, metavar="PATH", help=text)
    else:
        parser.add_argument("--json", metavar="PATH", help=text)
    places.writes(parser, "json", dash=True)


@contextmanager
def json_stream(path: str) -> Iterator[IO[str]]:
    """Standard output for ``-``, else a new file.

    Raises:
        UserError: the file cannot be written.
    """
    if path == STDOUT:
        yield sys.stdout
        return
    try:
        stream = open(path, "w", encoding="utf-8")
    except OSError as error:
        raise UserError(cannot_write(path, error)) from None
    with stream:
        yield stream


def write_whole(path: Path, text: str) -> None:
    """Write a text file beside its place, then rename it: nobody ever meets half a file.

    Raises:
        UserError: the file cannot be written.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise UserError(cannot_write(path, error)) from None


def write_json(stream: IO[str], value: Any, indent: int | None = None) -> None:
    """One JSON text and a line break; NaN and infinity are refused (``ValueError``)."""
    stream.write(json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent) + "\n")
    stream.flush()


def cannot_write(path: str | Path, error: OSError) -> str:
    """The sentence for a file that cannot be written."""
    return f"{path} cannot be written ({error.strerror or error}); choose another place."


def table(rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> str:
    """Rows as aligned columns; ``right`` lists the columns that are flush right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))] if rows else []
    lines = []
    for row in rows:
        cells = [
            cell.rjust(w) if i in right else cell.ljust(w)
            for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def megabytes(count: int) -> str:
    """Bytes in words, e.g. ``97.8 MB``."""
    return f"{count / 2**20:.1f} MB"
