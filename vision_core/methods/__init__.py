"""The attribution methods, one file each; page, command line and docs draw what they offer from it.

Every file of this folder with a tuple ``METHODS`` is found by itself. Nothing here needs PyTorch
until a method runs.
"""

from __future__ import annotations

import importlib
import pkgutil

from vision_core.errors import UserError
from vision_core.methods.method import Method, Setting

__all__ = ["Method", "Setting", "every", "method", "names", "rescan", "settings"]

_table: dict[str, Method] = {}


def rescan() -> None:
    """Look again which methods the files of this folder hold."""
    found = [
        entry
        for file in pkgutil.iter_modules(__path__)
        for entry in getattr(importlib.import_module(f"{__name__}.{file.name}"), "METHODS", ())
    ]
    _table.clear()
    _table.update((m.name, m) for m in sorted(found, key=lambda m: (m.order, m.name)))


def every() -> tuple[Method, ...]:
    """All methods, in the order in which they are offered."""
    return tuple(_table.values())


def names() -> tuple[str, ...]:
    """Their names."""
    return tuple(_table)


def method(name: str) -> Method:
    """The method of that name.

    Raises:
        UserError: there is none.
    """
    if name not in _table:
        raise UserError(f"There is no method {name!r}; choose one of {', '.join(_table)}.")
    return _table[name]


def settings() -> dict[str, list[tuple[Method, Setting]]]:
    """Every setting by its name, with the methods that take it."""
    found: dict[str, list[tuple[Method, Setting]]] = {}
    for entry in every():
        for setting in entry.settings:
            found.setdefault(setting.name, []).append((entry, setting))
    return found


rescan()
