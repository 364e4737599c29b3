"""What a ready example of an operator is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Preset:
    """Parameters of an operator that make one point.

    Attributes:
        name: in small letters with hyphens.
        shows: what to look at, one sentence.
        params: keyword arguments of the operator, plain lists and numbers.
    """

    name: str
    shows: str
    params: dict[str, Any]
