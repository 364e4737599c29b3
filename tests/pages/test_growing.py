"""Maps of many passes: what is shown on the way, how they end, and what a stop leaves behind."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import numpy as np
import pytest
import streamlit as st

from pages.shared import growing, maps, stills, sweeps
from pages.shared.growing import MapSlot
from pages.shared.runs import Runs
from tests.pages.conftest import sound, start, text_of
from vision_core import methods, models, samples
from vision_core.attribution import ask, explain
from vision_core.attribution.explain import Progress
from vision_core.errors import UserError
from vision_core.inference import trace
from vision_core.records.targets import ClassTarget

PAGE = "attribution"
SETTINGS: dict[str, dict[str, Any]] = {
    "scorecam": {"layers": ("trunk.stages.1",)},  # a pass for each channel
    "smoothgrad": {"samples": 20, "seed": 1},
    "integrated_gradients": {"steps": 20},
    "occlusion": {"patch": 64, "stride": 32},
}


@pytest.fixture(autouse=True)
def _at_every_step(monkeypatch) -> None:
    monkeypatch.setattr(growing, "PAUSE", 0.0)
    monkeypatch.setattr(growing, "SHARE", 0.0)


@pytest.fixture
def asked() -> tuple[Any, ...]:
    """Model, photo, trace and target."""
    model, photo = models.load("resnet_s"), samples.sample("cat")
    return model, photo, trace(model, photo), ClassTarget("cat")


def begun(asked: tuple[Any, ...], method: str) -> MapSlot:
    return MapSlot.growing(method, maps.growing(*asked, method, SETTINGS[method]))


def nothing(*_: object) -> None:
    return None


@pytest.mark.parametrize("method", [m.name for m in methods.every() if m.in_parts])
def test_partial_maps_are_shown_and_end_in_the_whole_one(method, asked) -> None:
    place, words, shown = begun(asked, method), [], []

    def show(places: list[MapSlot]) -> None:
        [one] = places
        shown.append((one.words, None if one.map is None else (one.map.done, one.map.values)))

    assert place.map is None and re.fullmatch(r"\d+ passes", place.words)
    assert growing.grow([place], show, lambda text, share: words.append((text, share))) == []
    expected = explain(ask(*asked), method, **SETTINGS[method])
    whole = place.map
    assert whole is not None and np.array_equal(whole.values, expected.values)
    assert whole.done == whole.total == expected.total and whole.gap == expected.gap
    first, *partial = shown
    assert first == (f"{whole.total} passes", None), "the cost is told before the first pass"
    assert [m[0] for _, m in partial] == list(range(8, whole.total, 8)), "batches of 8"
    assert [w for w, _ in partial] == [
        f"{n} of {whole.total} passes" for n in range(8, whole.total, 8)
    ]
    assert all(not np.array_equal(m[1], whole.values) for _, m in partial)
    assert words[0] == (f"{method}: {whole.total} passes", 0)
    assert re.fullmatch(
        rf"{method}: 8 of {whole.total} passes, about \d+ (s|min) left", words[1][0]
    )
    assert [share for _, share in words] == sorted({share for _, share in words})
    assert maps.at_once(*asked, method, SETTINGS[method]) is whole, "it is kept"


@pytest.mark.parametrize("method", [m.name for m in methods.every() if m.in_parts])
def test_a_stop_on_the_way_leaves_nothing_partial(method, asked) -> None:
    class Moved(BaseException):
        """Like Streamlit's, which no ``except Exception`` catches."""

    def stop(text: str, share: float) -> None:
        if share > 0:
            raise Moved

    with pytest.raises(Moved):
        growing.grow([begun(asked, method)], nothing, stop)
    assert len(maps._growing()) + len(sweeps._sweeps()) == 1, "it stands still for a while"
    assert len(maps._held()) == len(sweeps._swept()) == 0
    assert maps.at_once(*asked, method, SETTINGS[method]) is None
    told: list[str] = []
    again = maps.of(*asked, method, SETTINGS[method], lambda share, text: told.append(text))
    assert " 8 of " in told[method == "occlusion"], "and goes on from there"
    assert len(maps._growing()) + len(sweeps._sweeps()) == 0
    expected = explain(ask(*asked), method, **SETTINGS[method])
    assert np.array_equal(again.values, expected.values)


