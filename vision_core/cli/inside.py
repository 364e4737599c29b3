"""``inside``: a detector opened at one place of a photo, as numbers."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vision_core.cli import options, places
from vision_core.cli.output import STDOUT, add_json, json_stream, write_json
from vision_core.errors import UserError

if TYPE_CHECKING:
    import numpy as np

    from vision_core.images import Photo


def register(subparsers: Any) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser("inside", help="open a detector at one place of a photo")
    parser.add_argument("image", metavar="IMAGE", help="file, or - for standard input")
    place = parser.add_mutually_exclusive_group(required=True)
    place.add_argument("--at", metavar="X,Y", help="a point, in pixels of the decoded photo")
    place.add_argument("--box", metavar="X1,Y1,X2,Y2", help="a box instead")
    options.add_model(parser)
    group = parser.add_argument_group("how it is taught")
    group.add_argument(
        "--truth",
        type=Path,
        metavar="COCO.json",
        help="what is really there: COCO annotations with the photo's boxes",
    )
    group.add_argument("--high", type=float, metavar="T", help="an anchor is positive from here on")
    group.add_argument("--low", type=float, metavar="T", help="and negative below, IoU 0 to 1")
    group.add_argument("--gamma", type=float, default=2.0, metavar="G", help="of the focal loss")
    group.add_argument("--alpha", type=float, default=0.25, metavar="A", help="0 to 1, its weight")
    group.add_argument("--seed", type=int, default=0, metavar="N", help="of the sampled anchors")
    add_json(parser, bare=False)
    places.reads(parser, "image", "IMAGE", dash=True)
    places.reads(parser, "truth")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print a few lines; ``--json`` writes all numbers."""
    from vision_core.cli.photos import read_photo, read_truth

    settings = _settings(args)
    point = options.numbers(args.at, 2, "--at X,Y") if args.at else None
    box = options.numbers(args.box, 4, "--box X1,Y1,X2,Y2") if args.box else None
    entry = options.check_model(args)
    _check_family(entry)
    photo = read_photo(args.image)
    point = _check_place(photo, point, box)
    truth = None if args.truth is None else read_truth(args.truth, photo)

    from vision_core.comparison.shapes import true_mask
    from vision_core.export import image_record, strict
    from vision_core.inside.opened import opened
    from vision_core.inside.report import record

    here = opened(options.load_model(args), photo)
    true = None if truth is None else (truth.boxes, truth.labels)

    def mask_of(index: int) -> np.ndarray | None:
        return None if truth is None else true_mask(truth, index, photo.width, photo.height)

    told = {
        "model": here.net.name,
        "family": here.net.family,
        "image": image_record(photo),
        **record(here, point, box, true, settings, mask_of),
    }
    if args.json is not None:
        with json_stream(args.json) as stream:
            write_json(stream, strict(told))
    if args.json != STDOUT:
        print("\n".join(_words(told)))
    return 0


def _settings(args: argparse.Namespace) -> dict[str, Any]:
    """The settings of teaching.

    Raises:
        UserError: one is outside its range.
    """
    for name in ("high", "low", "alpha"):
        value = getattr(args, name)
        if value is not None and not 0 <= value <= 1:
            raise UserError(f"--{name} lies between 0 and 1, not {value:g}.")
    if not 0 <= args.gamma < float("inf"):
        raise UserError(f"--gamma is a number from 0 on, not {args.gamma:g}.")
    if not 0 <= args.seed < 2**32:
        raise UserError(f"--seed is a whole number from 0 to {2**32 - 1}, not {args.seed}.")
    if args.low is not None and args.high is not None and args.low > args.high:
        raise UserError("--low must not be greater than --high.")
    return {name: getattr(args, name) for name in ("high", "low", "gamma", "alpha", "seed")}


def _check_family(card: Any) -> None:
    """Refuse networks without anchors, by their card.

    Raises:
        UserError: naming it.
    """
    from vision_core.inside.kinds import DETECTORS

    if card.family not in DETECTORS:
        raise UserError(f"{card.name} has no anchors to look at; choose a detector.")


def _check_place(photo: Photo, point: list[float] | None, box: list[float] | None) -> list[float]:
    """The point, or the middle of the box.

    Raises:
        UserError: it lies outside the photo, or the box has no area.
    """
    size = f"the photo of {photo.width} x {photo.height}"
    if box is not None:
        x1, y1, x2, y2 = box
        if not (0 <= x1 < x2 <= photo.width and 0 <= y1 < y2 <= photo.height):
            raise UserError(f"--box needs X1 < X2 and Y1 < Y2 within {size}.")
        return [(x1 + x2) / 2, (y1 + y2) / 2]
    assert point is not None
    x, y = point
    if not (0 <= x <= photo.width and 0 <= y <= photo.height):
        raise UserError(f"The point {x:g}, {y:g} lies outside {size}.")
    return point


def _words(told: dict[str, Any]) -> list[str]:
    """A few lines for the terminal."""
    lines = [f"{t['name']} = {t['formula']} = {t['value']:g}" for t in told["place"]["terms"]]
    best = max(told["anchors"], key=lambda a: a["score"])
    code = ", ".join(f"{name} {value:.3g}" for name, value in best["code"].items())
    label = best["label"] or "objectness"
    lines.append(f"{len(told['anchors'])} anchors here; the best: {label} {best['score']:.3f}")
    lines.append(f"its code: {code}; what became of it: {best['fate']}")
    if told["serves"] is not None:
        served = ", ".join(told["serves"]["levels"]) or "none"
        lines.append(f"level that serves the box: {served}")
    if told.get("teaching"):
        counts = told["teaching"]["counts"]
        lines.append(", ".join(f"{count:,} {name}" for name, count in counts.items()))
    return lines
