"""``evaluate``: score a bundled network on the validation data, or networks on your own photos."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from vision_core.cli import many, places
from vision_core.cli.options import check_device
from vision_core.cli.output import add_json, json_stream, table, write_json
from vision_core.errors import UserError
from vision_core.models.cards import BUNDLED


def register(subparsers: Any) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "evaluate",
        help="score a bundled network on data it never saw, or networks on many photos",
        description="Score a bundled network: top-1, AP, mean IoU or PCK, from 0 to 1. Or, with "
        "--photos, run networks over a folder of photos.",
    )
    parser.add_argument(
        "model", nargs="?", metavar="MODEL", help="a bundled network: " + ", ".join(BUNDLED)
    )
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder of the data sets")
    parser.add_argument(
        "--weights", type=Path, metavar="FILE", help="safetensors file instead of the bundled one"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps (default auto)")
    parser.add_argument(
        "--write-card",
        action="store_true",
        help="also measure the speed and put both into the bundled network's card",
    )
    many.add_options(parser)
    add_json(parser)
    places.reads(parser, "weights")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the scores as a table or as JSON.

    Raises:
        UserError: see ``vision_core.evaluation.score.evaluate`` and ``vision_core.cli.many``.
    """
    if args.photos is not None:
        return many.run(args)
    _check_alone(args)
    if args.write_card and args.weights is not None:
        raise UserError("--write-card scores the bundled weights; leave --weights out.")
    known = BUNDLED
    if args.model not in known:
        raise UserError(
            f"There is no bundled network {args.model!r}; choose one of {', '.join(known)}."
        )
    check_device(args.device)

    from vision_core import devices
    from vision_core.evaluation import score

    device = str(devices.resolve(args.device))
    result = score.evaluate(args.model, args.data, args.weights, device)
    if args.write_card:
        score.write_into_card(result, score.bundled_speed(args.model))
    if args.json is not None:
        with json_stream(args.json) as stream:
            write_json(stream, result, indent=1)
        return 0
    rows = [("METRIC", "VALUE", "DATA", "SPLIT", "N")]
    for row in result["scores"]:
        value = "-" if row["value"] is None else f"{row['value']:.4f}"
        rows.append((row["metric"], value, row["dataset"], row["split"], str(row["n"])))
    print(table(rows, right=(1, 4)))
    return 0


def _check_alone(args: argparse.Namespace) -> None:
    """Without ``--photos`` both a network and its data are needed, and nothing of ``--photos``."""
    if args.model is None or args.data is None:
        raise UserError(
            "evaluate needs MODEL and --data DIR, or --photos DIR and --model NAME (see evaluate "
            "--help)."
        )
    for option in ("models", "truth", "score", "out", "csv", "coco", "report"):
        if getattr(args, option) is not None:
            word = "model" if option == "models" else option
            raise UserError(f"--{word} belongs to --photos; name a folder of photos, too.")
