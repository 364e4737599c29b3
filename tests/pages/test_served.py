"""Pages over a service show what they show without one, and run no network of the catalogue."""

from __future__ import annotations

import numpy as np
import pytest
import streamlit as st
from PIL import Image

from pages.shared import counters, engine, maps, serving, sweeps
from tests.pages.conftest import picture, sound, start, text_of
from tests.serving.alike import differences, hosted
from vision_core import models, samples
from vision_core.attribution import ask, explain
from vision_core.attribution.question import default_target
from vision_core.inference import PartSource, parts, trace
from vision_core.serving.client import VARIABLE, Client
from vision_core.serving.service import Service


@pytest.fixture
def host(monkeypatch):
    with hosted(Service("cpu", most=3)) as found:
        monkeypatch.setenv(VARIABLE, found.url)
        yield found


def forbidden(*_, **__):
    raise AssertionError("a network ran in this process")


def shut(monkeypatch: pytest.MonkeyPatch) -> None:
    """Close the doors through which the pages run networks here."""
    monkeypatch.setattr(engine, "trace", forbidden)
    monkeypatch.setattr(maps, "in_steps", forbidden)
    monkeypatch.setattr(maps, "explained", forbidden)
    monkeypatch.setattr(sweeps, "sweep", forbidden)


@pytest.fixture
def idle(monkeypatch) -> None:
    shut(monkeypatch)


@pytest.mark.parametrize("name", ["mask_rcnn_s", "pose_heatmap_s", "fcn_voc_s", "resnet_s"])
def test_predictions_are_the_same_page(name, host, monkeypatch) -> None:
    with monkeypatch.context() as closed:
        shut(closed)
        there = sound(start(model=name))
    assert host.service.answered >= 1 and "come from the computing service" in text_of(there)
    monkeypatch.delenv(VARIABLE)
    st.cache_resource.clear()
    here = sound(start(model=name))
    assert "computing service" not in text_of(here)
    one, other = picture(here), picture(there)
    assert one == other and one["photo"]["width"] == samples.sample("cat").width


def test_attribution_is_the_same_and_long_maps_grow(host, idle, cat, monkeypatch) -> None:
    model = models.load("resnet_s", device="cpu")
    made = trace(model, cat)
    target = default_target(made)
    settings = {"smoothgrad": {"samples": 4}, "occlusion": {"patch": 64}, "gradcam": {}}
    for method, told in settings.items():
        expected = explain(ask(model, cat, made, target), method, **told)
        heard: list[float] = []
        found = maps.of(
            model,
            cat,
            made,
            target,
            method,
            told,
            lambda share, _, heard=heard: heard.append(share),
        )
        assert differences(expected, found) == []
        assert heard == sorted(heard) and (method == "gradcam" or len(heard) > 1)
    strip = maps.film_strip(model, cat, made, target, "gradcam", ("trunk.stages.1",))
    told = {"layers": ("trunk.stages.1",)}
    assert differences(strip, [explain(ask(model, cat, made, target), "gradcam", **told)]) == []
    sound(start("attribution", method="gradient"))


def test_networks_of_one_session_run_here(host, cat) -> None:
    model = engine.untrained("resnet_s", "cpu")
    assert differences(trace(model, cat), engine.trace_of(model, cat)) == []
    assert host.service.answered == 0


def test_parts_come_from_the_service_once(host, idle, cat, monkeypatch) -> None:
    model = engine.load_model("mask_rcnn_s", "cpu")
    made = engine.trace_of(model, cat)
    expected = PartSource(model, cat, made).masks([0, 1, 2])
    source = engine.parts_of(model, cat, made)
    before = host.service.answered
    found = source.masks([0, 1, 2])
    source.masks([1, 2])
    assert differences(expected, found) == [] and host.service.answered == before + 1
    with monkeypatch.context() as closed:
        closed.setattr(parts, "run_heads", forbidden)  # the service has its own name for it
        assert source.masks([3]).shape == (1, 28, 28)


def test_the_line_is_as_wide_as_the_service_and_is_told(host, cat) -> None:
    link = serving.link()
    assert link is not None and link.line.width == 1
    engine.trace_of(engine.load_model("yolo_s", "cpu"), cat)
    with link.turn(), link.turn(), link.turn():
        assert link.line.width == 3 and engine.queue_words() == ""
    told = counters.counters(1, serving.numbers())["service"]
    assert told["width"] == 3 and told["asked"] == 1 and told["sent_bytes"] > 0
    assert serving.link() is link, "one for all sessions"


def test_without_a_service_there_is_no_link(monkeypatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert serving.link() is None and serving.numbers() is None
    monkeypatch.setenv(VARIABLE, "  ")
    assert serving.link() is None


def test_a_service_that_is_away_is_told_in_a_sentence(monkeypatch) -> None:
    monkeypatch.setenv(VARIABLE, "http://127.0.0.1:9")
    monkeypatch.setattr(serving, "Client", lambda at, token: Client(at, token, patience=0.2))
    app = sound(start())
    assert "computing service does not answer" in text_of(app)
    monkeypatch.setenv(VARIABLE, "127.0.0.1")
    st.cache_resource.clear()
    assert "must be an address" in text_of(sound(start()))


def test_an_upload_is_sent_once_for_all_its_networks(host, idle, cat) -> None:
    shrunk = np.asarray(Image.fromarray(cat.pixels).resize((200, 150)))
    from vision_core.images import from_array

    photo = from_array(shrunk, "mine")
    sizes = []
    for name in ("yolo_s", "resnet_s"):
        link = serving.link()
        assert link is not None
        before = link.client.sent
        engine.trace_of(engine.load_model(name, "cpu"), photo)
        sizes.append(link.client.sent - before)
    assert sizes[0] > 20_000 > 2_000 > sizes[1]
