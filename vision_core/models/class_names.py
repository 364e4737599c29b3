"""Class names for a network of one's own: from a text or a file to a card. No PyTorch here."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from vision_core.errors import UserError
from vision_core.models.cards import Card

BACKGROUND = "__background__"
LONGEST = 100
"""Characters of a name."""
MOST = 30_000
"""Names; the largest data sets with names have some 22,000 classes."""


def read_names(text: str) -> tuple[str, ...]:
    """Names of classes, in the order of the network's outputs.

    Args:
        text: one name a line, empty lines left out; or JSON: a list of names, or an object from the
            number of a class to its name (or to a list that ends with it, as ImageNet's has).

    Raises:
        UserError: there are none, too many, one is too long, or the JSON is something else.
    """
    plain = text.lstrip("\ufeff").strip()
    found = _from_json(plain) if plain[:1] in ("{", "[") else plain.splitlines()
    names = tuple(" ".join(name.split()) for name in found)
    names = tuple(name for name in names if name)
    if not names:
        raise UserError("There are no class names; write one a line.")
    if len(names) > MOST:
        raise UserError(f"There are {len(names):,} class names; at most {MOST:,} are taken.")
    long = next((name for name in names if len(name) > LONGEST), None)
    if long is not None:
        raise UserError(
            f"The class name “{long[:20]}…” has {len(long)} characters; at most {LONGEST} are "
            "taken. Write one name a line."
        )
    return names


def _from_json(text: str) -> list[str]:
    wanted = "a list of names, or an object from the number of each class to its name"
    try:
        told: Any = json.loads(text)
        if isinstance(told, dict):
            by_number = {int(key): value for key, value in told.items()}
            told = [by_number[i] for i in range(len(by_number))]
        names = [one[-1] if isinstance(one, list) and one else one for one in told]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise UserError(f"The class names are no JSON that can be used; give {wanted}.") from None
    if not all(isinstance(name, str) for name in names):
        raise UserError(f"The class names are no JSON that can be used; give {wanted}.")
    return names


def named(card: Card, names: Sequence[str]) -> Card:
    """The card with other class names.

    Args:
        card: of the network, with as many labels as it has outputs.
        names: one for each of them. For boxes and class maps, whose first output is the
            background, the name of the background may be left out.

    Raises:
        UserError: another number of names than of classes.
    """
    count, given = len(card.labels), tuple(names)
    if card.task in ("classification", "pose"):
        fits = f"{count}"
    else:
        fits = f"{count - 1}, or {count} with that of the background first"
        if len(given) == count - 1:
            given = (BACKGROUND, *given)
    if len(given) != count:
        raise UserError(
            f"{len(names)} class name{'' if len(names) == 1 else 's'} came, and the network has "
            f"{count} outputs; give {fits}."
        )
    return replace(card, labels=given)
