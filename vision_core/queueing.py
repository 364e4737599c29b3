"""Who may compute next: one at a time or a few, first come first served, the patient later."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PATIENCE = 2.0
"""Seconds by which a patient one stands further back than somebody who comes at the same time."""
SMOOTHING = 0.1
"""Weight of the newest turn in the mean length of a turn."""
LOOK = 0.5
"""Seconds between two looks whether somebody in the line is still wanted."""


class FairSlot:
    """A lock for one (or for ``width``), with a line in front of it that can be looked at.

    A step of a long computation waits *patiently*: whoever comes within the next ``patience``
    seconds goes first, and later ones do not, so that a long computation always goes on.

    Args:
        patience: seconds.
        clock: tells the seconds.
        width: how many turns there may be at a time.

    Attributes:
        still_wanted: called in the waiting thread every ``LOOK`` seconds. Raises if the answer is
            not wanted any more: the place in the line is then given up. A patient one is not asked,
            for others may follow the computation whose step it is.
    """

    still_wanted: Callable[[], None] | None = None

    def __init__(
        self,
        patience: float = PATIENCE,
        clock: Callable[[], float] = time.monotonic,
        width: int = 1,
    ) -> None:
        self._patience, self._clock = patience, clock
        self._lock = threading.Lock()
        self._width = width
        self._taken = 0
        self._line: list[tuple[float, int, threading.Event]] = []
        self._numbers = itertools.count()
        self._mean = 0.0
        self._turns = 0

    @property
    def held(self) -> bool:
        """Whether somebody has a turn now."""
        return self._taken > 0

    @property
    def width(self) -> int:
        """How many turns there may be at a time."""
        return self._width

    def widen(self, width: int) -> None:
        """Allow so many turns at a time, 1 or more; who has one keeps it."""
        with self._lock:
            self._width = max(1, width)
            self._call()

    @property
    def waiting(self) -> int:
        """How many stand in the line now."""
        return len(self._line)

    @property
    def turns(self) -> int:
        """How many turns there have been."""
        return self._turns

    def expected_wait(self) -> float:
        """Seconds that somebody who comes now waits, from the mean length of the turns so far."""
        with self._lock:
            return self._mean * (len(self._line) + self._taken) / self._width

    @contextmanager
    def turn(self, patient: bool = False) -> Iterator[None]:
        """Wait for a turn and hold it; not to be nested."""
        self._enter(patient)
        began = self._clock()
        try:
            yield
        finally:
            self._leave(self._clock() - began)

    def _enter(self, patient: bool) -> None:
        mine = threading.Event()
        with self._lock:
            if self._taken < self._width:  # then nobody waits: who could have a turn was called
                self._taken += 1
                return
            at = self._clock() + (self._patience if patient else 0.0)
            ticket = (at, next(self._numbers), mine)
            heapq.heappush(self._line, ticket)
        try:
            if patient:
                mine.wait()
            while not mine.wait(LOOK):
                if self.still_wanted is not None:
                    self.still_wanted()
        except BaseException:  # an interrupt: give back the place, or the turn
            with self._lock:
                if ticket in self._line:
                    self._line.remove(ticket)
                    heapq.heapify(self._line)
                else:
                    self._give_back()
            raise

    def _leave(self, seconds: float) -> None:
        with self._lock:
            weight = SMOOTHING if self._turns else 1.0
            self._mean += weight * (seconds - self._mean)
            self._turns += 1
            self._give_back()

    def _give_back(self) -> None:
        """A turn is over; the lock is held."""
        self._taken -= 1
        self._call()

    def _call(self) -> None:
        """Give the free turns to the first in the line; the lock is held."""
        while self._line and self._taken < self._width:
            self._taken += 1
            heapq.heappop(self._line)[2].set()
