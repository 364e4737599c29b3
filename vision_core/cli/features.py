"""``features``: photos as points of a layer, with neighbours, a map and what excites a channel."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vision_core.cli import options, places
from vision_core.cli.output import STDOUT, add_json, json_stream, write_json
from vision_core.errors import UserError

if TYPE_CHECKING:
    from vision_core.space.pictures import SmallPicture

MOST = 500
_METRICS, _MAPS = ("euclidean", "cosine"), ("pca", "tsne")


def register(subparsers: Any) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser("features", help="photos as points of a layer, and neighbours")
    parser.add_argument("images", nargs="+", metavar="IMAGE", help="files, at least two")
    options.add_model(parser)
    parser.add_argument("--layer", metavar="LAYER", help="a deep one if left out")
    parser.add_argument("--nearest", type=int, default=5, metavar="K", help="neighbours of each")
    parser.add_argument("--metric", choices=_METRICS, default="euclidean", help="of neighbours")
    parser.add_argument("--map", choices=_MAPS, default="pca", help="the map in two dimensions")
    parser.add_argument(
        "--perplexity", type=float, default=15.0, metavar="P", help="of a t-SNE, from 1 on"
    )
    parser.add_argument(
        "--channel", type=int, metavar="C", help="tell the patches that excite this one most"
    )
    add_json(parser, bare=False)
    places.reads(parser, "images", "IMAGE")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the nearest photo of each; ``--json`` writes vectors, neighbours and the map."""
    _check(args)
    options.check_model(args)
    pictures, sizes = _pictures(args.images)

    from vision_core.export import strict
    from vision_core.features.activations import map_layers
    from vision_core.space.report import record, usual_layer

    model = options.load_model(args)
    layer = args.layer or usual_layer(map_layers(model, pictures[0].photo))
    told = record(
        model,
        pictures,
        layer,
        count=args.nearest,
        metric=args.metric,
        kind=args.map,
        perplexity=args.perplexity,
        channel=args.channel,
    )
    for row, size in zip(told["pictures"], sizes, strict=True):
        row["size"] = size
    if args.json is not None:
        with json_stream(args.json) as stream:
            write_json(stream, strict({"model": model.name, **told}))
    if args.json != STDOUT:
        print("\n".join(_words(told)))
    return 0


def _check(args: argparse.Namespace) -> None:
    """Refuse numbers that cannot be meant.

    Raises:
        UserError: naming the option.
    """
    if len(args.images) < 2:
        raise UserError("A gallery needs at least two photos; name more.")
    if len(args.images) > MOST:
        raise UserError(f"A gallery holds {MOST} photos at most, not {len(args.images)}.")
    if args.nearest < 1:
        raise UserError(f"--nearest must be at least 1, not {args.nearest}.")
    if not 1 <= args.perplexity < float("inf"):
        raise UserError(f"--perplexity must be at least 1, not {args.perplexity:g}.")
    if args.channel is not None and args.channel < 0:
        raise UserError(f"Channels count from 0, so {args.channel} is none.")


def _pictures(names: list[str]) -> tuple[list[SmallPicture], list[list[int]]]:
    """The photos as pictures of a gallery, and the (width, height) of each that was read."""
    from vision_core.cli.photos import read_photo

    photos = [read_photo(name) for name in names]

    from vision_core.space.pictures import SmallPicture, cut, label_of

    made, sizes = [], []
    sorted_out = len({Path(name).parent for name in names}) > 1  # a folder is a class
    for name, photo in zip(names, photos, strict=True):
        label = label_of(name if sorted_out else Path(name).name)
        made.append(SmallPicture(cut(photo), photo.name, label))
        sizes.append([photo.width, photo.height])
    return made, sizes


def _words(told: dict[str, Any]) -> list[str]:
    """A line for each photo."""
    rows = told["pictures"]
    lines = [f"at {told['layer']}, {len(rows[0]['vector'])} channels:"]
    for row in rows:
        near, plain = row["nearest"][0], row["nearest_by_pixels"][0]
        lines.append(
            f"{row['name']}: nearest {rows[near['picture']]['name']} ({near['distance']:.3g}), "
            f"by pixels {rows[plain['picture']]['name']}"
        )
    for patch in (told["patches"] or {}).get("strongest", ())[:5]:
        box = ",".join(str(v) for v in patch["box"])
        lines.append(f"{patch['value']:.3g} in {rows[patch['picture']]['name']} at {box}")
    return lines
