"""``race``: the detectors of the lectures on one photo, timed."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vision_core.cli import options, places
from vision_core.cli.output import STDOUT, add_json, json_stream, write_json
from vision_core.errors import UserError

if TYPE_CHECKING:
    from vision_core.race import Contest, Lap

NAMES = ("sliding_window", "rcnn", "fast_rcnn", "faster_rcnn", "fcos_s", "yolo_s")


def register(subparsers: Any) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser("race", help="time the detectors of the lectures on a photo")
    parser.add_argument("image", metavar="IMAGE", help="file, or - for standard input")
    parser.add_argument(
        "--systems", nargs="+", metavar="NAME", help=f"some of {', '.join(NAMES)} (default: all)"
    )
    parser.add_argument(
        "--truth",
        type=Path,
        metavar="COCO.json",
        help="what is really there, for the recall (default: what Faster R-CNN finds)",
    )
    parser.add_argument("--device", default="auto", help=f"one of {', '.join(options.DEVICES)}")
    add_json(parser, bare=False)
    places.reads(parser, "image", "IMAGE", dash=True)
    places.reads(parser, "truth")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print a table; ``--json`` writes stages and detections too.

    Raises:
        UserError: there is no such system, or its network is not here.
    """
    options.check_device(args.device)
    for name in args.systems or ():
        if name not in NAMES:
            raise UserError(f"There is no system {name!r} in the race; choose {', '.join(NAMES)}.")
    from vision_core.cli.photos import read_photo, read_truth

    photo = read_photo(args.image)
    truth = None if args.truth is None else read_truth(args.truth, photo)

    from vision_core.export import image_record, strict
    from vision_core.race.record import record

    contest = _contest(photo, args.device)
    laps = _laps(contest, args.systems)
    entries = record(laps, None if truth is None else truth.boxes)
    if args.json is not None:
        with json_stream(args.json) as stream:
            write_json(stream, strict({"image": image_record(photo), "systems": entries}))
    if args.json != STDOUT:
        for entry in entries:
            ratio = "" if entry["ratio"] is None else f"{entry['ratio']:8.1f}x"
            print(
                f"{entry['title']:18} {entry['seconds']:9.3f} s {ratio:9} "
                f"{entry['boxes_examined']:6,} boxes {len(entry['detections']):4} found"
            )
    return 0


def _contest(photo: Any, device: str) -> Contest:
    from vision_core import models
    from vision_core.race import Contest

    def load(name: str) -> Any:
        return models.load(name, device=device)

    bundled = {card.name for card in models.cards()}
    one_stage = {name: load(name) for name in ("fcos_s", "yolo_s") if name in bundled}
    return Contest(photo, load("faster_rcnn_s"), load("resnet_s"), one_stage)


def _laps(contest: Contest, asked: list[str] | None) -> dict[str, Lap]:
    """The last lap of each system that was asked for, or of all that are here."""
    from vision_core.race import race, selective_search

    names = asked or [n for n in NAMES if n not in ("fcos_s", "yolo_s") or n in contest.one_stage]
    if {"rcnn", "fast_rcnn"} & set(names):
        contest = replace(contest, regions=selective_search(contest.photo))
    return {name: list(race(contest, name))[-1] for name in names}
