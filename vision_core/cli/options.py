"""Options that several commands share: which model, on which device, at which thresholds."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vision_core.cli import places
from vision_core.errors import UserError

if TYPE_CHECKING:
    from vision_core.models import Card, Model

DEVICES = ("auto", "cpu", "cuda", "mps")
_FIELDS = {  # argument -> field of Thresholds
    "score": "score",
    "iou": "iou",
    "nms": "nms",
    "sigma": "sigma",
    "max": "max_detections",
}


def add_model(parser: argparse.ArgumentParser) -> None:
    """``--model``, ``--weights``, ``--folder`` and ``--device``."""
    group = parser.add_argument_group("model")
    group.add_argument("--model", metavar="NAME", help="the bundled detector if left out")
    group.add_argument("--weights", type=Path, metavar="FILE", help="your own checkpoint for it")
    group.add_argument("--folder", type=Path, metavar="DIR", help="where else to look for weights")
    group.add_argument(
        "--labels", type=Path, metavar="FILE", help="class names for --weights: one a line, or JSON"
    )
    places.reads(parser, "weights")
    places.reads(parser, "labels")
    group.add_argument("--device", default="auto", help=f"one of {', '.join(DEVICES)}")


def check_model(args: argparse.Namespace) -> Card:
    """The card of the model that ``add_model``'s options name; all that is told without PyTorch.

    Raises:
        UserError: no such model or device, or a class that it does not know.
        WeightsMissing: its weights are not on this machine.
    """
    from vision_core.models.weights import require

    entry = _entry(args)
    check_device(args.device)
    _labels(args)
    if args.weights is None:
        require(entry, args.folder)
        check_classes(getattr(args, "classes", None), entry)
    return entry


def _entry(args: argparse.Namespace) -> Card:
    """The card; a file of a network that was taught here says itself what it is."""
    from vision_core.models import card, default_card

    if (form := _taught(args)) is not None:
        from vision_core.models.own_file import TAUGHT, taught_card

        return taught_card(args.weights) if form == TAUGHT else card(form)
    return card(args.model) if args.model else default_card()


def _taught(args: argparse.Namespace) -> str | None:
    from vision_core.models.own_file import architecture_of

    form = None if args.weights is None else architecture_of(args.weights)
    return form if args.model in (None, form) else None


def _labels(args: argparse.Namespace) -> tuple[str, ...]:
    """The class names in the file that ``--labels`` names; none without it."""
    from vision_core.models.class_names import read_names

    if args.labels is None:
        return ()
    if args.weights is None:
        raise UserError("--labels names the classes of your own checkpoint; give --weights too.")
    try:
        return read_names(args.labels.read_text("utf-8"))
    except UnicodeDecodeError:
        raise UserError(f"{args.labels} is no text in UTF-8; save it as such.") from None


def check_device(name: str) -> None:
    """Refuse a device that no machine has.

    Raises:
        UserError: naming it.
    """
    if name.partition(":")[0] not in DEVICES:
        raise UserError(f"There is no device {name!r}; choose one of {', '.join(DEVICES)}.")


def load_model(args: argparse.Namespace) -> Model:
    """The model that ``add_model``'s options name; PyTorch is imported here.

    Raises:
        UserError: see ``vision_core.models.load``.
    """
    from vision_core.models import default_card, load

    if _taught(args) is not None:
        from vision_core.teaching.taught import load_taught

        return load_taught(args.weights, _labels(args), args.device)
    return load(
        args.model or default_card().name,
        device=args.device,
        weights=args.weights,
        folder=args.folder,
        labels=_labels(args),
    )


def add_thresholds(parser: argparse.ArgumentParser) -> Any:
    """The fields of ``Thresholds``; returns the argument group, for more of the kind."""
    group = parser.add_argument_group("thresholds (the model's own where left out)")
    group.add_argument("--score", type=float, metavar="S", help="lowest score that is kept, 0 to 1")
    group.add_argument("--iou", type=float, metavar="T", help="NMS threshold, 0 to 1")
    group.add_argument("--nms", metavar="KIND", help="hard, soft-linear, soft-gaussian or none")
    group.add_argument("--sigma", type=float, metavar="G", help="sigma of Gaussian soft NMS")
    group.add_argument("--agnostic", action="store_true", help="run NMS across classes")
    group.add_argument("--max", type=int, metavar="N", help="keep at most N detections")
    group.add_argument(
        "--class",
        dest="classes",
        action="append",
        metavar="NAME",
        help="show this class only; may be given again",
    )
    return group


def given_thresholds(args: argparse.Namespace) -> dict[str, Any]:
    """The thresholds that the user named; wrong ones are refused before a model is loaded.

    Raises:
        UserError: a value outside its range.
    """
    from vision_core.records import Thresholds

    given = {field: getattr(args, option) for option, field in _FIELDS.items()}
    given = {field: value for field, value in given.items() if value is not None}
    if args.agnostic:
        given["agnostic"] = True
    if args.classes:
        given["classes"] = frozenset(args.classes)
    Thresholds(**given)
    return given


def check_classes(names: list[str] | None, card: Card) -> None:
    """Refuse class names that a model does not know.

    Args:
        names: of the classes.
        card: of the model with its weights.

    Raises:
        UserError: naming the first of them.
    """
    labels = card.classes
    unknown = [name for name in names or () if name not in labels]
    if unknown:
        few = ", ".join(labels[:8]) + (" ..." if len(labels) > 8 else "")
        raise UserError(f"{card.name} knows no class {unknown[0]!r}; it knows {few}.")


def numbers(text: str, count: int, what: str) -> list[float]:
    """Numbers between commas.

    Raises:
        UserError: other text, or another count.
    """
    try:
        values = [float(part) for part in text.split(",")]
    except ValueError:
        values = []
    if len(values) != count:
        raise UserError(f"{what} takes {count} numbers with commas between, not {text!r}.")
    return values
