"""Maps of many passes: the cost is told first, and they grow in their places while they run."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from vision_core.attribution import Attribution
from vision_core.attribution.explain import Progress
from vision_core.errors import UserError

PAUSE = 0.7
"""Seconds between two drawings, at least."""
SHARE = 4
"""Between two drawings lies this many times what the last one took, at least."""
log = logging.getLogger("convscope")


@dataclass(eq=False)
class MapSlot:
    """Where a map stands, or will.

    Attributes:
        title: of the method.
        map: the map, maybe a partial one; ``None`` before there is one.
        steps: what is still to be done, if anything.
        step: the last one that was done; at first the one that tells the cost.
        words: how far it is; empty for a whole map.
    """

    title: str
    map: Attribution | None = None
    steps: Generator[Progress, None, None] | None = None
    step: Progress | None = None
    words: str = ""

    @classmethod
    def growing(cls, title: str, steps: Generator[Progress, None, None]) -> MapSlot:
        """Where a map of many passes will stand; takes the first step, which tells the cost."""
        place = cls(title, steps=steps)
        place.step = next(steps)
        place.words = _so_far(place.step)
        if place.step.draw is not None:  # others have begun it
            place.map = place.step.draw()
        return place


@contextmanager
def apart(title: str, told: list[str]) -> Iterator[None]:
    """Let one method fail alone: what happened is told, and the block ends.

    Args:
        title: of the method.
        told: gets a sentence.
    """
    try:
        yield
    except UserError as error:
        told.append(str(error))
    except Exception:
        log.exception("fault in %s", title)
        told.append(f"{title} failed; the details are in the server's log.")


def grow(
    places: list[MapSlot], show: Callable[[list[MapSlot]], Any], tell: Callable[[str, float], Any]
) -> list[str]:
    """Run what is still to be done, one method after the other.

    Args:
        places: filled where they stand; those of methods that fail are taken out.
        show: draws them all: once before the first pass, then now and again, the last time
            before the end. Whole maps are the caller's to draw.
        tell: hears how far the method at work is, in words and from 0 to 1, after every step.
            May raise to stop everything; what was done is then lost, unless others follow it.

    Returns:
        a sentence for each method that failed.
    """
    told: list[str] = []
    waiting = [place for place in places if place.steps is not None]
    with ExitStack() as stack:
        for place in waiting:
            stack.callback(place.steps.close)  # type: ignore[union-attr]
        for place in waiting:
            show(places)
            with apart(place.title, told):
                _run(place, lambda: show(places), tell)
            if place.words:
                places.remove(place)  # it failed
    return told


def _run(place: MapSlot, show: Callable[[], Any], tell: Callable[[str, float], Any]) -> None:
    """One method to its end; an error of a step is the caller's."""
    step = place.step
    assert place.steps is not None and step is not None
    start = drawn = time.monotonic()
    before, cost = step.done, 0.0
    tell(told_of(place.title, step), step.done / step.total)
    for step in place.steps:
        now = time.monotonic()
        each = (now - start) / max(step.done - before, 1)
        tell(told_of(place.title, step, each), step.done / step.total)
        place.words = _so_far(step)
        if step.done < step.total and step.draw and now - drawn >= max(PAUSE, SHARE * cost):
            place.map = step.draw()
            show()
            drawn = time.monotonic()
            cost = drawn - now
    assert step.draw is not None, "a method ends with its map"
    place.map, place.words = step.draw(), ""


def _so_far(step: Progress) -> str:
    return f"{step.done} of {step.total} passes" if step.done else f"{step.total} passes"


def told_of(title: str, step: Progress, seconds: float | None = None) -> str:
    """How far a method is and what is still to come, for example *8 of 64 passes, about 12 s*.

    Args:
        title: of the method.
        step: where it is.
        seconds: for a pass, once one was timed.
    """
    if seconds is None or step.done in (0, step.total):
        return f"{title}: {_so_far(step)}"
    left = seconds * (step.total - step.done)
    length = f"{left / 60:.0f} min" if left >= 90 else f"{max(left, 1):.0f} s"
    return f"{title}: {_so_far(step)}, about {length} left"
