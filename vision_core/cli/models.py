"""``models``: the catalogue."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vision_core.cli.output import add_json, json_stream, megabytes, table, write_json

if TYPE_CHECKING:
    from vision_core.models import Card


def register(subparsers: Any) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser("models", help="list the models of the catalogue")
    parser.add_argument("--task", help="only this task, e.g. detection")
    parser.add_argument("--folder", type=Path, metavar="DIR", help="where else to look for weights")
    add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """List the models, as a table or as a JSON list."""
    from vision_core.models import cards, status

    found = [(card, status(card, args.folder)) for card in cards(args.task)]
    if args.json is not None:
        with json_stream(args.json) as stream:
            write_json(stream, [as_dict(c, s) for c, s in found], indent=1)
        return 0
    rows = [("NAME", "TASK", "FAMILY", "CLASSES", "PARAMETERS", "SIZE", "STATUS", "SCORE")]
    for card, state in found:
        score = f"{card.scores[0].value:g} {card.scores[0].metric}" if card.scores else ""
        rows.append(
            (
                card.name,
                card.task,
                card.family,
                str(len(card.classes)),
                f"{card.parameters:,}",
                megabytes(card.bytes),
                state,
                score,
            )
        )
    print(table(rows, right=(3, 4, 5)))
    return 0


def as_dict(card: Card, state: str) -> dict[str, Any]:
    """A card as JSON values; ``classes`` are the names, without background and unused ids."""
    paper = card.paper
    return {
        "name": card.name,
        "title": card.title,
        "task": card.task,
        "family": card.family,
        "classes": list(card.classes),
        "joints": list(card.joints),
        "parameters": card.parameters,
        "bytes": card.bytes,
        "status": state,
        "scores": [s._asdict() for s in card.scores],
        "licence": card.licence,
        "paper": None if paper is None else vars(paper).copy(),
        "weights": card.weights,
        "url": card.url,
        "input": card.input,
        "limits": card.limits,
    }
