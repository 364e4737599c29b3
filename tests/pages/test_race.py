"""The page "Race": lanes, a stop in the middle, and what others have finished."""

from __future__ import annotations

import numpy as np
import pytest
import streamlit as st

from pages.race import overfeat, page
from tests.pages.conftest import sound, start, text_of
from vision_core.images import from_array
from vision_core.race import SYSTEMS, Lap


@pytest.fixture(autouse=True)
def _fresh():
    st.cache_resource.clear()
    yield
    st.cache_resource.clear()


@pytest.fixture
def quick(monkeypatch):
    """Few regions and windows: the page is the same."""
    whole = page.selective_search
    monkeypatch.setattr(page, "selective_search", lambda photo: whole(photo, most=24))
    monkeypatch.setattr("vision_core.race.proposals.SEARCHED", 160)
    monkeypatch.setattr("vision_core.race.proposals.SCALES", (0.9,))


def test_every_system_runs_and_the_table_says_what_the_record_says(quick) -> None:
    app = sound(start("race"))
    assert "not run yet" in text_of(app) and not app.dataframe
    sound(app.button(key="race_start").click().run(timeout=120))
    said = text_of(app)
    for system in page.entered():
        assert system.title in said
    assert "not run yet" not in said and "24 boxes" in said
    frame = app.dataframe[0].value
    assert list(frame["system"]) == [s.title for s in SYSTEMS if s in page.entered()]
    (one,) = frame[frame["system"] == "Faster R-CNN"]["ratio"]
    assert one == 1 and (frame["here"] > 0).all()
    assert app.button(key="race_start").label == "Run again"
    # Another session sees what was finished, without running anything.
    other = sound(start("race"))
    assert other.button(key="race_start").label == "Run again"
    assert list(other.dataframe[0].value["here"]) == list(frame["here"])


def test_a_system_that_was_stopped_is_extrapolated_and_goes_on(quick) -> None:
    app = sound(start("race"))
    half = Lap(10, 40, {"selective search": 1.0, "network, region by region": 2.0})
    app.session_state["_race_laps"] = {"rcnn": half}
    sound(app.run())
    said = text_of(app)
    assert "10 of 40 boxes; about 9.0 s in all" in said
    frame = app.dataframe[0].value
    assert list(frame["system"]) == ["R-CNN (stopped)"] and list(frame["here"]) == [9.0]
    assert app.button(key="race_start").label == "Go on"


def test_another_photo_starts_anew(quick) -> None:
    app = sound(start("race"))
    app.session_state["_race_laps"] = {"rcnn": Lap(40, 40, {"network": 2.0})}
    sound(app.run())
    assert app.dataframe
    sound(app.selectbox(key="photo").select("coffee").run())
    assert not app.dataframe and app.button(key="race_start").label == "Start the race"


def test_a_photo_that_cannot_race_says_why_and_the_page_goes_on(monkeypatch) -> None:
    strip = from_array(np.zeros((10, 900, 3), np.uint8), "strip.png")
    monkeypatch.setattr("pages.race.page.frame.photo_of", lambda _entry: strip)
    app = start("race")
    app.button(key="race_start").click().run(timeout=60)
    assert not app.exception
    assert any("too long and thin" in w.value for w in (*app.warning, *app.error, *app.info))
    app.run()
    assert app.button(key="race_start").label == "Start the race"


def test_overfeat_slides_and_tells_both_costs() -> None:
    app = sound(start("race", photo="cat", slider_side="320"))
    assert "all crops in one pass" in "".join(s.value for s in app.subheader)
    assert not app.dataframe
    sound(app.button(key="slider_go").click().run(timeout=120))
    [found] = overfeat._kept()._values.values()
    found = found[0]
    assert found.done == found.places
    frame = app.dataframe[0].value
    np.testing.assert_allclose(frame["multiply-adds (M)"] * 1e6, found.multiply_adds)
    said = text_of(app)
    assert f"{found.places} places, 32 pixels apart" in said
    label = found.labels.index(app.session_state["slider_class"])
    apart = np.abs(found.whole[label] - found.crops[label])
    border = float(apart[~found.inside].mean())
    assert f"{border:.3f} at the border" in said
    sound(app.selectbox(key="slider_class").select("cat").run())
    assert app.dataframe, "another class needs no other run"
