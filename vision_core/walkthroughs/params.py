"""Checks of what the user gave: arrays, sizes, switches."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from vision_core.errors import UserError
from vision_core.walkthroughs.types import Array

_LARGEST = 1e100  # products of two stay far from infinity
_LARGEST_INTEGER = 10_000
_AXES = {1: ("length",), 2: ("height", "width")}


def numbers(value: Any, name: str, dims: Sequence[int]) -> Array:
    """A float64 array from nested lists or an array.

    Args:
        value: lists of equal lengths, or anything that NumPy reads.
        name: of the parameter, for the sentence.
        dims: numbers of dimensions that are allowed.

    Raises:
        UserError: no rectangular array of finite numbers, empty, or other dimensions.
    """
    try:
        array = np.asarray(value)
    except ValueError:  # lists of unequal lengths
        array = np.asarray(None)
    if array.dtype.kind not in "iuf":
        raise UserError(f"{name} must be nested lists of numbers with rows of equal length.")
    array = array.astype(np.float64)
    if array.size == 0:
        raise UserError(f"{name} holds no number; give at least one.")
    if not (np.abs(array) <= _LARGEST).all():
        raise UserError(f"{name} must hold finite numbers, none beyond 1e100.")
    if array.ndim not in dims:
        raise UserError(
            f"{name} has {array.ndim} dimensions and needs "
            f"{' or '.join(str(d) for d in dims)}; give lists of that depth."
        )
    return array


def sizes(value: Any, name: str, axes: int, least: int) -> tuple[int, ...]:
    """One whole number per axis; a single one stands for all.

    Raises:
        UserError: not whole, below ``least``, or too many of them.
    """
    given = list(value) if isinstance(value, (list, tuple)) else [value] * axes
    if len(given) == 1:
        given = given * axes
    if len(given) != axes:
        raise UserError(f"{name} takes one whole number or {axes} of them, not {len(given)}.")
    return tuple(whole(part, name, least) for part in given)


def whole(value: Any, name: str, least: int) -> int:
    """A whole number from ``least`` to 10,000.

    Raises:
        UserError: anything else.
    """
    ok = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not ok or not least <= value <= _LARGEST_INTEGER:
        raise UserError(
            f"{name} must be a whole number from {least} to {_LARGEST_INTEGER}, not {value!r}."
        )
    return int(value)


def number(value: Any, name: str, above: float = -math.inf) -> float:
    """A finite number above ``above``.

    Raises:
        UserError: anything else.
    """
    ok = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
    if not ok or not abs(value) <= _LARGEST or value <= above:
        rest = f" above {above:g}" if above > -math.inf else ""
        raise UserError(f"{name} must be a finite number{rest}, not {value!r}.")
    return float(value)


def flag(value: Any, name: str) -> bool:
    """A switch.

    Raises:
        UserError: neither true nor false.
    """
    if not isinstance(value, (bool, np.bool_)):
        raise UserError(f"{name} must be true or false, not {value!r}.")
    return bool(value)


def choice(value: Any, name: str, allowed: Sequence[str]) -> str:
    """One of a few words.

    Raises:
        UserError: another one.
    """
    if value not in allowed:
        raise UserError(f"{name} must be one of {', '.join(allowed)}, not {value!r}.")
    return str(value)


def axis_names(axes: int) -> tuple[str, ...]:
    """What the axes are called: ``length``, or ``height`` and ``width``."""
    return _AXES[axes]
