"""``weights list | download NAME... | download --lecture | verify [NAME...]``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vision_core.cli.output import add_json, json_stream, megabytes, table, write_json
from vision_core.errors import UserError

if TYPE_CHECKING:
    from vision_core.models import Card


def register(subparsers: Any) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser("weights", help="list, download or verify weights files")
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="which weights are on this machine")
    listing.set_defaults(run=run_list)
    fetching = actions.add_parser("download", help="download weights, for example before a lecture")
    fetching.add_argument(
        "names", nargs="*", metavar="NAME", help="name of a model; the command models lists them"
    )
    fetching.add_argument(
        "--lecture", action="store_true", help="one full-size model of each task, the fast ones"
    )
    fetching.set_defaults(run=run_download)
    checking = actions.add_parser("verify", help="compare the files here with their hashes")
    checking.add_argument("names", nargs="*", metavar="NAME", help="all that are here if left out")
    checking.set_defaults(run=run_verify)
    for action in (listing, fetching, checking):
        action.add_argument(
            "--folder",
            type=Path,
            metavar="DIR",
            help="where else to look; where download puts the files",
        )
    add_json(listing)
    add_json(checking)


def run_list(args: argparse.Namespace) -> int:
    """Name, status, size and place of every model's weights."""
    from vision_core.models import cards, find, status

    rows: list[dict[str, Any]] = [
        {
            "name": card.name,
            "status": status(card, args.folder),
            "bytes": card.bytes,
            "file": None if (file := find(card, args.folder)) is None else str(file),
            "url": card.url,
        }
        for card in cards()
    ]
    if args.json is not None:
        with json_stream(args.json) as stream:
            write_json(stream, rows, indent=1)
        return 0
    head = ("NAME", "STATUS", "SIZE", "FILE")
    lines = [(r["name"], r["status"], megabytes(r["bytes"]), r["file"] or "") for r in rows]
    print(table([head, *lines], right=(2,)))
    return 0


def run_download(args: argparse.Namespace) -> int:
    """Fetch one model after the other; one that fails does not stop the others."""
    from vision_core.models import card, download
    from vision_core.models.weights import LECTURE_SET, find

    names = [*args.names, *(LECTURE_SET if args.lecture else ())]
    if not names:
        raise UserError(
            "Name a model to download, or give --lecture for those of a lecture (see --help)."
        )
    wanted = [card(name) for name in dict.fromkeys(names)]  # wrong names first
    missing = [entry for entry in wanted if find(entry, args.folder) is None]
    if len(missing) > 1:
        total = megabytes(sum(entry.bytes for entry in missing))
        print(f"{len(missing)} files, {total} in all", file=sys.stderr)
    failed = 0
    for entry in wanted:
        try:
            file = download(entry, args.folder, _progress(entry))
        except UserError as error:
            print(error, file=sys.stderr)
            failed += 1
        else:
            print(f"{entry.name}: {file}")
    return 2 if failed else 0


def _progress(card: Card) -> Callable[[int, int], None]:
    """Prints to standard error: a line that rewrites itself on a terminal, else every tenth."""
    last = -1

    def show(done: int, total: int) -> None:
        nonlocal last
        percent = 100 * done // total
        terminal = sys.stderr.isatty()
        if percent == last or (not terminal and percent // 10 == last // 10):
            return
        last = percent
        end = "\n" if done >= total or not terminal else ""
        start = "\r" if terminal else ""
        text = f"{start}{card.name}: {percent} % of {megabytes(total)}"
        print(text, end=end, file=sys.stderr, flush=True)

    return show


def run_verify(args: argparse.Namespace) -> int:
    """Check the named models, or every model whose weights are here; 2 if one is damaged."""
    from vision_core.models import card, cards, find, verify

    named = [card(name) for name in args.names]
    rows: list[dict[str, Any]] = []
    for entry in named or cards():
        file = find(entry, args.folder)
        if file is None:
            if named or entry.bundled:
                rows.append(
                    _row(
                        entry,
                        None,
                        f"The weights of {entry.name} are not here; run "
                        f"python -m vision_core weights download {entry.name}.",
                    )
                )
            continue
        try:
            verify(entry, file)
            rows.append(_row(entry, file, None))
        except UserError as error:
            rows.append(_row(entry, file, str(error)))
    _report(rows, args.json)
    return 2 if any(row["error"] for row in rows) else 0


def _row(card: Card, file: Path | None, error: str | None) -> dict[str, Any]:
    return {"name": card.name, "file": str(file) if file else None, "ok": not error, "error": error}


def _report(rows: list[dict[str, Any]], path: str | None) -> None:
    if path is not None:
        with json_stream(path) as stream:
            write_json(stream, rows, indent=1)
    for row in rows:
        if row["error"]:
            print(row["error"], file=sys.stderr)
        elif path is None:
            print(f"{row['name']}: as published ({row['file']})")
