"""``style``: the content of a photo in the style of another picture, step by step."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vision_core.cli import options, places
from vision_core.cli.output import add_json, cannot_write, json_stream, write_json
from vision_core.errors import UserError
from vision_core.style.settings import (
    CONTENT_LAYERS,
    MOST_STEPS,
    OPTIMISERS,
    STARTS,
    STYLE_LAYERS,
    StyleSettings,
)

if TYPE_CHECKING:
    import numpy as np

_EVERY = 10
_PATTERN = "pattern:"


def register(subparsers: Any) -> None:
    """Add the command to the command line."""
    usual = StyleSettings()
    parser = subparsers.add_parser("style", help="paint a photo in the style of another picture")
    parser.add_argument("content", metavar="CONTENT", help="photo")
    parser.add_argument("style", metavar="STYLE", help="picture, or pattern:mosaic and the like")
    parser.add_argument("--out", required=True, type=Path, metavar="FILE.png")
    parser.add_argument("--steps", type=int, default=100, metavar="N", help=f"1 to {MOST_STEPS}")
    group = parser.add_argument_group("settings")
    for name, layers in (("style", STYLE_LAYERS), ("content", CONTENT_LAYERS)):
        group.add_argument(
            f"--{name}-layers", default=",".join(layers), metavar="A,B", help="with commas between"
        )
    for name, words in (
        ("style_weight", "weight of the style (default 100)"),
        ("content_weight", "weight of the content"),
        ("smoothness", "weight of total variation"),
        ("rate", "learning rate of Adam"),
    ):
        group.add_argument(
            f"--{name.replace('_', '-')}", type=float, default=getattr(usual, name), help=words
        )
    group.add_argument("--optimiser", default=usual.optimiser, help=" or ".join(OPTIMISERS))
    group.add_argument("--start", default=usual.start, help=" or ".join(STARTS))
    group.add_argument("--max-pooling", action="store_true", help="in place of average pooling")
    group.add_argument("--side", type=int, default=usual.side, help="longer side, pixels")
    group.add_argument("--seed", type=int, default=0, help="of the noise")
    options.add_model(parser)
    add_json(parser, bare=False)
    places.reads(parser, "content", "CONTENT")
    places.writes(parser, "out")
    parser.set_defaults(run=run, model="vgg_s")


def run(args: argparse.Namespace) -> int:
    """Write the picture; ``--json`` gets settings and losses.

    Raises:
        UserError: a file, a layer or a setting that cannot be used.
    """
    from vision_core.cli.photos import check_overlay, read_photo

    if not 1 <= args.steps <= MOST_STEPS:
        raise UserError(f"--steps must lie from 1 to {MOST_STEPS}, not {args.steps}.")
    check_overlay(args.out)
    settings = _settings(args)
    entry = options.check_model(args)
    content = read_photo(args.content)
    if args.style.startswith(_PATTERN):
        from vision_core.style.patterns import pattern

        style = pattern(args.style.removeprefix(_PATTERN))
    else:
        style = read_photo(args.style)

    from vision_core.export import strict
    from vision_core.style.transfer import StyleRun

    made = StyleRun(options.load_model(args), content, style, settings)
    loud = args.json != "-"
    if loud:
        print(f"{entry.name}, {len(settings.style_layers)} style layers")
        print("step    content loss    style loss")
    for number in range(args.steps + 1):
        last = made.grow(1) if number else made.history[0]
        if loud and (number % _EVERY == 0 or number == args.steps):
            print(f"{number:4} {last.content:15.5g} {last.style:13.5g}")
    save(args.out, made.picture)
    if args.json is not None:
        with json_stream(args.json) as stream:
            write_json(stream, strict({"model": entry.name, **made.record()}))
    return 0


def _settings(args: argparse.Namespace) -> StyleSettings:
    def names(text: str) -> tuple[str, ...]:
        return tuple(name for name in text.split(",") if name)

    return StyleSettings(
        content_layers=names(args.content_layers),
        style_layers=names(args.style_layers),
        content_weight=args.content_weight,
        style_weight=args.style_weight,
        smoothness=args.smoothness,
        optimiser=args.optimiser,
        rate=args.rate,
        start=args.start,
        seed=args.seed,
        average=not args.max_pooling,
        side=args.side,
    )


def save(path: Path, pixels: np.ndarray) -> None:
    """Write a picture in the format that its name asks for.

    Raises:
        UserError: it cannot be written.
    """
    from PIL import Image

    try:
        Image.fromarray(pixels).save(path)
    except (OSError, ValueError) as error:
        told = error if isinstance(error, OSError) else OSError(0, "no picture format of this name")
        raise UserError(cannot_write(path, told)) from None
