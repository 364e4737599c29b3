"""The catalogue as a session sees it: its own networks first, then everybody's."""

from __future__ import annotations

from pages.shared import own_networks
from vision_core import models
from vision_core.models import Card
from vision_core.models.own_file import is_own


def cards(task: str | None = None) -> tuple[Card, ...]:
    """The session's own networks and the catalogue's, optionally of one task."""
    return (*own_networks.cards(task), *models.cards(task))


def card(name: str) -> Card:
    """The card of a model.

    Raises:
        UserError: there is no such model in this session.
    """
    return own_networks.card(name) or models.card(name)


def private(name: str) -> bool:
    """Whether a name is that of somebody's own network."""
    return is_own(name)
