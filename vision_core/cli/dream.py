"""``dream``: a photo that a layer of a network answers to more strongly (DeepDream)."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from vision_core.cli import options, places
from vision_core.cli.output import add_json, json_stream, write_json
from vision_core.errors import UserError
from vision_core.style.settings import DreamSettings


def register(subparsers: Any) -> None:
    """Add the command to the command line."""
    usual = DreamSettings()
    parser = subparsers.add_parser("dream", help="DeepDream: make a layer answer more strongly")
    parser.add_argument("image", metavar="PHOTO", help="file, or - for standard input")
    parser.add_argument("--layer", required=True, metavar="LAYER", help="name of a module")
    parser.add_argument("--channel", type=int, metavar="N", help="the whole layer if left out")
    parser.add_argument("--out", required=True, type=Path, metavar="FILE.png")
    group = parser.add_argument_group("settings")
    for name, kind, words in (
        ("octaves", int, "sizes, small to large"),
        ("scale", float, "from one octave to the next"),
        ("steps", int, "in each octave"),
        ("rate", float, "mean change in a step, of a range of 1"),
        ("jitter", int, "pixels"),
        ("side", int, "longer side, pixels"),
        ("seed", int, "of the jitter"),
    ):
        value = getattr(usual, name)
        group.add_argument(
            f"--{name}", type=kind, default=value, help=f"{words} (default {value:g})"
        )
    options.add_model(parser)
    add_json(parser, bare=False)
    places.reads(parser, "image", "PHOTO", dash=True)
    places.writes(parser, "out")
    parser.set_defaults(run=run, model="vgg_s")


def run(args: argparse.Namespace) -> int:
    """Write the last picture; ``--json`` gets the settings and the layer's answer by step.

    Raises:
        UserError: a file, a layer or a setting that cannot be used.
    """
    from vision_core.cli.photos import check_overlay, read_photo

    names = ("octaves", "scale", "steps", "rate", "jitter", "side", "seed")
    settings = DreamSettings(**{name: getattr(args, name) for name in names})
    if args.channel is not None and args.channel < 0:
        raise UserError(f"Channels count from 0, so {args.channel} is none.")
    check_overlay(args.out)
    entry = options.check_model(args)
    photo = read_photo(args.image)

    from vision_core.cli.style import save
    from vision_core.export import strict
    from vision_core.style.dream import dream

    frames = dream(options.load_model(args), photo, args.layer, args.channel, settings)
    scores = []
    for last in frames:
        scores.append(last.score)
    save(args.out, last.picture)
    if args.json != "-":
        print(f"{args.layer}: {scores[0]:.4g} to {scores[-1]:.4g} in {last.total} steps")
    if args.json is not None:
        told = {"layer": args.layer, "channel": args.channel, "settings": settings.record()}
        with json_stream(args.json) as stream:
            write_json(stream, strict({"model": entry.name, **told, "scores": scores}))
    return 0
