"""Arrays of numbers as short text for the address bar: ``1,2;3,4`` is two rows of two.

Commas part the numbers of a row, semicolons the rows, ``|`` the channels, ``/`` the filters.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

_SIGNS = ",;|/"
_MOST = 4000


def to_text(array: Any) -> str:
    """The text of an array of one to four dimensions."""
    values = np.asarray(array, dtype=float)

    def join(part: np.ndarray) -> str:
        if part.ndim == 0:
            return f"{float(part):.6g}"
        return _SIGNS[part.ndim - 1].join(join(inner) for inner in part)

    return join(values)


def to_array(text: str, dims: int) -> list[Any]:
    """The nested lists that a text stands for.

    Raises:
        ValueError: no numbers, too many of them, or rows of unequal length.
    """

    def split(part: str, depth: int) -> Any:
        if depth == 0:
            value = float(part)
            if not abs(value) < 1e100:
                raise ValueError("finite numbers")
            return int(value) if value == int(value) else value
        return [split(inner, depth - 1) for inner in part.split(_SIGNS[depth - 1])]

    found = split(text, dims)
    if np.asarray(found, dtype=float).size > _MOST:
        raise ValueError(f"at most {_MOST} numbers")
    return found


def parser(dims: int) -> Callable[[str], str]:
    """For a field of the address bar: the text itself, once it is known to stand for numbers."""

    def parse(text: str) -> str:
        try:
            return to_text(to_array(text, dims))
        except ValueError:
            raise ValueError("numbers, such as 1,2;3,4 for two rows") from None

    return parse


def resized(array: Any, sizes: tuple[int, ...], fill: Callable[[int, int], float]) -> np.ndarray:
    """The array with its last axes cut or continued.

    Args:
        array: of at least ``len(sizes)`` dimensions.
        sizes: of the last axes.
        fill: row and column to a new number.
    """
    old = np.asarray(array, dtype=float)
    new = np.empty((*old.shape[: old.ndim - len(sizes)], *sizes))
    for cell in np.ndindex(*new.shape):
        inside = all(i < n for i, n in zip(cell, old.shape, strict=True))
        row = cell[-2] if len(sizes) > 1 else 0
        new[cell] = old[cell] if inside else fill(row, cell[-1])
    return new
