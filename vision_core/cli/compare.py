"""``compare``: two to four models on one photo, and what differs between them."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from vision_core.cli import options
from vision_core.cli.output import add_json, json_stream, write_json

if TYPE_CHECKING:
    from vision_core.comparison.report import Column


def register(subparsers: Any) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser("compare", help="compare models on a photo")
    parser.add_argument("image", metavar="IMAGE", help="file, or - for standard input")
    parser.add_argument("--models", nargs="+", required=True, metavar="NAME", help="two to four")
    parser.add_argument("--device", default="auto", help=f"one of {', '.join(options.DEVICES)}")
    options.add_thresholds(parser)
    add_json(parser, bare=False)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print a line for each model and each pair; ``--json`` writes all of it."""
    given = options.given_thresholds(args)

    from vision_core import devices
    from vision_core.cli.predicting import read_photo
    from vision_core.comparison.report import columns, pairs, record

    photo = read_photo(args.image)
    devices.resolve(args.device)
    found = columns(args.models, photo, given, args.device)
    differences = pairs(found)
    if args.json is not None:
        with json_stream(args.json) as stream:
            write_json(stream, record(photo, found, differences))
    if args.json != "-":
        for entry in found:
            print(f"{entry.card.name}: {entry.error or _words(entry)}")
        for pair in differences:
            print(f"{pair['a']} and {pair['b']}: {_difference(pair)}")
    return 2 if all(entry.error for entry in found) else 0


def _words(entry: Column) -> str:
    from vision_core.inference import ClassificationTrace, SegmentationTrace

    if entry.selection is not None:
        return f"{len(entry.selection.detections)} detections"
    if isinstance(entry.trace, ClassificationTrace):
        name, probability = entry.trace.top(1)[0]
        return f"{name} {probability:.3f}"
    assert isinstance(entry.trace, SegmentationTrace)
    return ", ".join(f"{n} {c:,} pixels" for n, c in entry.trace.pixel_counts().items())


def _difference(pair: dict[str, Any]) -> str:
    if "reason" in pair:
        return str(pair["reason"])
    if "f1" in pair:
        counts = {k: len(pair[k]) for k in ("both", "other_class", "shifted", "only_a", "only_b")}
        told = ", ".join(f"{n} {k.replace('_', ' ')}" for k, n in counts.items())
        return f"{told}; F1 {pair['f1']:.2f}"
    if "agreement" in pair:
        return f"{pair['agreement']:.1%} of the pixels agree"
    return "the same class first" if pair["same_top"] else "another class first"
