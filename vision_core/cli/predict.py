"""``predict``: photos to detections, masks, joints, class maps or classes."""

from __future__ import annotations

import argparse
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from vision_core.cli import options, places
from vision_core.cli.output import add_json, json_stream, write_json
from vision_core.errors import UserError, no_place_for

if TYPE_CHECKING:
    from vision_core.images import Photo
    from vision_core.models import Card, Model
    from vision_core.records import Prediction


def register(subparsers: Any) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser("predict", help="run a model on photos")
    parser.add_argument("images", nargs="+", metavar="IMAGE", help="file, or - for standard input")
    options.add_model(parser)
    group = options.add_thresholds(parser)
    group.add_argument("--mask-threshold", type=float, default=0.5, metavar="P")
    group.add_argument(
        "--joint-threshold",
        type=float,
        metavar="S",
        help="hide joints below this score in --overlay and --save-coco",
    )
    group = parser.add_argument_group("output")
    add_json(parser, bare=False)
    group.add_argument(
        "--overlay",
        type=Path,
        metavar="OUT.png",
        help="draw on the photo; several give OUT-1.png ..., or name a folder",
    )
    group.add_argument(
        "--html",
        type=Path,
        metavar="OUT.html",
        help="a page with the live picture, for models with boxes; several give OUT-1.html ...",
    )
    group.add_argument("--save-coco", type=Path, metavar="OUT.json", help="COCO annotations, or -")
    places.reads(parser, "images", "IMAGE", dash=True)
    places.writes(parser, "overlay", folder=True)
    places.writes(parser, "html", folder=True)
    places.writes(parser, "save_coco", "--save-coco", dash=True)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Predict every image; 2 if one of several failed."""
    from vision_core.cli.photos import read_photo

    given = options.given_thresholds(args)
    _check_ranges(args)
    entry = options.check_model(args)
    _check_outputs(args, entry)
    # the only photo is read before PyTorch is imported; of several each has its own error
    ready = [read_photo(args.images[0])] if len(args.images) == 1 else []
    model = options.load_model(args)
    _check_for_model(args, given, model)
    done: list[tuple[Photo, Prediction]] = []
    failed = 0
    with ExitStack() as stack:
        out: IO[str] | None = None
        if args.json is not None:
            out = stack.enter_context(json_stream(args.json))
        for number, name in enumerate(args.images, 1):
            try:
                photo = ready.pop() if ready else read_photo(name)
                made = _one(args, model, given, photo, number, out)
                if args.save_coco:
                    done.append((photo, made))
            except UserError as error:
                if len(args.images) == 1:
                    raise
                failed += 1
                print(error, file=sys.stderr)
                if out is not None:
                    write_json(out, {"name": Path(name).name, "error": str(error)})
    if args.save_coco:
        _save_coco(args.save_coco, done)
    return 2 if failed else 0


def _check_ranges(args: argparse.Namespace) -> None:
    if not 0 <= args.mask_threshold <= 1:
        raise UserError(f"The mask threshold must lie between 0 and 1, not {args.mask_threshold}.")
    if args.joint_threshold is not None and args.joint_threshold != args.joint_threshold:
        raise UserError("The joint threshold must be a number.")
    if args.overlay is not None:
        from vision_core.cli.photos import check_overlay

        check_overlay(args.overlay)


def _check_for_model(args: argparse.Namespace, given: dict[str, Any], model: Model) -> None:
    options.check_classes(args.classes, model.card)
    if given and model.card.task in ("classification", "segmentation"):
        print(f"Thresholds change nothing: {model.name} gives no boxes.", file=sys.stderr)


def _check_outputs(args: argparse.Namespace, entry: Card) -> None:
    """No file is asked for that this model has nothing for."""
    if args.html and entry.task in ("classification", "segmentation"):
        raise UserError(f"--html needs a model that gives boxes; {entry.name} gives none.")
    if args.save_coco and entry.task == "classification":
        raise no_place_for(entry.name)


def _one(
    args: argparse.Namespace,
    model: Model,
    given: dict[str, Any],
    photo: Photo,
    number: int,
    out: IO[str] | None,
) -> Prediction:
    from vision_core.cli import predicting
    from vision_core.cli.photos import overlay_path
    from vision_core.export import prediction_record

    prediction = predicting.run(model, photo, given, args.mask_threshold, args.joint_threshold)
    if args.overlay:
        file = overlay_path(args.overlay, photo, number, len(args.images))
        places.check_output(args, file)
        predicting.save_overlay(photo, prediction, file)
    if args.html:
        file = predicting.page_path(args.html, photo, number, len(args.images))
        places.check_output(args, file)
        predicting.save_page(photo, prediction, file)
    if out is not None:
        write_json(out, prediction_record(photo, prediction))
    if "-" not in (args.json, str(args.save_coco)):
        print(predicting.summary(photo, prediction, model))
    return prediction


def _save_coco(path: Path, predictions: list[tuple[Photo, Prediction]]) -> None:
    from vision_core.export import coco_json

    with json_stream(str(path)) as stream:
        write_json(stream, coco_json(predictions))
