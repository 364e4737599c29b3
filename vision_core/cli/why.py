"""``why``: what became of an object that is not, or is, among the detections."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import Any

from vision_core.cli import options, places
from vision_core.cli.output import add_json, json_stream, write_json
from vision_core.errors import UserError


def register(subparsers: Any) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser("why", help="explain why a box is missing")
    parser.add_argument("image", metavar="IMAGE", help="file, or - for standard input")
    place = parser.add_mutually_exclusive_group(required=True)
    place.add_argument("--box", metavar="X1,Y1,X2,Y2", help="in pixels of the decoded photo")
    place.add_argument("--spot", metavar="X,Y", help="a point on the object instead")
    parser.add_argument("--label", metavar="NAME", help="ask for this class only")
    options.add_model(parser)
    options.add_thresholds(parser)
    add_json(parser, bare=False)
    places.reads(parser, "image", "IMAGE", dash=True)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the sentence; ``--json`` writes it with its facts."""
    from vision_core.cli.photos import read_photo

    given = options.given_thresholds(args)
    spot = options.numbers(args.spot, 2, "--spot X,Y") if args.spot else None
    box = options.numbers(args.box, 4, "--box X1,Y1,X2,Y2") if args.box else None

    entry = options.check_model(args)
    if entry.task in ("classification", "segmentation"):
        raise UserError(f"{entry.name} gives no boxes to ask about; choose a detector.")
    photo = read_photo(args.image)

    from vision_core.export import image_record, strict
    from vision_core.inference import DetectionTrace, trace
    from vision_core.selection.why import why_box, why_spot

    model = options.load_model(args)
    options.check_classes(args.classes, model.card)
    traced = trace(model, photo)
    assert isinstance(traced, DetectionTrace)
    selection = traced.select(replace(traced.defaults, **given))
    if box is not None:
        answer = why_box(selection, box, args.label)
    else:
        assert spot is not None
        answer = why_spot(selection, spot[0], spot[1], args.label)
    if args.json is not None:
        record = {
            "model": model.name,
            "image": image_record(photo),
            "thresholds": selection.thresholds.as_dict(),
            "box": box,
            "spot": spot,
            "label": args.label,
            "sentence": answer.sentence,
            "fate": answer.fate,
            "candidate": answer.candidate,
            "facts": dict(answer.facts),
        }
        with json_stream(args.json) as stream:
            write_json(stream, strict(record))
    if args.json != "-":
        print(answer.sentence)
    return 0
