"""Numbers that whoever runs a server sets in the environment; anything odd gives the default."""

from __future__ import annotations

import os

MEGABYTE = 2**20


def number(variable: str, default: int) -> int:
    """What the variable holds if it is a whole number above 0, else the default."""
    text = os.environ.get(variable, "").strip()
    return (int(text) if text.isdecimal() and int(text) else 0) or default


def megabytes(variable: str, default: int) -> int:
    """Bytes of a cap that the variable gives in megabytes; the default is in megabytes too."""
    return number(variable, default) * MEGABYTE
