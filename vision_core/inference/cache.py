"""A cache with a cap in bytes, shared by all users: the least recently used goes first."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar
from weakref import WeakValueDictionary

T = TypeVar("T")
_named: WeakValueDictionary[str, ByteLRU[Any]] = WeakValueDictionary()


def held() -> dict[str, dict[str, int]]:
    """What every named cache of this process holds: entries, bytes, and its cap in bytes."""
    return {
        name: {"entries": len(cache), "bytes": cache.nbytes, "cap_bytes": cache.max_bytes}
        for name, cache in sorted(_named.items())
    }


def nbytes_of(value: Any) -> int:
    """Bytes that a cached value holds: its ``nbytes``, or the sum over a mapping or sequence."""
    if hasattr(value, "nbytes"):
        return int(value.nbytes)
    if isinstance(value, dict):
        return sum(nbytes_of(item) for item in value.values())
    if isinstance(value, list | tuple):
        return sum(nbytes_of(item) for item in value)
    return 0


class ByteLRU(Generic[T]):
    """Least-recently-used cache bounded in bytes; safe between threads.

    Two threads that ask for the same missing key make it once: the second waits for the first.
    A value larger than the whole cache is handed out but not kept.

    Args:
        max_bytes: the cap.
        size: how many bytes a value holds, at the time it is stored.
        name: under which ``held`` tells of it; nothing is told of one without.
    """

    def __init__(
        self, max_bytes: int, size: Callable[[T], int] = nbytes_of, name: str = ""
    ) -> None:
        self.max_bytes = max_bytes
        self._size = size
        self._lock = threading.Lock()
        self._values: OrderedDict[Hashable, tuple[T, int]] = OrderedDict()
        self._making: dict[Hashable, _Making] = {}
        self._total = 0
        if name:
            _named[name] = self

    @property
    def nbytes(self) -> int:
        """Bytes held now."""
        return self._total

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, key: Hashable) -> bool:
        with self._lock:
            return key in self._values

    def get(self, key: Hashable) -> T | None:
        """The value, which counts as a use, or ``None``."""
        with self._lock:
            if key not in self._values:
                return None
            self._values.move_to_end(key)
            return self._values[key][0]

    def put(self, key: Hashable, value: T) -> None:
        """Store a value; the least recently used ones make room."""
        size = self._size(value)
        with self._lock:
            self._drop(key)
            if size > self.max_bytes:
                return
            self._values[key] = (value, size)
            self._total += size
            while self._total > self.max_bytes:
                self._drop(next(iter(self._values)))

    def get_or_make(self, key: Hashable, make: Callable[[], T]) -> T:
        """The value under ``key``, made once if missing; an error in ``make`` stores nothing."""
        found = self.get(key)
        if found is not None:
            return found
        with self._lock:
            making = self._making.setdefault(key, _Making())
            making.askers += 1
        try:
            with making.lock:
                found = self.get(key)
                if found is None:
                    found = make()
                    self.put(key, found)
        finally:
            with self._lock:
                making.askers -= 1
                if not making.askers:  # one whose maker failed is made by the next who asked
                    del self._making[key]
        return found

    def drop(self, key: Hashable) -> None:
        """Forget one value, if it is there."""
        with self._lock:
            self._drop(key)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._values.clear()
            self._total = 0

    def _drop(self, key: Hashable) -> None:
        if key in self._values:
            self._total -= self._values.pop(key)[1]


class _Making:
    """A value that is being made: one makes it under the lock, ``askers`` want it."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.askers = 0