def test_two_users_share_the_passes_and_one_may_leave(asked, monkeypatch) -> None:
    taken: list[int] = []
    in_steps = maps.in_steps

    def counted(*args: Any, **settings: Any) -> Iterator[Progress]:
        for step in in_steps(*args, **settings):
            taken.append(step.done)
            yield step

    monkeypatch.setattr(maps, "in_steps", counted)
    one, two = begun(asked, "smoothgrad"), begun(asked, "smoothgrad")
    assert one.steps is not None and taken == [0]
    assert next(one.steps).done == 8
    late = begun(asked, "smoothgrad")
    assert late.map is not None and late.map.done == 8, "what there is is shown at once"
    one.steps.close()
    places = [two, late]
    assert growing.grow(places, nothing, nothing) == [] and places == [two, late]
    assert taken == [0, 8, 16, 20], "every pass was made once"
    expected = explain(ask(*asked), "smoothgrad", **SETTINGS["smoothgrad"]).values
    for place in places:
        assert place.map is not None and np.array_equal(place.map.values, expected)
    assert len(maps._growing()) == 0


def test_two_threads_take_every_step_once() -> None:
    runs: Runs[int] = Runs()
    taken, barrier = [], threading.Barrier(4)

    def steps() -> Iterator[int]:
        for n in range(200):
            taken.append(n)
            yield n

    seen: list[list[int]] = [[] for _ in range(4)]

    def follow(mine: list[int]) -> None:
        barrier.wait()
        mine.extend(runs.follow("key", steps))

    threads = [threading.Thread(target=follow, args=(mine,)) for mine in seen]
    first = runs.follow("key", steps)
    next(first)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    first.close()
    assert taken == list(range(200)) and len(runs) == 0
    assert all(mine == sorted(mine) and mine[-1] == 199 for mine in seen)


def test_one_who_comes_back_soon_finds_it_where_it_was_left() -> None:
    now = [0.0]
    runs: Runs[int] = Runs(keep=10, still=2, clock=lambda: now[0])

    def look(key: str, until: int) -> list[int]:
        seen: list[int] = []
        with closing(runs.follow(key, lambda: iter(range(5)))) as steps:
            for step in steps:
                seen.append(step)
                if step == until:
                    break
        return seen

    assert look("a", 2) == [0, 1, 2] and len(runs) == 1
    now[0] = 9.0
    assert look("a", 3) == [2, 3], "from where it stood still"
    now[0] = 30.0
    assert look("b", 0) == [0] and len(runs) == 1, "too long ago"
    assert look("a", 0) == [0]
    now[0] = 31.0
    assert look("c", 1) == [0, 1] and len(runs) == 2, "no more than two stand still"
    assert look("a", 9) == [0, 1, 2, 3, 4] and len(runs) == 1, "a whole one is not kept"
    assert look("b", 0) == [0] and look("c", 9) == [1, 2, 3, 4]


