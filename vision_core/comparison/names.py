"""Which models can be compared, told from their names alone; no PyTorch here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from vision_core.errors import UserError
from vision_core.labels import comparable
from vision_core.models import Card, card

MOST = 4


def check_names(names: Sequence[str], classes: Iterable[str] | None = None) -> list[Card]:
    """The cards of the models to compare.

    Args:
        names: two to four names of the catalogue.
        classes: names of the classes that are to be shown.

    Raises:
        UserError: another number of models, a name that is not in the catalogue, or a class that
            no model knows.
    """
    if not 2 <= len(names) <= MOST:
        raise UserError(f"A comparison takes 2 to {MOST} models, not {len(names)}.")
    entries = [card(name) for name in names]
    known = {comparable(c) for entry in entries for c in entry.classes}
    for name in classes or ():
        if comparable(name) not in known:
            raise UserError(f"None of these models knows the class {name!r}; leave it out.")
    return entries
