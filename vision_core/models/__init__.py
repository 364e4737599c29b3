"""The catalogue of models: cards (data), weights (find, verify, download) and loading.

``load`` and ``Model`` are imported when they are first used: cards alone do not wait for PyTorch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vision_core.models.cards import (
    TASKS,
    Card,
    Paper,
    Score,
    bundled_alternative,
    card,
    cards,
    default_card,
)
from vision_core.models.weights import download, find, status, verify

if TYPE_CHECKING:
    from vision_core.models.loading import Model, load

__all__ = [
    "TASKS",
    "Card",
    "Model",
    "Paper",
    "Score",
    "bundled_alternative",
    "card",
    "cards",
    "default_card",
    "download",
    "find",
    "load",
    "status",
    "verify",
]


def __getattr__(name: str) -> Any:
    if name not in ("Model", "load"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from vision_core.models import loading

    return getattr(loading, name)
