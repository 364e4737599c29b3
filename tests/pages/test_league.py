"""The Attribution page's league: its cost first, the table of the core, a stop in the middle."""

from __future__ import annotations

import re

import pytest
import streamlit as st

from pages.attribution import league_runs
from tests.pages.conftest import picture, sound, start, text_of
from vision_core import methods, models, samples
from vision_core.attribution import ask, parse
from vision_core.inference import trace
from vision_core.league import COLUMNS, Terms, compete, cost, detected_box, standings
from vision_core.league.competitor import CONTROL

NAMES = ("gradient", "guided_backprop", "gradcam")
ASKED = {
    "league": "1",
    "task": "classification",
    "model": "alexnet_s",
    "target": "cat",
    "rivals": ",".join(NAMES),
    "steps_of_curve": "4",
}


@pytest.fixture(autouse=True)
def _fresh():
    st.cache_resource.clear()
    yield
    st.cache_resource.clear()


def opened(**more: str):  # type: ignore[no-untyped-def]
    return sound(start("attribution", **(ASKED | more)))


def the_question():  # type: ignore[no-untyped-def]
    model, photo = models.load("alexnet_s"), samples.sample("cat")
    found = trace(model, photo)
    return ask(model, photo, found, parse("cat"))


def test_nothing_runs_before_the_button_and_the_cost_is_told() -> None:
    app = opened()
    assert not app.dataframe and not app.get("plotly_chart")
    question = the_question()
    passes = sum(cost(question, n, Terms(steps=4)) for n in (*NAMES, CONTROL))
    assert f"Cost: {passes:,} passes" in text_of(app)
    assert app.button(key="league_start").label == "Start the league"


def test_the_table_is_that_of_the_core() -> None:
    app = opened()
    sound(app.button(key="league_start").click().run(timeout=120))
    *_, last = compete(the_question(), NAMES, Terms(steps=4))
    seen = trace(models.load("fcos_s"), samples.sample("cat"))
    rows = standings(last.competitors, detected_box("cat", seen))
    table = app.dataframe[0].value
    assert list(table["method"]) == [r.competitor.title for r in rows]
    for column in COLUMNS:
        for shown, row in zip(table[column.name], rows, strict=True):
            assert shown == pytest.approx(row.scores[column.name], abs=1e-6)
    assert len(app.get("plotly_chart")) == 1
    said = text_of(app)
    assert all(c.silent in said for c in COLUMNS) and "found by" in said
    assert app.button(key="league_start").label == "Run again"
    # another session sees what was finished, and a box is no reason to run again
    other = opened(drag="10,20,60,80")
    assert other.button(key="league_start").label == "Run again"
    first = other.dataframe[0].value
    assert list(first["deletion"]) != [] and sorted(first["deletion"]) == sorted(table["deletion"])
    assert "drawn by you" in text_of(other)
    assert first["energy"].max() < table["energy"].min()


def test_ranks_stand_in_the_table_too() -> None:
    app = opened()
    sound(app.button(key="league_start").click().run(timeout=120))
    [what] = [g for g in app.get("button_group") if g.label == "Table"]
    sound(what.set_value("ranks").run())
    ranks = app.dataframe[0].value
    assert sorted(ranks["deletion"].dropna()) == [1, 2, 3]
    assert ranks["deletion"].isna().sum() == 1, "the edge detector has no rank"


def test_what_was_stopped_stays_and_goes_on(monkeypatch) -> None:
    whole = league_runs.compete

    def short(*given, **more):  # type: ignore[no-untyped-def]
        for step in whole(*given, **more):
            yield step
            if step.competitors[0].insertion is not None:
                raise RuntimeError("the reader leaves here")

    monkeypatch.setattr(league_runs, "compete", short)
    app = opened()
    app.button(key="league_start").click().run(timeout=120)
    assert not app.exception
    asked = []

    def noted(*given, known=()):  # type: ignore[no-untyped-def]
        asked.append([one.parts for one in known])
        yield from whole(*given, known=known)

    monkeypatch.setattr(league_runs, "compete", noted)
    sound(app.run())
    assert app.button(key="league_start").label == "Go on"
    assert re.search(r"Stopped at \d+ of \d+ passes", text_of(app))
    assert list(app.dataframe[0].value["method"])[:1] == ["Gradient"]
    sound(app.button(key="league_start").click().run(timeout=120))
    assert app.button(key="league_start").label == "Run again"
    assert asked == [[3, 0, 0, 0]], "it went on behind what was there"
    sound(app.button(key="league_start").click().run(timeout=120))
    assert asked[1:] == [[]], "run again begins anew"


def test_without_a_method_a_sentence_says_what_to_do() -> None:
    app = opened()
    [rivals] = [g for g in app.get("button_group") if g.label == "Methods"]
    sound(rivals.set_value([]).run())
    assert "Choose at least one method." in text_of(app)
    assert not [b for b in app.button if b.key == "league_start"]


def test_a_box_can_be_forgotten() -> None:
    app = opened(drag="10,20,60,80")
    assert len(picture(app, 0)["boxes"]) == 1
    sound(app.button(key="league_forget").click().run())
    assert app.session_state["drag"] == "" and "drawn by you" not in text_of(app)


@pytest.mark.parametrize("task", ["detection", "segmentation", "pose", "instance"])
def test_every_task_has_a_league(task) -> None:
    app = sound(start("attribution", league="1", task=task, rivals="gradient", steps_of_curve="4"))
    assert "the target's own" in text_of(app)
    sound(app.button(key="league_start").click().run(timeout=120))
    table = app.dataframe[0].value
    assert list(table["method"]) == ["Gradient", "Edge detector"]
    assert table[[c.name for c in COLUMNS]].notna().all(None)


def test_all_methods_are_offered_and_the_dear_ones_say_their_cost() -> None:
    app = sound(start("attribution", league="1", task="classification"))
    [rivals] = [g for g in app.get("button_group") if g.label == "Methods"]
    names = list(rivals.options)
    assert len(names) == len(methods.every())
    assert any(re.fullmatch(r"Score-CAM \(\d+ passes\)", n) for n in names)
    assert "Gradient" in names


def test_without_the_switch_the_page_is_as_it_was() -> None:
    app = sound(start("attribution", methods="gradient"))
    assert not [b for b in app.button if b.key == "league_start"]
    assert len(app.get("plotly_chart")) == 1
