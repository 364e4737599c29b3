"""``explain``: which parts of a photo drive a prediction."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vision_core import methods
from vision_core.cli import options, places
from vision_core.cli.output import add_json, cannot_write, json_stream, write_json
from vision_core.errors import UserError
from vision_core.methods.method import Setting

if TYPE_CHECKING:
    import numpy as np

    from vision_core.attribution import Attribution, Target
    from vision_core.inference import Trace


def register(subparsers: Any) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser("explain", help="show what drives a prediction")
    parser.add_argument("image", metavar="IMAGE", help="file, or - for standard input")
    parser.add_argument(
        "--method", required=True, metavar="METHOD", help=", ".join(methods.names())
    )
    parser.add_argument(
        "--target",
        metavar="TARGET",
        help="NAME, box:N[:PART], joint:N:NAME (N counts the detections of predict from 0), "
        "candidate:N[:PART] (a row of the trace, as in links), region:NAME[:X1,Y1,X2,Y2] or "
        "unit:LAYER:C,I,J; the top prediction if left out",
    )
    _add_settings(parser)
    parser.add_argument("--out", type=Path, metavar="MAP.npy", help="signed float32 array")
    parser.add_argument("--png", type=Path, metavar="OUT.png", help="picture over the photo")
    parser.add_argument("--html", type=Path, metavar="OUT.html", help="the maps as a film strip")
    options.add_model(parser)
    options.add_thresholds(parser)
    add_json(parser, bare=False)
    places.reads(parser, "image", "IMAGE", dash=True)
    places.writes(parser, "out")
    places.writes(parser, "png")
    places.writes(parser, "html")
    parser.set_defaults(run=run)


def _add_settings(parser: argparse.ArgumentParser) -> None:
    """An option for each setting of any method, and ``--layer``."""
    group = parser.add_argument_group("settings of the methods")
    layered = ", ".join(m.title for m in methods.every() if m.layered)
    group.add_argument(
        "--layer",
        action="append",
        metavar="LAYER",
        help=f"layer, for {layered}; may be given again",
    )
    for name, takers in methods.settings().items():
        titles = ", ".join(method.title for method, _ in takers)
        setting = takers[0][1]
        if setting.kind is bool:
            words = f"{titles}: {'do not ' if setting.default else ''}{setting.title}"
            group.add_argument(
                f"--{setting.option}",
                dest=name,
                action="store_const",
                const=not setting.default,
                help=words,
            )
        else:
            words = f"{titles}: {setting.title}"
            words += f" ({', '.join(setting.choices)})" if setting.choices else ""
            option, shown = name.replace("_", "-"), name.upper()
            group.add_argument(
                f"--{option}", dest=name, type=setting.kind, metavar=shown, help=words
            )


def run(args: argparse.Namespace) -> int:
    """Write the map and say what it explains; several layers give an array with one axis more."""
    from vision_core.cli.photos import read_photo
    from vision_core.records import targets

    given = options.given_thresholds(args)
    method, settings = methods.method(args.method), _settings(args)
    method.check(settings)
    _not_too_small(method.settings, settings)
    asked = None if args.target is None else targets.parse(args.target)
    entry = options.check_model(args)
    if asked is not None and args.weights is None:  # other weights may know other classes
        targets.check(asked, entry)
    photo = read_photo(args.image)

    from vision_core.attribution import ask, every_map
    from vision_core.inference import trace

    model = options.load_model(args)
    traced = trace(model, photo)
    target = chosen_target(asked, traced, given)
    question = ask(model, photo, traced, target)
    answers = every_map(question, method.name, **settings)
    if args.out is not None:
        _save(args.out, answers)
    if args.png is not None:
        _draw(args.png, photo, answers)
    if args.html is not None:
        _save_page(args.html, photo, answers)
    if args.json is not None:
        with json_stream(args.json) as stream:
            write_json(stream, _record(args, model, photo, answers))
    if args.json != "-":
        for answer in answers:
            at = f" at {answer.settings['layer']}" if "layer" in answer.settings else ""
            print(
                f"{answer.method}{at} of {answer.target}: score {answer.score:.4f}"
                f"{'; no positive evidence' if answer.empty else ''}"
            )
            for note in answer.notes:
                print(note)
    return 0


def _settings(args: argparse.Namespace) -> dict[str, Any]:
    given = {name: getattr(args, name) for name in methods.settings()}
    given = {name: value for name, value in given.items() if value is not None}
    return given | ({"layers": tuple(args.layer)} if args.layer else {})


def _not_too_small(known: Sequence[Setting], given: dict[str, Any]) -> None:
    for setting in known:
        value, least = given.get(setting.name), min(setting.least, 1)  # less than a control's
        if isinstance(value, int | float) and value < least:
            option = setting.name.replace("_", "-")
            raise UserError(f"--{option} must be at least {least:g}, not {value:g}.")


def chosen_target(target: Target | None, traced: Trace, given: dict[str, Any]) -> Target:
    """The target at the given thresholds.

    Raises:
        UserError: there are not so many detections.
    """
    from vision_core.attribution import default_target
    from vision_core.inference import DetectionTrace
    from vision_core.records.targets import resolved

    if not isinstance(traced, DetectionTrace):
        return default_target(traced) if target is None else target
    found = traced.select(replace(traced.defaults, **given)).detections
    return default_target(traced, found) if target is None else resolved(target, found)


def _save(path: Path, answers: list[Attribution]) -> None:
    import numpy as np

    values = [answer.values for answer in answers]
    array: np.ndarray = values[0] if len(values) == 1 else np.stack(values)
    try:
        with path.open("wb") as stream:  # np.save would add .npy to another name
            np.save(stream, array)
    except OSError as error:
        raise UserError(cannot_write(path, error)) from None


def _draw(path: Path, photo: Any, answers: list[Attribution]) -> None:
    import numpy as np

    from vision_core.figures import png
    from vision_core.figures.saliency import over_photo, own_limit, signed_colours

    pictures = [
        over_photo(photo, signed_colours(a.signed, own_limit(a.signed)), 0.8) for a in answers
    ]
    try:
        path.write_bytes(png(np.concatenate(pictures, 1)))
    except OSError as error:
        raise UserError(cannot_write(path, error)) from None


def _save_page(path: Path, photo: Any, answers: list[Attribution]) -> None:
    from vision_core.figures.browser.standalone.pages import maps_html

    maps = [(a.method, a.signed, str(a.settings.get("layer", ""))) for a in answers]
    words = f"Explained: {answers[0].target}, score {answers[0].score:.4f}."
    try:
        path.write_text(maps_html(photo, maps, words), encoding="utf-8")
    except OSError as error:
        raise UserError(cannot_write(path, error)) from None


def _record(
    args: argparse.Namespace, model: Any, photo: Any, answers: list[Attribution]
) -> dict[str, Any]:
    import numpy
    import torch
    import torchvision

    from vision_core.export import image_record, strict
    from vision_core.figures.saliency import own_limit

    rows = [
        {
            "settings": dict(a.settings),
            "notes": list(a.notes),
            "gap": a.gap,
            "seen": list(a.seen),
            "shape": list(a.values.shape),
            "min": float(a.values.min()),
            "max": float(a.values.max()),
            "sum": float(a.values.sum()),
            "full_colour_at": own_limit(a.signed),
            "empty": a.empty,
        }
        for a in answers
    ]
    record: dict[str, Any] = strict(
        {
            "model": model.name,
            "fingerprint": model.fingerprint,
            "image": image_record(photo),
            "method": args.method,
            "target": answers[0].target,
            "score": answers[0].score,
            "seed": args.seed or 0,
            "maps": rows,
            "versions": {
                "torch": torch.__version__,
                "torchvision": torchvision.__version__,
                "numpy": numpy.__version__,
            },
        }
    )
    return record
