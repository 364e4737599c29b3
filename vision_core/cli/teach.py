"""``teach``: a small network learns digits, crops or photos of your own classes."""

from __future__ import annotations

import argparse
import dataclasses
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vision_core.cli import places
from vision_core.cli.output import STDOUT, add_json, json_stream, write_json
from vision_core.errors import UserError
from vision_core.teaching.settings import MOST_EPOCHS, OPTIMISERS, LearningSettings

if TYPE_CHECKING:
    from vision_core.teaching.data import LearningSet
    from vision_core.teaching.run import LearningRun

WAYS = ("head", "all", "scratch")
_ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff")


def register(subparsers: Any) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "teach",
        help="teach a small network, epoch by epoch",
        description="Teach a small network digits, crops of the sample photos, or your own photos.",
    )
    parser.add_argument(
        "--data",
        default="digits",
        metavar="DATA",
        help="digits, crops, or a folder with a folder of photos for each class (default digits)",
    )
    parser.add_argument(
        "--transfer",
        metavar="WAY",
        help="teach resnet_s with a new last layer instead: head (its trunk is frozen), all, or "
        "scratch (random weights)",
    )
    parser.add_argument(
        "--epochs", type=int, default=10, metavar="N", help=f"1 to {MOST_EPOCHS} (default 10)"
    )
    _add_settings(parser)
    parser.add_argument("--save", type=Path, metavar="FILE.safetensors", help="where to write it")
    places.writes(parser, "save")
    add_json(parser)
    parser.set_defaults(run=run)


def _add_settings(parser: argparse.ArgumentParser) -> None:
    usual = LearningSettings()
    group = parser.add_argument_group("settings")
    group.add_argument(
        "--optimiser", default=usual.optimiser, metavar="NAME", help=" or ".join(OPTIMISERS)
    )
    for name, kind, words in (
        ("rate", float, "learning rate"),
        ("momentum", float, "of SGD"),
        ("width", int, "filters of the first layer; each later one has twice as many"),
        ("depth", int, "convolutions, 1 to 4"),
        ("dropout", float, "probability, before the last layer"),
        ("decay", float, "L2 penalty on the weights"),
        ("batch", int, "pictures in one step"),
        ("seed", int, "of all chance"),
    ):
        value = getattr(usual, name)
        group.add_argument(
            f"--{name}", type=kind, default=value, help=f"{words} (default {value:g})"
        )
    group.add_argument("--batch-norm", action="store_true", help="BatchNorm after convolutions")
    group.add_argument("--augment", action="store_true", help="move pictures, mirror photos")


def run(args: argparse.Namespace) -> int:
    """Print loss and accuracy of both parts after each epoch; ``--json`` writes them.

    Raises:
        UserError: a setting outside its range, or a folder from which nothing can be learned.
    """
    names = [field.name for field in dataclasses.fields(LearningSettings)]
    settings = LearningSettings(**{name: getattr(args, name) for name in names})
    if not 1 <= args.epochs <= MOST_EPOCHS:
        raise UserError(f"--epochs must lie from 1 to {MOST_EPOCHS}, not {args.epochs}.")
    _check_transfer(args.transfer, args.data)
    files = None if args.data in ("digits", "crops") else _files(Path(args.data))

    from vision_core.export import strict
    from vision_core.teaching.keeping import record, set_words

    data = _data(args.data, files, args.transfer is not None)
    made, model = _student(args.transfer, data, settings)
    loud = args.json != STDOUT
    if loud:
        print(f"{set_words(data)}.")
        print("epoch      loss  accuracy   val loss  val accuracy")
    for number in range(args.epochs + 1):
        last = made.learn(1)[-1] if number else made.history[0]
        if loud:
            print(
                f"{number:5} {last.loss:9.4f} {last.accuracy:9.3f} {last.val_loss:10.4f} "
                f"{last.val_accuracy:13.3f}"
            )
    if args.save is not None:
        _save(args.save, made, args.transfer or "", model)
    if args.json is not None:
        with json_stream(args.json) as stream:
            write_json(stream, strict({**record(made), "transfer": args.transfer}))
    return 0


def _check_transfer(way: str | None, data: str) -> None:
    if way is None:
        return
    if way not in WAYS:
        raise UserError(f"There is no way {way!r} to transfer; choose {', '.join(WAYS)}.")
    if data == "digits":
        raise UserError(
            "Transfer learning takes photos; name crops or a folder with --data, not digits."
        )


def _files(folder: Path) -> dict[str, list[Path]]:
    """The photos of each class.

    Raises:
        UserError: the folder is not there, or its classes cannot be learned.
    """
    from vision_core.teaching.counts import check_classes

    if not folder.is_dir():
        raise UserError(
            f"There is no data {str(folder)!r}; it is digits, crops, or a folder with a folder of "
            "photos for each class."
        )
    found = {
        part.name: sorted(f for f in part.iterdir() if f.suffix.lower() in _ENDINGS)
        for part in sorted(folder.iterdir())
        if part.is_dir()
    }
    check_classes({name: len(photos) for name, photos in found.items()})
    return found


def _data(name: str, files: dict[str, list[Path]] | None, large: bool) -> LearningSet:
    from vision_core import samples
    from vision_core.cli.photos import read_photo
    from vision_core.teaching import data
    from vision_core.teaching.counts import CROPPED

    side = data.STORED if large else data.SIDE
    if name == "digits":
        return data.digits()
    if files is None:
        return data.crops({n: samples.sample(n) for n in CROPPED}, side)
    squares = {
        label: [data.square(read_photo(str(file)).pixels) for file in photos]
        for label, photos in files.items()
    }
    return data.from_squares(squares, Path(name).name, side)


def _student(
    way: str | None, data: LearningSet, settings: LearningSettings
) -> tuple[LearningRun, Any]:
    from vision_core.teaching.run import LearningRun

    if way is None:
        return LearningRun(data, settings), None
    from vision_core import models
    from vision_core.teaching import transfer

    model = models.load(transfer.TRUNK, device="cpu")
    return transfer.student(way, model, data, settings), model


def _save(path: Path, made: LearningRun, way: str, model: Any) -> None:
    from vision_core.cli.output import cannot_write
    from vision_core.teaching.keeping import as_bytes
    from vision_core.teaching.transfer import whole_network

    if not math.isfinite(made.history[-1].loss):
        raise UserError("Nothing is saved: the loss is no longer a finite number.")
    network = whole_network(way, made, model) if way else None
    try:
        path.write_bytes(as_bytes(made, network, way))
    except OSError as error:
        raise UserError(cannot_write(path, error)) from None
