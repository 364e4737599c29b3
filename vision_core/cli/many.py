"""``evaluate --photos``: models over a folder or a zip file of photos."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vision_core.cli import options, places
from vision_core.cli.output import (
    STDOUT,
    cannot_write,
    json_stream,
    table,
    write_json,
    write_whole,
)
from vision_core.errors import UserError

if TYPE_CHECKING:
    from vision_core.gallery.run import Progress
    from vision_core.gallery.sources import Photos
    from vision_core.models import Card

_BOXES = ("detection", "instance", "keypoint", "pose")
_EVERY = 10.0  # seconds between two lines of progress where no terminal shows one that changes


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options that belong to ``--photos``."""
    group = parser.add_argument_group("many photos")
    group.add_argument("--photos", type=Path, metavar="DIR", help="a folder or a zip file")
    group.add_argument(
        "--model", dest="models", nargs="+", metavar="NAME", help="one to four of the catalogue"
    )
    group.add_argument("--truth", type=Path, metavar="COCO.json", help="what is really there")
    group.add_argument("--score", type=float, metavar="S", help="threshold of detectors, 0 to 1")
    group.add_argument(
        "--out",
        type=Path,
        metavar="RECORDS.jsonl",
        help="a record for each photo; if the file is there already, its photos are not run again",
    )
    group.add_argument("--csv", type=Path, metavar="FILE", help="a row for each photo")
    group.add_argument(
        "--coco",
        type=Path,
        metavar="FILE.json",
        help="boxes as COCO annotations; several models give FILE-MODEL.json",
    )
    group.add_argument("--report", type=Path, metavar="OUT.html", help="totals and a gallery")
    places.reads(parser, "truth")
    for dest in ("out", "csv", "coco", "report"):
        places.writes(parser, dest)


def run(args: argparse.Namespace) -> int:
    """Run the models, then write what was asked for; 2 if no photo could be read."""
    cards = _check(args)
    from vision_core.gallery.sources import Photos

    with ExitStack() as stack:
        photos = stack.enter_context(Photos(args.photos))
        truth = None if args.truth is None else _bytes(args.truth)
        out = args.out
        if out is None:
            out = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "records.jsonl"
        if not _run(args, photos, out, truth):
            return 130
        names = [card.name for card in cards]
        summary = _write(args, photos, out, truth, names)
    if args.json is not None:
        with json_stream(args.json) as stream:
            write_json(stream, summary, indent=1)
    if args.json != STDOUT:
        print("\n".join(_words(summary)))
    return 0 if summary["photos"] else 2


def _check(args: argparse.Namespace) -> list[Card]:
    """Refuse what cannot work before any network is loaded.

    Raises:
        UserError: saying what.
    """
    from vision_core.models import card
    from vision_core.models.weights import require
    from vision_core.records import Thresholds

    if args.model or args.data or args.weights or args.write_card:
        raise UserError(
            "--photos takes its networks from --model; leave MODEL, --data, --weights and "
            "--write-card out."
        )
    names = args.models or []
    if not 1 <= len(names) <= 4 or len(set(names)) < len(names):
        raise UserError("--photos needs one to four different networks; name them with --model.")
    options.check_device(args.device)
    if args.score is not None:
        Thresholds(score=args.score)
    cards = [card(name) for name in names]
    for one in cards:
        require(one)
        for option in ("truth", "coco"):
            if getattr(args, option) is not None and one.task not in _BOXES:
                raise UserError(f"--{option} needs networks that find boxes; {one.name} does not.")
    if args.report is not None and args.report.suffix.lower() not in (".html", ".htm"):
        raise UserError(f"{args.report} is no HTML file name; end it in .html.")
    return cards


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}); check the path.") from None


