"""The methods one after the other: the map of each, and the scores that need the network."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from vision_core import methods
from vision_core.attribution import Question
from vision_core.attribution.estimates import Estimate
from vision_core.attribution.sanity import layers_on_the_way, randomised, similarity
from vision_core.errors import UserError
from vision_core.league import maps, removing
from vision_core.league.competitor import CONTROL, Competitor, Progressing
from vision_core.league.removing import Measure, Removal
from vision_core.league.tally import tallied
from vision_core.records.terms import Terms

log = logging.getLogger("convscope")


def cost(question: Question, name: str, terms: Terms) -> int:
    """Passes of the network that a method takes in the league; 0 where it means nothing here.

    Score-CAM takes one pass to know it.
    """
    if name == CONTROL:
        return 2 * removing.passes(terms.steps)
    try:
        return 2 * _map_cost(question, name, terms) + 2 * removing.passes(terms.steps)
    except UserError:
        return 0


def _map_cost(question: Question, name: str, terms: Terms) -> int:
    method = methods.method(name)
    if method.in_parts:
        return next(iter(method.run(question, terms.of(name)))).total
    return _passes(name, terms.of(name))


def compete(
    question: Question,
    names: Sequence[str],
    terms: Terms | None = None,
    control: bool = True,
    known: Sequence[Competitor] = (),
) -> Iterator[Progressing]:
    """Let methods compete; yields before the first pass and after every step.

    A method that fails gets its sentence and the others go on.

    Args:
        question: a target of a network on a photo.
        names: of methods.
        terms: what all are asked alike.
        control: whether the edge detector runs along.
        known: from a league on the same question and terms that was stopped; what they have is
            not computed again, and the end is the same, bit for bit.

    Raises:
        UserError: there is no such method, none at all, or the curves have nothing to measure.
    """
    if not names:
        raise UserError("Choose at least one method.")
    terms = terms or Terms()
    for name in names:
        methods.method(name).check(terms.of(name))
    there = {one.name: one for one in known}
    yield from _League(question, terms).run((*dict.fromkeys(names), *[CONTROL] * control), there)


Step = Generator[tuple[int, str], None, Competitor]
"""Passes since the last step and what comes; returns the competitor with what was found."""


class _League:
    def __init__(self, question: Question, terms: Terms) -> None:
        self._question, self._terms = question, terms
        self._random: Question | None = None
        self._measure = Measure("", 0.0, 1.0)
        self._layer = ""

    def run(self, names: Sequence[str], known: Mapping[str, Competitor]) -> Iterator[Progressing]:
        rows = {name: known.get(name, Competitor(name)) for name in names}
        costs = {
            name: row.passes if row.finished else cost(self._question, name, self._terms)
            for name, row in rows.items()
        }
        done = sum(row.passes for row in rows.values())

        def now(doing: str) -> Progressing:
            whole = max(sum(costs.values()), done)
            return Progressing(
                done, whole, doing, tuple(rows.values()), self._measure.words, self._layer
            )

        yield now("Preparing")
        self._prepare()
        for name in names:
            if rows[name].finished:
                continue
            for part in self._parts()[rows[name].parts :]:
                steps, before = part(rows[name]), done
                try:
                    while True:
                        more, told = next(steps)
                        done += more
                        yield now(f"{rows[name].title}: {told}")
                except StopIteration as end:
                    rows[name] = replace(end.value, parts=end.value.parts + 1)
                except UserError as error:
                    rows[name] = replace(rows[name], error=str(error))
                except Exception:
                    log.exception("fault of %s in the league", name)
                    sentence = f"{rows[name].title} failed; the details are in the log."
                    rows[name] = replace(rows[name], error=sentence)
                rows[name] = replace(rows[name], passes=rows[name].passes + done - before)
                if rows[name].error:
                    break
            costs[name] = rows[name].passes
            yield now(rows[name].title)
        yield now("")

    def _parts(self) -> tuple[Callable[[Competitor], Step], ...]:
        """What is done for each, in this order; ``PARTS`` of them."""
        return self._map, self._deletion, self._insertion, self._randomise

    def _prepare(self) -> None:
        """What all methods share: what the curves measure, and the copy with a random layer."""
        self._measure = removing.measure_of(self._question)
        layers = layers_on_the_way(self._question)
        if layers:
            self._layer = layers[0]
            self._random = randomised(self._question, layers[:1], self._terms.seed)

    def _map(self, row: Competitor) -> Step:
        if row.control:
            yield 0, "map"
            return replace(row, map=maps.of_edges(self._question))
        counted, tally = tallied(self._question)
        found, seconds = yield from _timed(counted, row.name, self._terms.of(row.name), "map")
        made = maps.of_estimate(counted, found)
        if not made.values.any():
            raise UserError("The map is 0 everywhere, so that there is nothing to score.")
        return replace(
            row,
            map=made,
            score=found.score,
            told=dict(found.settings),
            notes=(*self._question.notes, *found.notes),
            seconds=seconds,
            forward=tally.forward,
            backward=tally.backward,
        )

    def _deletion(self, row: Competitor) -> Step:
        return replace(row, deletion=(yield from self._curve(row, False)))

    def _insertion(self, row: Competitor) -> Step:
        return replace(row, insertion=(yield from self._curve(row, True)))

    def _curve(self, row: Competitor, insert: bool) -> Generator[tuple[int, str], None, Removal]:
        assert row.map is not None
        order = removing.order_of(self._question, row.map, self._terms.seed)
        steps = removing.follow(self._question, order, self._measure, self._terms.steps, insert)
        seen, words = 0, "insertion" if insert else "deletion"
        while True:
            try:
                done = next(steps)
            except StopIteration as end:
                return end.value
            yield done - seen, words
            seen = done

    def _randomise(self, row: Competitor) -> Step:
        if row.control:  # it does not know the weights
            return replace(row, randomisation=1.0, magnitudes=1.0)
        if self._random is None:
            return row
        assert row.map is not None
        settings = self._terms.of(row.name)
        if methods.method(row.name).layered:
            settings |= {"layers": (row.told["layer"],)}
        random = replace(self._random, known={})
        found, _ = yield from _timed(random, row.name, settings, "a random layer")
        like = similarity(row.map.values, maps.of_estimate(random, found).values)
        # nothing is left of a map that is the same everywhere: it is not like the other at all
        signed, absolute = (float(np.nan_to_num(v)) for v in (like.signed, like.absolute))
        return replace(row, randomisation=signed, magnitudes=absolute)


def _timed(
    question: Question, name: str, settings: Mapping[str, Any], words: str
) -> Generator[tuple[int, str], None, tuple[Estimate, float]]:
    """The last estimate and its seconds; what the caller does between two steps does not count."""
    method, seconds, seen = methods.method(name), 0.0, 0
    steps = iter(method.run(question, settings))
    last: Estimate | None = None
    while True:
        began = time.perf_counter()
        try:
            last = next(steps)
        except StopIteration:
            break
        finally:
            seconds += time.perf_counter() - began
        if method.in_parts:
            yield last.done - seen, words
            seen = last.done
    assert last is not None, "a method ends with its map"
    if not method.in_parts:
        yield _passes(name, settings), words
    return last, seconds


def _passes(name: str, settings: Mapping[str, Any]) -> int:
    """Of a method that does not tell it: its steps, where it has some."""
    defaults = {s.name: s.default for s in methods.method(name).settings}
    return int((defaults | dict(settings)).get("steps", 1))
