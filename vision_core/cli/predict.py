"""``predict``: photos to detections, masks, joints, class maps or classes."""

from __future__ import annotations

import argparse
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from vision_core.cli.output import add_json, cannot_write, json_stream, write_json
from vision_core.errors import UserError

if TYPE_CHECKING:
    from vision_core.export import Prediction
    from vision_core.models import Model

DEVICES = ("auto", "cpu", "cuda", "mps")
_PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff")
_OPTIONS = {  # argument -> field of Thresholds
    "score": "score", "iou": "iou", "nms": "nms", "sigma": "sigma", "max": "max_detections",
}  # fmt: skip


def register(subparsers: Any) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser("predict", help="run a model on photos")
    parser.add_argument("images", nargs="+", metavar="IMAGE", help="file, or - for standard input")
    group = parser.add_argument_group("model")
    group.add_argument("--model", metavar="NAME", help="the bundled detector if left out")
    group.add_argument("--weights", type=Path, metavar="FILE", help="your own checkpoint for it")
    group.add_argument("--folder", type=Path, metavar="DIR", help="where else to look for weights")
    group.add_argument("--device", default="auto", help=f"one of {', '.join(DEVICES)}")
    group = parser.add_argument_group("thresholds (the model's own where left out)")
    group.add_argument("--score", type=float, metavar="S", help="least score, 0 to 1")
    group.add_argument("--iou", type=float, metavar="T", help="NMS threshold, 0 to 1")
    group.add_argument("--nms", metavar="KIND", help="hard, soft-linear, soft-gaussian or none")
    group.add_argument("--sigma", type=float, metavar="G", help="of Gaussian soft NMS")
    group.add_argument("--agnostic", action="store_true", help="NMS across classes")
    group.add_argument("--max", type=int, metavar="N", help="most detections")
    group.add_argument("--class", dest="classes", action="append", metavar="NAME",
                       help="show this class only; may repeat")
    group.add_argument("--mask-threshold", type=float, default=0.5, metavar="P")
    group.add_argument("--joint-threshold", type=float, metavar="S",
                       help="hide joints below this score in --overlay and --save-coco")
    group = parser.add_argument_group("output")
    add_json(parser, bare=False)
    group.add_argument("--overlay", type=Path, metavar="OUT.png",
                       help="draw on the photo; several give OUT-1.png ..., or name a folder")
    group.add_argument("--save-coco", type=Path, metavar="OUT.json", help="COCO annotations")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Predict every image; 2 if one of several failed."""
    from vision_core.models import default_card, load

    given = _given_thresholds(args)
    _check_ranges(args)
    model = load(
        args.model or default_card().name,
        device=args.device, weights=args.weights, folder=args.folder,
    )  # fmt: skip
    _check_for_model(args, given, model)
    done: list[Prediction] = []
    failed = 0
    with ExitStack() as stack:
        out: IO[str] | None = None
        if args.json is not None:
            out = stack.enter_context(json_stream(args.json))
        for number, name in enumerate(args.images, 1):
            try:
                prediction = _one(args, model, given, name, number, out)
                if args.save_coco:
                    done.append(prediction)
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


def _given_thresholds(args: argparse.Namespace) -> dict[str, Any]:
    """The thresholds that the user named; wrong ones are refused before a model is loaded."""
    from vision_core.selection.types import Thresholds

    given = {field: getattr(args, option) for option, field in _OPTIONS.items()}
    given = {field: value for field, value in given.items() if value is not None}
    if args.agnostic:
        given["agnostic"] = True
    if args.classes:
        given["classes"] = frozenset(args.classes)
    Thresholds(**given)
    return given


def _check_ranges(args: argparse.Namespace) -> None:
    if not 0 <= args.mask_threshold <= 1:
        raise UserError(f"The mask threshold must lie between 0 and 1, not {args.mask_threshold}.")
    if args.json is not None and Path(args.json).suffix.lower() in _PICTURES:
        raise UserError(f"--json would overwrite the picture {args.json}; name a .json file or -.")
    if args.joint_threshold is not None and args.joint_threshold != args.joint_threshold:
        raise UserError("The joint threshold must be a number.")


def _check_for_model(args: argparse.Namespace, given: dict[str, Any], model: Model) -> None:
    labels = model.card.classes
    unknown = [name for name in args.classes or () if name not in labels]
    if unknown:
        few = ", ".join(labels[:8]) + (" ..." if len(labels) > 8 else "")
        raise UserError(f"{model.name} knows no class {unknown[0]!r}; it knows {few}.")
    if given and model.card.task in ("classification", "segmentation"):
        print(f"Thresholds change nothing: {model.name} gives no boxes.", file=sys.stderr)
    if args.save_coco and model.card.task == "classification":
        from vision_core.export import no_place_for

        raise no_place_for(model.name)


def _one(
    args: argparse.Namespace, model: Model, given: dict[str, Any], name: str, number: int,
    out: IO[str] | None,
) -> Prediction:  # fmt: skip
    from vision_core.cli import predicting
    from vision_core.export import prediction_record

    prediction, timing = predicting.predict(
        model, predicting.read_photo(name), given, args.mask_threshold, args.joint_threshold
    )
    if args.overlay:
        file = predicting.overlay_path(args.overlay, prediction.photo, number, len(args.images))
        predicting.save_overlay(prediction, file)
    if out is not None:
        write_json(out, prediction_record(prediction, timing))
    if args.json != "-":
        print(predicting.summary(prediction, model))
    return prediction


def _save_coco(path: Path, predictions: list[Prediction]) -> None:
    from vision_core.export import coco_json

    try:
        with path.open("w", encoding="utf-8") as stream:
            write_json(stream, coco_json(predictions))
    except OSError as error:
        raise UserError(cannot_write(path, error)) from None
