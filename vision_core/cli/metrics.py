"""``metrics``: how good a network's answer is on one photo whose truth is known."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from vision_core.cli import options, places
from vision_core.cli.output import STDOUT, add_json, json_stream, write_json
from vision_core.errors import UserError

_SEGMENTER = "segmentation"
_DETECTORS = ("detection", "instance", "keypoint", "pose")


def register(subparsers: Any) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser("metrics", help="score a network on a photo with a known truth")
    parser.add_argument("image", metavar="IMAGE", help="file, or - for standard input")
    parser.add_argument(
        "--truth",
        type=Path,
        metavar="FILE",
        required=True,
        help="a detector: COCO annotations; a segmenter: a PNG of class indices or colours",
    )
    parser.add_argument("--iou", type=float, default=0.5, metavar="T", help="of a hit, 0 to 1")
    options.add_model(parser)
    add_json(parser, bare=False)
    places.reads(parser, "image", "IMAGE", dash=True)
    places.reads(parser, "truth")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the scores; ``--json`` writes all numbers.

    Raises:
        UserError: the network has neither boxes nor a class map, or the truth cannot be read.
    """
    if not 0 <= args.iou <= 1:
        raise UserError(f"--iou must lie between 0 and 1, not {args.iou:g}.")
    entry = options.check_model(args)
    if entry.task not in (*_DETECTORS, _SEGMENTER):
        raise UserError(f"{entry.name} has neither boxes nor a class map to score.")
    from vision_core.cli.photos import read_photo

    photo = read_photo(args.image)
    told = (_pixels if entry.task == _SEGMENTER else _boxes)(args, photo)

    from vision_core.export import image_record, strict

    told = {"model": entry.name, "image": image_record(photo), **told}
    if args.json is not None:
        with json_stream(args.json) as stream:
            write_json(stream, strict(told))
    if args.json != STDOUT:
        print("\n".join(_words(told)))
    return 0


def _boxes(args: argparse.Namespace, photo: Any) -> dict[str, Any]:
    from vision_core.cli.photos import read_truth

    truth = read_truth(args.truth, photo)
    from vision_core.inference import DetectionTrace, trace
    from vision_core.metrics.report import boxes_record

    made = trace(options.load_model(args), photo)
    assert isinstance(made, DetectionTrace)
    return boxes_record(made, truth, args.iou)


def _pixels(args: argparse.Namespace, photo: Any) -> dict[str, Any]:
    from vision_core.metrics.class_maps import read_class_picture

    try:
        data = args.truth.read_bytes()
    except OSError as error:
        raise UserError(
            f"{args.truth} cannot be read ({error.strerror}); check the path."
        ) from None
    picture = read_class_picture(data, photo.width, photo.height)
    from vision_core.inference import SegmentationTrace, trace
    from vision_core.metrics.report import pixels_record

    made = trace(options.load_model(args), photo)
    assert isinstance(made, SegmentationTrace)
    meaning = picture.guesses(made.info.labels)
    means = {picture.word(v): made.info.labels[i] for v, i in meaning.items() if i >= 0}
    return {"values": means, **pixels_record(made, picture.truth(meaning))}


def _words(told: dict[str, Any]) -> list[str]:
    """A few lines for the terminal."""
    if "scores" in told:
        lines = [f"{name}: {_number(value)}" for name, value in told["scores"].items()]
        return lines + [
            f"IoU of {c['label']}: {_number(c['IoU (Jaccard)'])}" for c in told["classes"]
        ]
    point = told["working_point"]
    lines = [
        f"above a score of {told['score']:g}: precision {point['precision']:.3f}, "
        f"recall {point['recall']:.3f}, F1 {point['f1']:.3f}",
        ", ".join(f"{count} {kind}" for kind, count in told["kinds_of_error"].items()),
    ]
    for name, areas in told["average_precision"].items():
        lines.append(
            f"AP of {name}: {areas['eleven_point']:.3f} (11 points), {areas['all_point']:.3f} (all "
            f"points), {areas['hundred_one_point']:.3f} (101 points)"
        )
    if told["calibration"] is not None:
        lines.append(f"expected calibration error: {told['calibration']['error']:.3f}")
    return lines


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.3f}"
