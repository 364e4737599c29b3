"""Files that a command reads and writes, checked in one place before any command runs.

A command names them with ``reads`` and ``writes`` while it builds its parser. No PyTorch here: a
wrong path is told at once.
"""

from __future__ import annotations

import argparse
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vision_core.errors import UserError

DASH = "-"  # standard input or output


@dataclass(frozen=True)
class FilePlace:
    """An argument that names files: where it is kept, what users call it, what it takes."""

    dest: str
    option: str
    output: bool
    dash: bool
    folder: bool


def reads(parser: Any, dest: str, option: str = "", dash: bool = False) -> None:
    """Say that an argument names files to read; ``dash``: ``-`` is standard input."""
    _add(parser, FilePlace(dest, option or f"--{dest}", False, dash, False))


def writes(
    parser: Any, dest: str, option: str = "", dash: bool = False, folder: bool = False
) -> None:
    """Say that an argument names a file to write; ``folder``: it may name a folder instead."""
    _add(parser, FilePlace(dest, option or f"--{dest}", True, dash, folder))


def _add(parser: Any, place: FilePlace) -> None:
    parser.set_defaults(places=(*(parser.get_default("places") or ()), place))


def check(args: argparse.Namespace) -> None:
    """Refuse files that cannot be read, and outputs that would destroy an input or an output.

    Links are followed, and hard links count as the file that they are.

    Raises:
        UserError: naming the option and the file.
    """
    taken: dict[Any, str] = {}
    dashes: dict[bool, str] = {}
    named = list(_named(args))
    several = len(getattr(args, "images", ())) > 1
    for place, name in named:
        if name == DASH:
            _check_dash(place, dashes)
        elif not place.output:
            if not (several and place.dest == "images"):  # each of several has its own error
                check_input(name)
            taken.update(dict.fromkeys(_identities(Path(name)), "which this command reads"))
    for place, name in named:
        if place.output and name != DASH:
            path = Path(name)
            for one in _identities(path):
                if one in taken:
                    raise UserError(
                        f"{place.option} would overwrite {name}, {taken[one]}; name another file."
                    )
            _check_output(path, place.folder)
            for one in _identities(path):
                taken[one] = f"which is also the output of {place.option}"


def check_output(args: argparse.Namespace, path: Path) -> None:
    """Refuse one more output, whose name a command made itself, where it lies on an input.

    Raises:
        UserError: naming the file.
    """
    for place, name in _named(args):
        if not place.output and name != DASH and _identities(Path(name)) & _identities(path):
            raise UserError(
                f"The output would overwrite {path}, which this command reads; name another file."
            )


def check_input(name: str | Path) -> None:
    """Refuse what is no file; a pipe could stay open without an end.

    Raises:
        UserError: naming the file.
    """
    try:
        mode = os.stat(name).st_mode
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"{name} cannot be read ({reason}); check the path.") from None
    if stat.S_ISDIR(mode):
        raise UserError(f"{name} cannot be read (Is a directory); check the path.")
    if not stat.S_ISREG(mode):
        raise UserError(f"{name} cannot be read (it is a pipe or a device); save it as a file.")


def _named(args: argparse.Namespace) -> Iterator[tuple[FilePlace, str]]:
    for place in getattr(args, "places", ()):
        value = getattr(args, place.dest, None)
        for one in value if isinstance(value, list) else [value]:
            if one is not None:
                yield place, str(one)


def _check_dash(place: FilePlace, dashes: dict[bool, str]) -> None:
    stream = "output" if place.output else "input"
    if not place.dash:
        raise UserError(f"{place.option} cannot use standard {stream}; name a file.")
    if place.output in dashes:
        raise UserError(
            f"Standard {stream} serves once, not for {dashes[place.output]} and "
            f"{place.option}; name a file."
        )
    dashes[place.output] = place.option


def _check_output(path: Path, folder: bool) -> None:
    if path.is_dir():
        if folder:
            return
        raise UserError(f"{path} cannot be written (it is a folder); choose another place.")
    parent = path.resolve().parent
    if not parent.is_dir():
        raise UserError(
            f"{path} cannot be written (there is no folder {path.parent}); choose another place."
        )
    if not os.access(path if path.exists() else parent, os.W_OK):
        raise UserError(f"{path} cannot be written (no permission); choose another place.")


def _identities(path: Path) -> set[Any]:
    """The resolved path, and the numbers of a file that exists; none of a device like /dev/null."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return {os.path.realpath(path)}
    if not stat.S_ISREG(found.st_mode):
        return set()
    return {os.path.realpath(path), (found.st_dev, found.st_ino)}
