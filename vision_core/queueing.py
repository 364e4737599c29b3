"""Who may compute next on a device: one at a time, first come first served, the patient later."""

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
    """A lock for one, with a line in front of it that can be looked at.

    A step of a long computation waits *patiently*: whoever comes within the next ``patience``
    seconds goes first, and later ones do not, so that a long computation always goes on.

    Args:
        patience: seconds.
        clock: tells the seconds.

    Attributes:
        still_wanted: called in the waiting thread every ``LOOK`` seconds. Raises if the answer is
            not wanted any more: the place in the line is then given up. A patient one is not asked,
            for others may follow the computation whose step it is.
    """

    still_wanted: Callable[[], None] | None = None

    def __init__(
        self, patience: float = PATIENCE, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._patience, self._clock = patience, clock
        self._lock = threading.Lock()
        self._held = False
        self._line: list[tuple[float, int, threading.Event]] = []
        self._numbers = itertools.count()
        self._mean = 0.0
        self._turns = 0

    @property
    def held(self) -> bool:
        """Whether somebody has the turn now."""
        return self._held

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
            return self._mean * (len(self._line) + self._held)

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
            if not self._held:  # then nobody waits: a turn is handed over, not let go
                self._held = True
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
                    self._hand_over()
            raise

    def _leave(self, seconds: float) -> None:
        with self._lock:
            weight = SMOOTHING if self._turns else 1.0
            self._mean += weight * (seconds - self._mean)
            self._turns += 1
            self._hand_over()

    def _hand_over(self) -> None:
        """Give the turn to the first in the line; the lock is held."""
        if self._line:
            heapq.heappop(self._line)[2].set()
        else:
            self._held = False
