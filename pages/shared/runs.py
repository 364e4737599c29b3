"""Long computations that several users may follow, each step of which is computed once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Hashable, Iterator
from typing import Generic, TypeVar

from vision_core import devices

T = TypeVar("T")


class Runs(Generic[T]):
    """Computations under way, by key.

    There is no thread behind one: whoever follows it takes its next step, while the others wait
    for that step, not for the end. One who leaves leaves the rest to the others. When nobody
    follows any more, it stands still, and goes on for who asks soon: a page that draws itself
    anew, because its reader moved something else, leaves and comes back. Nothing is stored here:
    a computation that ends stores what it found, and looks there first.

    Args:
        keep: seconds for which one stands still before it is forgotten (at the next ``follow``).
        still: how many may stand still; of more, the ones left longest are forgotten.
        clock: tells the seconds.
    """

    def __init__(
        self, keep: float = 60.0, still: int = 4, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._keep, self._still, self._clock = keep, still, clock
        self._lock = threading.Lock()
        self._runs: dict[Hashable, _Run[T]] = {}

    def __len__(self) -> int:
        return len(self._runs)

    def follow(self, key: Hashable, begin: Callable[[], Iterator[T]]) -> Generator[T, None, None]:
        """The steps of the computation under ``key``, from where it is now to its end.

        Close the generator to leave early. An error in a step is raised for all who follow.

        Args:
            key: of the computation.
            begin: its steps, if nobody runs it.
        """
        with self._lock:
            self._forget()
            run = self._runs.setdefault(key, _Run(begin))
            run.followers += 1
        try:
            seen = 0
            while (step := run.after(seen)) is not None:
                seen, value = step
                yield value
        finally:
            with self._lock:
                run.followers -= 1
                run.left = self._clock()
                if not run.followers and run.over:
                    del self._runs[key]
                self._forget()

    def _forget(self) -> None:
        """Drop what has stood still too long, or is too much; the lock is held."""
        now = self._clock()
        still = [key for key, run in self._runs.items() if not run.followers]
        still.sort(key=lambda key: self._runs[key].left)
        spare = len(still) - self._still
        for place, key in enumerate(still):
            if place < spare or now - self._runs[key].left > self._keep:
                del self._runs[key]


class _Run(Generic[T]):
    """One computation.

    Attributes:
        followers: how many follow it; guarded by the lock of all runs, as is ``left``.
        left: when one of them left last, seconds.
    """

    def __init__(self, begin: Callable[[], Iterator[T]]) -> None:
        self.followers = 0
        self.left = 0.0
        self._begin = begin
        self._lock = threading.Lock()
        self._steps: Iterator[T] | None = None
        self._taken: list[T] = []  # the latest one, if any
        self._count = 0
        self._error: Exception | None = None
        self._ended = False

    @property
    def over(self) -> bool:
        """Whether it has no more steps, or broke."""
        return self._ended or self._error is not None

    def after(self, seen: int) -> tuple[int, T] | None:
        """The latest step and its number if others took one since ``seen``, else the next one."""
        with self._lock:
            if self._count > seen:
                return self._count, self._taken[0]
            if self._error is not None:
                raise self._error
            if not self._ended:
                self._take()
            return None if self._ended else (self._count, self._taken[0])

    def _take(self) -> None:
        if self._steps is None:
            self._steps = self._begin()
        try:
            with devices.patiently():
                self._taken = [next(self._steps)]
            self._count += 1
        except StopIteration:
            self._ended = True
        except Exception as error:
            self._error = error
            raise
