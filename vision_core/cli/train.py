"""``train``: run the recipe of a bundled network again, from the data."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import Any

from vision_core.cli.options import check_device
from vision_core.errors import UserError
from vision_core.models.cards import BUNDLED


def register(subparsers: Any) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "train",
        help="train a bundled network from the data sets",
        description="Train a bundled network; writes checkpoint, log, weights and card to --out.",
    )
    parser.add_argument("recipe", metavar="RECIPE", help="a bundled network: " + ", ".join(BUNDLED))
    parser.add_argument(
        "--data", type=Path, required=True, metavar="DIR", help="folder of the data sets"
    )
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="folder for the results (default out/RECIPE)"
    )
    length = parser.add_mutually_exclusive_group()
    length.add_argument(
        "--minutes",
        type=float,
        default=30.0,
        metavar="M",
        help="wall-clock length of the run; the learning rate reaches 0 at its end (default 30)",
    )
    length.add_argument("--steps", type=int, metavar="N", help="length in steps instead")
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="seed of all random numbers"
    )
    parser.add_argument(
        "--init",
        type=Path,
        metavar="WEIGHTS",
        help="safetensors file to start from; every tensor that fits is taken",
    )
    parser.add_argument(
        "--rate",
        type=float,
        default=1.0,
        metavar="F",
        help="factor on the learning rate, below 1 to go on from finished weights (default 1)",
    )
    parser.add_argument(
        "--threads", type=int, default=0, metavar="N", help="CPU threads (default: PyTorch's)"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps (default auto)")
    parser.add_argument(
        "--cache",
        type=Path,
        metavar="DIR",
        help="folder for decoded pictures (default ~/.cache/convscope)",
    )
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint in --out")
    parser.add_argument(
        "--piece",
        type=float,
        metavar="M",
        help="stop after M minutes with a checkpoint; the same call with --resume goes on",
    )
    parser.add_argument(
        "--compile",
        action="store_true",
        help="let torch.compile fuse the network; needs a C++ compiler on a CPU",
    )
    parser.add_argument(
        "--half",
        action="store_true",
        help="multiply in bfloat16 on a CPU too (faster where it has AVX512-BF16 or AMX)",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Train, and say where the results lie."""
    known = ("trunk_s", *BUNDLED)
    if args.recipe not in known:
        raise UserError(f"There is no recipe {args.recipe!r}; choose one of {', '.join(known)}.")
    check_device(args.device)
    _check(args)

    from vision_core import devices
    from vision_core.training.loop import Options
    from vision_core.training.recipes import train

    options = Options(
        data=args.data,
        out=args.out or Path("out") / args.recipe,
        cache=args.cache,
        minutes=args.minutes,
        steps=args.steps,
        seed=args.seed,
        threads=args.threads,
        device=str(devices.resolve(args.device)),
        init=args.init,
        rate=args.rate,
        resume=args.resume,
        piece=args.piece,
        compile=args.compile,
        half=args.half,
    )
    path = train(args.recipe, options)
    if path is None:
        print(f"This piece is over; the same command with --resume goes on from {options.out}.")
        return 0
    print(f"Weights and card: {path.with_suffix('.safetensors')}, {path}")
    return 0


def _check(args: argparse.Namespace) -> None:
    """Refuse a number or a file that cannot be used.

    Raises:
        UserError: naming the option.
    """
    for name in ("minutes", "piece"):
        value = getattr(args, name)
        if value is not None and not 0 < value < math.inf:
            raise UserError(f"--{name} must be above 0, and {value:g} is not.")
    if args.steps is not None and args.steps < 1:
        raise UserError(f"--steps must be at least 1, and {args.steps} is not.")
    if not 0 < args.rate < math.inf:
        raise UserError(f"--rate must be above 0, and {args.rate:g} is not.")
    if args.threads < 0:
        raise UserError(f"--threads must be 0 or more, and {args.threads} is not.")
    if not args.data.is_dir():
        raise UserError(f"The data folder {args.data} does not exist; name another with --data.")
    if args.init is not None and not args.init.is_file():
        raise UserError(f"The weights {args.init} do not exist; name other ones with --init.")
