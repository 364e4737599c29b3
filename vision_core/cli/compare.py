"""``compare``: two to four models on one photo, and what differs between them."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vision_core.cli import options, places
from vision_core.cli.output import STDOUT, add_json, json_stream, write_json, write_whole
from vision_core.errors import UserError

if TYPE_CHECKING:
    from vision_core.comparison.column import Column
    from vision_core.comparison.truth import Truth


def register(subparsers: Any) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser("compare", help="compare models on a photo")
    parser.add_argument("image", metavar="IMAGE", help="file, or - for standard input")
    parser.add_argument("--models", nargs="+", required=True, metavar="NAME", help="two to four")
    parser.add_argument("--device", default="auto", help=f"one of {', '.join(options.DEVICES)}")
    options.add_thresholds(parser)
    parser.add_argument(
        "--truth",
        type=Path,
        metavar="COCO.json",
        help="what is really there: COCO annotations with the photo's boxes",
    )
    group = parser.add_argument_group("output")
    add_json(parser, bare=False)
    group.add_argument(
        "--html",
        type=Path,
        metavar="OUT.html",
        help="the comparison as one file with pictures, model cards and numbers",
    )
    places.reads(parser, "image", "IMAGE", dash=True)
    places.reads(parser, "truth")
    places.writes(parser, "html")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print a line for each model and each pair; ``--json`` and ``--html`` write all of it."""
    from vision_core.cli.photos import read_photo, read_truth
    from vision_core.comparison.names import check_names

    given = options.given_thresholds(args)
    _check_places(args)
    options.check_device(args.device)
    check_names(args.models, args.classes)
    photo = read_photo(args.image)
    truth = None if args.truth is None else read_truth(args.truth, photo)

    from vision_core import devices
    from vision_core.comparison.report import columns, pairs, record

    devices.resolve(args.device)
    found = columns(args.models, photo, given, args.device)
    differences = pairs(found)
    if args.html is not None:
        from vision_core.comparison.html import report_html

        write_whole(args.html, report_html(photo, found, differences, truth=truth))
    if args.json is not None:
        with json_stream(args.json) as stream:
            write_json(stream, record(photo, found, differences, truth))
    if args.json != STDOUT:
        for entry in found:
            print(f"{entry.card.name}: {entry.error or _words(entry, truth) + _time(entry)}")
        for pair in differences:
            print(f"{pair['a']} and {pair['b']}: {_difference(pair)}")
    return 2 if all(entry.error for entry in found) else 0


def _check_places(args: argparse.Namespace) -> None:
    """Refuse a page whose name is none before any network runs.

    Raises:
        UserError: it does not end in .html.
    """
    if args.html is not None:
        if args.html.suffix.lower() not in (".html", ".htm"):
            raise UserError(f"{args.html} is no HTML file name; end it in .html.")


def _words(entry: Column, truth: Truth | None) -> str:
    from vision_core.comparison.report import judged
    from vision_core.inference import ClassificationTrace, SegmentationTrace

    if entry.selection is not None:
        said = _count(len(entry.selection.detections), "detection")
        if truth is None:
            return said
        found = judged(entry.selection, truth)
        return (
            f"{said}; {_count(found['hits'], 'hit')}, "
            f"{_count(found['false_positives'], 'false positive')}, "
            f"{found['misses']} missed: precision {found['precision']:.2f}, "
            f"recall {found['recall']:.2f}, F1 {found['f1']:.2f}"
        )
    if isinstance(entry.trace, ClassificationTrace):
        name, probability = entry.trace.top(1)[0]
        return f"{name} {probability:.3f}"
    assert isinstance(entry.trace, SegmentationTrace)
    return ", ".join(f"{n} {c:,} pixels" for n, c in entry.trace.pixel_counts().items())


def _time(entry: Column) -> str:
    return f"; {sum(entry.stages.values()):,.0f} ms ({entry.how_timed})"


def _difference(pair: dict[str, Any]) -> str:
    if "reason" in pair:
        return str(pair["reason"])
    if "f1" in pair:
        counts = {k: len(pair[k]) for k in ("both", "other_class", "shifted", "only_a", "only_b")}
        told = ", ".join(f"{n} {k.replace('_', ' ')}" for k, n in counts.items())
        return f"{told}; F1 {pair['f1']:.2f}{_joints(pair.get('joints'))}"
    if "agreement" in pair:
        return f"{pair['agreement']:.1%} of the pixels agree"
    return "the same class first" if pair["same_top"] else "another class first"


def _joints(joints: dict[str, Any] | None) -> str:
    if joints is None or joints["oks"] is None:
        return ""
    return (
        f"; {_count(len(joints['shared']), 'joint')} of "
        f"{_count(len(joints['persons']), 'person')}: OKS "
        f"{joints['oks']:.2f}, mean distance {joints['mean_distance']:.2f}"
    )


def _count(number: int, word: str) -> str:
    return f"{number} {word}" + ("" if number == 1 else "s")