def _run(args: argparse.Namespace, photos: Photos, out: Path, truth: bytes | None) -> bool:
    """Whether all photos were done; photos that are skipped are told as they come."""
    from vision_core import devices
    from vision_core.gallery.run import run
    from vision_core.models import load

    devices.resolve(args.device)
    models = [load(name, device=args.device) for name in args.models]
    teller, done = _Teller(), 0
    try:
        for progress in run(photos, models, out, truth, args.score):
            done = progress.done
            teller.tell(progress)
    except KeyboardInterrupt:
        kept = "the same command goes on from there" if args.out else "--out would keep them"
        print(f"\nStopped after {done} of {len(photos.names)} photos; {kept}.", file=sys.stderr)
        return False
    teller.end()
    return True


class _Teller:
    """Progress on standard error: one line that changes, or one now and then."""

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()
        self._last = time.monotonic()
        self._width = 0

    def tell(self, progress: Progress) -> None:
        record = progress.record
        skipped = [record["error"]] if "error" in record else []
        skipped += [m["error"] for m in record.get("models", {}).values() if "error" in m]
        for sentence in skipped:
            self.end()
            print(sentence, file=sys.stderr)
        now = time.monotonic()
        if self._live or now - self._last >= _EVERY:
            text = progress.words
            lead, close = ("\r", "") if self._live else ("", "\n")
            print(lead + text.ljust(self._width), end=close, file=sys.stderr, flush=True)
            self._width, self._last = (len(text) if self._live else 0), now

    def end(self) -> None:
        if self._live and self._width:
            print("\r" + " " * self._width + "\r", end="", file=sys.stderr, flush=True)
            self._width = 0


def _write(
    args: argparse.Namespace, photos: Photos, out: Path, truth: bytes | None, names: list[str]
) -> dict[str, Any]:
    from vision_core.comparison.annotations import CocoFile
    from vision_core.gallery import files
    from vision_core.gallery.run import records
    from vision_core.gallery.totals import totals

    summary = totals(records(out), names)
    known = None if truth is None else CocoFile(truth)
    try:
        if args.csv is not None:
            with open(args.csv, "w", encoding="utf-8", newline="") as stream:
                files.write_csv(stream, records(out), names)
        if args.coco is not None:
            for name in names:
                path = args.coco if len(names) == 1 else _beside(args.coco, name)
                places.check_output(args, path)
                with open(path, "w", encoding="utf-8") as stream:
                    files.write_coco(stream, lambda: records(out), name, known)
    except OSError as error:
        raise UserError(cannot_write(error.filename or args.csv or args.coco, error)) from None
    if args.report is not None:
        from vision_core.gallery.html import gallery_html

        title = f"{', '.join(names)} on {args.photos.name or 'photos'}"
        write_whole(args.report, gallery_html(photos, lambda: records(out), summary, title))
    return summary


def _beside(path: Path, name: str) -> Path:
    return path.with_stem(f"{path.stem}-{name}")


def _words(summary: dict[str, Any]) -> list[str]:
    """A table of the models, and what concerns all of them."""
    lines = [f"{summary['photos']} photos, {summary['skipped']} skipped"]
    if any("kinds" in entry for entry in summary["models"]):
        lines[0] += f", {summary['with_truth']} with true boxes"
    rows = [("MODEL", "BOXES", "FAILED", "DOUBT", "AP50")]
    for entry in summary["models"]:
        numbers = (entry["doubt"], entry.get("AP50"))
        told = ["-" if value is None else f"{value:.4f}" for value in numbers]
        rows.append((entry["name"], str(entry["boxes"]), str(entry["failed"]), told[0], told[1]))
    lines.append(table(rows, right=(1, 2, 3, 4)))
    for entry in summary["models"]:
        if "kinds" in entry:
            kinds = ", ".join(f"{count} {kind}" for kind, count in entry["kinds"].items())
            lines.append(f"{entry['name']}: {kinds}")
    if summary["disagreement"] is not None:
        lines.append(f"mean disagreement: {summary['disagreement']:.4f}")
    return lines
