"""How many classes and pictures a user may bring; told before any picture is read."""

from __future__ import annotations

from collections.abc import Mapping

from vision_core.errors import UserError

CROPPED = ("cat", "astronaut", "coffee", "china", "flower")
"""The sample photos whose crops are told apart."""
MOST_CLASSES = 8
MOST_PICTURES = 30
"""Of one class of the user's; more are refused, so that a session stays small."""


def check_classes(counts: Mapping[str, int]) -> None:
    """Refuse classes from which nothing can be learned, or too much of them.

    Args:
        counts: pictures of each class.

    Raises:
        UserError: saying what is missing.
    """
    if not 2 <= len(counts) <= MOST_CLASSES:
        raise UserError(
            f"A network is taught with 2 to {MOST_CLASSES} classes, and there are {len(counts)}."
        )
    for label, count in counts.items():
        if not 2 <= count <= MOST_PICTURES:
            raise UserError(
                f"The class {label!r} has {count} pictures; it takes 2 to {MOST_PICTURES}, and "
                "about ten are good."
            )
