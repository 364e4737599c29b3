"""Mistakes that a user can mend, each told in one sentence."""

from __future__ import annotations

from typing import Any


class UserError(ValueError):
    """Something the user gave cannot be used; ``str(error)`` says what is wrong and what to do.

    The command line prints the sentence and exits with status 2; a page shows it in place of
    the result. Anything else that is raised is a fault of ours.
    """


class WeightsMissing(UserError):
    """The weights of a catalogue model are neither bundled, cached nor in the user's folder.

    Attributes:
        card: the card of the model, so that a page can offer the download or a bundled model.
    """

    def __init__(self, message: str, card: Any) -> None:
        super().__init__(message)
        self.card = card


def no_place_for(model: str) -> UserError:
    """The error for a classifier, whose answer has no box that COCO JSON could hold."""
    return UserError(
        f"{model} is a classifier, and COCO JSON holds boxes and masks; "
        f"choose a detection, segmentation or pose model."
    )
