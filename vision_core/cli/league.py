"""``league``: all attribution methods on one target, ranked by the scores of the papers."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vision_core import methods
from vision_core.cli import options, places
from vision_core.cli.explain import chosen_target
from vision_core.cli.output import STDOUT, add_json, cannot_write, json_stream, write_json
from vision_core.errors import UserError

if TYPE_CHECKING:
    from vision_core.images import Photo
    from vision_core.inference import Trace
    from vision_core.league import Progressing
    from vision_core.league.boxes import Corners
    from vision_core.league.ranking import Standing

_FORM = "x1,y1,x2,y2"


def register(subparsers: Any) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser("league", help="rank the methods that explain a prediction")
    parser.add_argument("image", metavar="IMAGE", help="file, or - for standard input")
    parser.add_argument("--target", metavar="TARGET", help="as of explain")
    parser.add_argument(
        "--box",
        metavar=_FORM,
        help="where the explained thing is, pixels of the photo; if left out the target's own "
        "box, and for a class the best box of that class by the bundled detector",
    )
    parser.add_argument(
        "--method",
        nargs="+",
        metavar="METHOD",
        help=f"who competes (default: all): {', '.join(methods.names())}",
    )
    parser.add_argument(
        "--steps", type=int, default=16, metavar="N", help="pictures of a curve, 4 to 128"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the random weights")
    parser.add_argument("--csv", type=Path, metavar="OUT.csv", help="the table")
    parser.add_argument("--html", type=Path, metavar="OUT.html", help="the maps as a film strip")
    options.add_model(parser)
    options.add_thresholds(parser)
    add_json(parser, bare=False)
    places.reads(parser, "image", "IMAGE", dash=True)
    places.writes(parser, "csv")
    places.writes(parser, "html")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the cost, then the table; ``--json`` writes all of it.

    Raises:
        UserError: a value outside its range, or a target that the network does not have.
    """
    from vision_core.cli.photos import read_photo
    from vision_core.records import targets
    from vision_core.records.corners import boxed
    from vision_core.records.terms import Terms

    corners = None if args.box is None else _numbers(args.box)
    names = tuple(args.method or methods.names())
    for name in names:
        methods.method(name)
    asked = None if args.target is None else targets.parse(args.target)
    terms = Terms(args.steps, args.seed)
    given = options.given_thresholds(args)
    entry = options.check_model(args)
    if asked is not None and args.weights is None:
        targets.check(asked, entry)
    photo = read_photo(args.image)

    given_box = None if corners is None else boxed(corners, photo)

    from vision_core.attribution import ask
    from vision_core.inference import trace
    from vision_core.league import compete, standings
    from vision_core.league.record import as_csv, record

    model = options.load_model(args)
    found = trace(model, photo)
    target = chosen_target(asked, found, given)
    box, told_by = (given_box, "you") if given_box else _box(photo, found, target, args.device)
    quiet = args.json == STDOUT
    step = None
    for step in compete(ask(model, photo, found, target), names, terms):
        if step.done == 0 and step.doing and not quiet:
            print(f"{len(names)} methods, {step.total:,} passes of {model.name}", flush=True)
    assert step is not None
    rows = standings(step.competitors, box)
    if args.csv is not None:
        _write(args.csv, as_csv(rows))
    if args.html is not None:
        _write(args.html, _page(photo, rows, str(target), model.name, box))
    if args.json is not None:
        from vision_core.export import image_record

        made = {"model": model.name, "fingerprint": model.fingerprint, "image": image_record(photo)}
        with json_stream(args.json) as stream:
            write_json(stream, made | record(step, terms, str(target), box, told_by))
    if not quiet:
        _print(rows, step, str(target), box, told_by)
    return 0


def _numbers(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise UserError(f"The box {text!r} cannot be read; write {_FORM}.") from None


def _box(photo: Photo, found: Trace, target: Any, device: str) -> tuple[Corners | None, str]:
    """The target's own box, or that of the bundled detector for a class; and who told it."""
    from vision_core.inference import trace
    from vision_core.league import detected_box, target_box
    from vision_core.models import default_card, load
    from vision_core.records import DetectionTrace
    from vision_core.records.targets import ClassTarget

    own = target_box(found, target)
    if own is not None:
        return own, "the target"
    if isinstance(target, ClassTarget):
        detector = load(default_card().name, device=device)
        seen = trace(detector, photo)
        box = detected_box(target.label, seen) if isinstance(seen, DetectionTrace) else None
        if box is not None:
            return box, detector.name
    return None, ""


def _page(photo: Photo, rows: list[Standing], target: str, model: str, box: Corners | None) -> str:
    from dataclasses import replace

    from vision_core.figures.browser.standalone.pages import maps_html
    from vision_core.figures.league import outlined

    shown = [
        (row.competitor.title, row.competitor.map.on_photo(), _note(row))
        for row in rows
        if row.competitor.map is not None
    ]
    if not shown:
        raise UserError("No method has a map, so that there is nothing for --html.")
    drawn = replace(photo, pixels=outlined(photo.pixels, box))
    return maps_html(drawn, shown, f"Explained: {target} of {model}.")


def _note(row: Standing) -> str:
    if row.competitor.control:
        return "knows no network"
    return "" if row.ranked.place is None else f"place {row.ranked.place}"


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(cannot_write(path, error)) from None


def _print(
    rows: list[Standing], step: Progressing, target: str, box: Corners | None, told_by: str
) -> None:
    """The table in columns, and what it cannot tell."""
    from vision_core.league import COLUMNS

    where = "no box: without one, nobody plays the pointing game"
    if box is not None:
        where = f"box {','.join(f'{v:.0f}' for v in box)} by {told_by}"
    print(f"Explained: {target}; {where}; curves of the {step.measure}; random: {step.layer}")
    names = [c for c in COLUMNS if not (c.boxed and box is None)]
    print(f"{'':>3} {'':<22}", *(f"{c.name[:10]:>10}" for c in names), f"{'mean rank':>10} seconds")
    for row in rows:
        place = "" if row.ranked.place is None else f"{row.ranked.place}"
        values = (row.scores.get(c.name) for c in names)
        cells = (f"{'-' if v is None else format(v, '.3f'):>10}" for v in values)
        mean = "" if row.ranked.mean is None else f"{row.ranked.mean:.1f}"
        one = row.competitor
        print(f"{place:>3} {one.title:<22}", *cells, f"{mean:>10} {one.seconds:7.2f}")
        if one.error:
            print(f"{'':>4}{one.error}")
    for column in names:
        print(f"{column.title} ({'high' if column.high else 'low'} is good): {column.silent}")