def test_an_error_in_a_step_reaches_all_who_follow_and_the_next_one_begins_anew() -> None:
    runs: Runs[int] = Runs()

    def broken() -> Iterator[int]:
        yield 1
        raise UserError("No.")

    one, two = runs.follow("key", broken), runs.follow("key", broken)
    assert next(one) == next(two) == 1
    for follower in (one, two):
        with pytest.raises(UserError, match="No"):
            next(follower)
    assert len(runs) == 0 and list(runs.follow("key", lambda: iter([5]))) == [5]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (UserError("It cannot be."), "It cannot be."),
        (RuntimeError("secret"), "SmoothGrad failed"),
    ],
)
def test_if_one_method_fails_the_others_stay(error, said, monkeypatch) -> None:
    in_steps = maps.in_steps

    def failing(question: Any, method: str, **settings: Any) -> Iterator[Progress]:
        for step in in_steps(question, method, **settings):
            if method == "smoothgrad" and step.done > 8:
                raise error
            yield step

    monkeypatch.setattr(maps, "in_steps", failing)
    app = sound(
        start(PAGE, task="classification", methods="gradient,smoothgrad,occlusion", samples="20")
    )
    assert [said in w.value for w in app.warning] == [True] and "secret" not in text_of(app)
    titles = app.get("plotly_chart")[0].proto.spec
    assert "Gradient" in titles and "Occlusion" in titles and "SmoothGrad" not in titles


def test_the_page_shows_them_on_the_way_and_ends_as_if_they_had_been_known(monkeypatch) -> None:
    drawn: list[list[stills.Still]] = []
    told: list[str] = []
    grid, progress = stills.grid, stills.progress
    monkeypatch.setattr(
        stills, "grid", lambda shown, *rest: drawn.append(list(shown)) or grid(shown, *rest)
    )
    monkeypatch.setattr(
        stills, "progress", lambda words, share: told.append(words) or progress(words, share)
    )
    address = {
        "task": "classification",
        "methods": "gradient,smoothgrad,integrated_gradients",
        "samples": "20",
        "steps": "20",
        "random": "2",
    }
    app = sound(start(PAGE, **address))
    urls = [[still.url != "" for still in shown] for shown in drawn]
    assert urls[0] == [True, False, False], "the quick map is there at once"
    notes = [shown[1].note.split(",")[0] for shown in drawn]
    assert notes[:3] == ["20 passes", "8 of 20 passes", "16 of 20 passes"]
    assert len({shown[1].url for shown in drawn[:4]}) == 4, "each is another picture"
    assert told[0] == "SmoothGrad: 20 passes"
    count = len(drawn)
    known = sound(start(PAGE, **address))
    assert len(drawn) == count, "what is known is shown at once, without a bar"
    assert [c.proto.spec for c in app.get("plotly_chart")] == [
        c.proto.spec for c in known.get("plotly_chart")
    ]
    assert len(app.get("plotly_chart")) == 2 and text_of(app) == text_of(known)
    assert "data-stills" not in text_of(app) and "progressbar" not in text_of(app)
    assert app.metric[0].value == known.metric[0].value != "…"


def test_a_page_that_is_stopped_on_the_way_keeps_no_partial_map(monkeypatch) -> None:
    progress = stills.progress

    def stopping(words: str, share: float) -> str:
        if share > 0:
            st.stop()
        return progress(words, share)

    address = {"task": "classification", "methods": "gradient,smoothgrad", "samples": "20"}
    with monkeypatch.context() as patched:
        patched.setattr(stills, "progress", stopping)
        app = start(PAGE, **address)
        assert "data-stills" in text_of(app)
    assert len(maps._growing()) == 1 and [a.method for a in held()] == ["gradient"]
    sound(app.run())
    assert len(app.get("plotly_chart")) == 1 and len(held()) == 2
    assert len(maps._growing()) == 0, "it was ended, not begun again"


def held() -> list[Any]:
    """The maps in the cache."""
    return [value for value, _ in maps._held()._values.values()]


@pytest.mark.parametrize(
    ("seconds", "done", "words"),
    [
        (None, 0, "X: 64 passes"),
        (0.5, 8, "X: 8 of 64 passes, about 28 s left"),
        (0.001, 56, "X: 56 of 64 passes, about 1 s left"),
        (10.0, 8, "X: 8 of 64 passes, about 9 min left"),
        (0.5, 64, "X: 64 of 64 passes"),
    ],
)
def test_how_far_it_is(seconds, done, words) -> None:
    assert growing.told_of("X", Progress(done, 64), seconds) == words
