"""``surgery``: a network before and after something was taken out of it or changed."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from vision_core.cli import options, places
from vision_core.cli.output import STDOUT, add_json, json_stream, write_json
from vision_core.surgery import ACTIVATIONS, PRECISIONS, Plan
from vision_core.surgery.plan import amplified, planned, rewritten, silenced

if TYPE_CHECKING:
    from vision_core.images import Photo
    from vision_core.models import Model
    from vision_core.surgery.unravel import Subset

_LISTED = 8


def register(subparsers: Any) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "surgery", help="take something out of a network, before and after"
    )
    parser.add_argument("image", metavar="IMAGE", help="file, or - for standard input")
    options.add_model(parser)
    _add_operations(parser)
    options.add_thresholds(parser)
    group = parser.add_argument_group("all subsets of residual blocks (Veit et al. 2016)")
    group.add_argument(
        "--paths",
        nargs="*",
        metavar="BLOCK",
        help="rank the network with every subset of these blocks skipped (default: those with an "
        "identity shortcut); the other operations do not count for it",
    )
    group.add_argument(
        "--label", metavar="NAME", help="class whose probability ranks them (default: the best)"
    )
    group.add_argument(
        "--on-samples",
        action="store_true",
        help="rank them by how often a classifier is right on the sample photos",
    )
    add_json(parser, bare=False)
    places.reads(parser, "image", "IMAGE", dash=True)
    parser.set_defaults(run=run)


def _add_operations(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("operations")
    group.add_argument("--skip", nargs="+", default=[], metavar="BLOCK", help="residual blocks")
    group.add_argument(
        "--silence", nargs="+", default=[], metavar="LAYER:CHANNEL", help="or LAYER:FIRST-LAST"
    )
    group.add_argument(
        "--amplify",
        nargs="+",
        default=[],
        metavar="LAYER:CHANNEL:FACTOR",
        help="channels times a factor of 0 to 4",
    )
    group.add_argument(
        "--activation",
        default="relu",
        metavar="NAME",
        help=f"in place of ReLU: {', '.join(ACTIVATIONS)}",
    )
    group.add_argument(
        "--kernel",
        nargs="+",
        default=[],
        metavar="LAYER:FILTER:CHANNEL=NUMBERS",
        help="other numbers in a kernel, row by row, with commas between them",
    )
    group.add_argument("--bits", type=int, metavar="N", help="quantise the weights to 2 to 16 bits")
    group.add_argument(
        "--noise",
        type=float,
        default=0.0,
        metavar="S",
        help="Gaussian noise on the weights, in standard deviations of each layer's, 0 to 2",
    )
    group.add_argument("--seed", type=int, default=0, metavar="N", help="of the noise")
    group.add_argument(
        "--precision",
        default="float32",
        metavar="NAME",
        help=f"of weights and outputs: {', '.join(PRECISIONS)}",
    )


def run(args: argparse.Namespace) -> int:
    """Print what is said before and after and what differs; ``--json`` writes all of it.

    Raises:
        UserError: a value outside its range, or a part that the network does not have.
    """
    from vision_core.cli.photos import read_photo

    plan, given = _plan(args), options.given_thresholds(args)
    options.check_model(args)
    photo = read_photo(args.image)
    model = options.load_model(args)
    options.check_classes(args.classes, model.card)

    from vision_core.cli import predicting
    from vision_core.export import image_record, prediction_record, strict
    from vision_core.surgery.operate import check_finite, operate
    from vision_core.surgery.report import differs, in_words

    cut = operate(model, plan)
    names = _blocks(args, model)
    before, after = (predicting.run(one, photo, given) for one in (model, cut))
    check_finite(after.trace)
    told = differs(before, after, model.card)
    paths = _paths(model, photo, names, args) if names is not None else []
    if args.json is not None:
        made = {
            "image": image_record(photo),
            "model": model.name,
            "operations": plan.record(),
            "before": prediction_record(photo, before),
            "after": prediction_record(photo, after),
            "differs": {**told, "text": in_words(told)},
        }
        if names is not None:
            made["paths"] = [
                {"skipped": list(s.skipped), "value": s.value, "top": s.top} for s in paths
            ]
        with json_stream(args.json) as stream:
            write_json(stream, strict(made))
    if args.json != STDOUT:
        print(f"Operations: {plan.words}")
        print(f"Before: {predicting.summary(photo, before, model)}")
        print(f"After: {predicting.summary(photo, after, cut)}")
        print(in_words(told))
        _print(paths)
    return 0


def _plan(args: argparse.Namespace) -> Plan:
    scale = [*map(silenced, args.silence), *map(amplified, args.amplify)]
    noise = (args.noise, args.seed)
    kernels = [*map(rewritten, args.kernel)]
    return planned(args.skip, scale, args.activation, noise, args.bits, args.precision, kernels)


def _blocks(args: argparse.Namespace, model: Model) -> tuple[str, ...] | None:
    """The blocks whose subsets are run, checked; ``None`` where nobody asked.

    Raises:
        UserError: there is no such block, or too many of them.
    """
    if args.paths is None:
        return None
    from vision_core.surgery.operate import check
    from vision_core.surgery.unravel import passes, usual

    names = tuple(args.paths) or usual(model)
    check(model, planned(names or ("",)))
    passes(len(set(names)))
    return names


def _paths(
    model: Model, photo: Photo, names: tuple[str, ...], args: argparse.Namespace
) -> list[Subset]:
    """All subsets, ranked; the cost and the progress are told on standard error."""
    from vision_core import samples
    from vision_core.surgery.unravel import passes, ranked, unravel, unravel_known

    count = passes(len(set(names)))
    known = [(samples.sample(one.name), one.shows) for one in samples.SAMPLES]
    steps = (
        unravel_known(model, known, names)
        if args.on_samples
        else unravel(model, photo, names, args.label)
    )
    print(f"{len(set(names))} blocks: {count:,} passes.", file=sys.stderr)
    found: list[Subset] = []
    for one in steps:
        found.append(one)
        if len(found) % 64 == 0:
            print(f"{len(found):,} of {count:,}", file=sys.stderr)
    return ranked(found)


def _print(paths: list[Subset]) -> None:
    if len(paths) > 2 * _LISTED:
        _print(paths[:_LISTED])
        print(f"  ... {len(paths) - 2 * _LISTED:,} more ...")
        _print(paths[-_LISTED:])
        return
    for one in paths:
        print(f"  {one.value:.3f}  {one.top:16}  without {', '.join(one.skipped) or 'nothing'}")
