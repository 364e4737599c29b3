"""``activations``: the output of a layer for a photo, as an array."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from vision_core.cli import options, places
from vision_core.cli.output import add_json, cannot_write, json_stream, write_json
from vision_core.errors import UserError


def register(subparsers: Any) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser("activations", help="save the output of a layer")
    parser.add_argument("image", metavar="IMAGE", help="file, or - for standard input")
    parser.add_argument("--layer", required=True, metavar="LAYER", help="name of a module")
    parser.add_argument(
        "--out",
        required=True,
        type=Path,
        metavar="A.npy",
        help="float32 array, one axis for channels, then rows and columns",
    )
    options.add_model(parser)
    add_json(parser, bare=False)
    places.reads(parser, "image", "IMAGE", dash=True)
    places.writes(parser, "out")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write the array and say its shape."""
    from vision_core.cli.photos import read_photo

    options.check_model(args)
    photo = read_photo(args.image)

    import numpy as np

    from vision_core.export import image_record, strict
    from vision_core.features.activations import activations

    model = options.load_model(args)
    found = activations(model, photo, args.layer)
    try:
        with args.out.open("wb") as stream:
            np.save(stream, found.values)
    except OSError as error:
        raise UserError(cannot_write(args.out, error)) from None
    if args.json is not None:
        record = {
            "model": model.name,
            "image": image_record(photo),
            "layer": found.layer,
            "shape": list(found.values.shape),
            "min": float(found.values.min()),
            "max": float(found.values.max()),
            "mean": float(found.values.mean()),
            "calls": found.calls,
        }
        with json_stream(args.json) as stream:
            write_json(stream, strict(record))
    if args.json != "-":
        print(
            f"{found.layer}: {'x'.join(map(str, found.values.shape))}, "
            f"{found.values.min():.4g} to {found.values.max():.4g}"
        )
    return 0
