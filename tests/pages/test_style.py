"""The page "Style": its picture is that of a run of the core; nobody sees another's."""

from __future__ import annotations

import gc
import re
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
import torch
from streamlit.testing.v1 import AppTest

from pages.style import held, transfer
from tests.pages.conftest import file_of, sound, start, text_of, visit
from tests.pages.pressing import files, managers
from tests.pages.test_training import to_the_end
from vision_core import models, samples
from vision_core.errors import UserError
from vision_core.models import loading
from vision_core.style.patterns import pattern
from vision_core.style.settings import DreamSettings, StyleSettings
from vision_core.style.transfer import StyleRun

SMALL = {"grow_side": "128", "grow_steps": "20"}


def opened(**params: str) -> AppTest:
    return sound(start("style", **{**SMALL, **params}))


def press(app: AppTest, key: str) -> AppTest:
    return sound(app.button(key=key).click().run())


def run_of(app: AppTest) -> StyleRun:
    found = held._store().get(app.session_state["_style_picture"].token[0])
    assert found is not None
    return found


def expected(steps: int, style: str = "mosaic", **change) -> StyleRun:
    settings = StyleSettings(**{"side": 128, "style_weight": 100.0, **change})
    photo = samples.sample(samples.names()[0])
    made = StyleRun(models.load("vgg_s", device="cpu"), photo, pattern(style), settings)
    made.grow(steps)
    return made


def test_the_picture_is_that_of_the_core_and_the_cost_is_told_before() -> None:
    app = opened()
    assert "A step takes about" in text_of(app) and not app.session_state["_style_picture"].token
    to_the_end(press(app, "style_go"))
    own, core = run_of(app), expected(20)
    assert own.step == 20 and np.array_equal(own.picture, core.picture)
    assert f"style loss **{core.history[-1].style:.3g}**" in text_of(app)
    assert "Row i, column j" in text_of(app)


def test_the_page_says_at_once_that_the_network_reads_both_pictures(monkeypatch) -> None:
    said: list[str] = []
    told: list[list[str]] = []
    spinner = st.spinner

    def heard(text, **how):
        said.append(text)
        return spinner(text, **how)

    class Reading(StyleRun):
        def __init__(self, *parts) -> None:
            told.append(list(said))
            super().__init__(*parts)

    app = opened()
    monkeypatch.setattr(st, "spinner", heard)
    monkeypatch.setattr(transfer, "StyleRun", Reading)
    press(app, "style_go")
    assert len(told) == 1 and "reads both pictures" in told[0][-1]
    to_the_end(app)
    assert len(told) == 1 and run_of(app).step == 20


def test_stop_go_on_and_take_back() -> None:
    app = press(opened(grow_steps="50"), "style_go")
    press(app, "style_stop")
    first = run_of(app).step
    assert 0 < first < 50 and run_of(sound(app.run())).step == first
    to_the_end(press(app, "style_go"))
    assert run_of(app).step == first + 50
    app.selectbox(key="style_back_to").select(10).run()
    press(app, "style_back")
    assert run_of(app).step == 10 and "Step **10**" in text_of(app)


def test_other_settings_begin_another_picture_and_adam_noise_and_layers_are_heard() -> None:
    app = opened(method="adam", start="noise", style_layers="relu1_1,relu2_1", average="0")
    to_the_end(press(app, "style_go"))
    core = expected(
        20, optimiser="adam", start="noise", style_layers=("relu1_1", "relu2_1"), average=False
    )
    assert np.array_equal(run_of(app).picture, core.picture)
    sound(app.selectbox(key="pattern").set_value("weave").run())
    assert "Step **" not in text_of(app) and app.button(key="style_go").label == "Start"


@pytest.fixture
def downloaded_vgg(hub: Path, monkeypatch) -> models.Model:
    """VGG-11 as a download, its weights random; the linear layers take no room in the file."""
    card = models.card("vgg11")
    made = models.load("vgg11", random_seed=3, device="cpu")
    wide = {n: w.new_zeros(1).expand(w.shape) for n, w in made.module.classifier.named_parameters()}
    state = made.module.state_dict() | {f"classifier.{name}": w for name, w in wide.items()}
    torch.save(state, hub / card.filename)
    right = loading.verify
    monkeypatch.setattr(
        loading, "verify",
        lambda c, file: c.sha256 + "0" * 56 if c.name == card.name else right(c, file),
    )  # fmt: skip
    return made


def test_a_downloaded_vgg_of_torchvision_grows_a_picture_and_dreams(downloaded_vgg) -> None:
    app = opened(vgg="vgg11", method="adam", content_layers="relu3_2", style_layers="relu2_1")
    assert "vgg16" not in app.selectbox(key="vgg").options
    to_the_end(press(app, "style_go"))
    settings = StyleSettings(
        side=128,
        optimiser="adam",
        style_weight=100.0,
        content_layers=("relu3_2",),
        style_layers=("relu2_1",),
    )
    photo = samples.sample(samples.names()[0])
    core = StyleRun(downloaded_vgg, photo, pattern("mosaic"), settings)
    core.grow(20)
    assert np.array_equal(run_of(app).picture, core.picture)
    dreaming = {**DREAM, "model": "vgg11", "layer": "features.8", "dream_steps": "1"}
    app = press(sound(start("style", task="classification", **dreaming)), "dream_go")
    kept = app.session_state["_dreamt"]
    assert kept.scores[-1][0] == 2 and kept.scores[1][1] > kept.scores[0][1]


def test_the_picture_is_there_before_the_first_step_has_ended(monkeypatch) -> None:
    def fault(*_: object) -> None:
        raise UserError("This step never ends.")

    monkeypatch.setattr(StyleRun, "advance", fault)
    app = opened().button(key="style_go").click().run()
    assert not app.exception and "This step never ends." in [w.value for w in app.warning]
    assert "Step **0**" in text_of(app)


def test_no_layer_at_all_is_one_sentence() -> None:
    app = opened()
    app.multiselect(key="style_layers").set_value([])
    app.multiselect(key="content_layers").set_value([]).run()
    assert not app.exception and "at least one layer" in app.warning[0].value


def test_a_style_picture_of_ones_own() -> None:
    app = opened(style_from="own")
    assert any("No style picture yet" in i.value for i in app.info)
    app.file_uploader(key="style_file").upload("bad.png", b"no picture", "image/png").run()
    assert not app.exception and len(app.warning) == 1
    pixels = pattern("dots").pixels[:90, :120].copy()
    app.file_uploader(key="style_file").upload("dots.png", file_of(pixels), "image/png").run()
    to_the_end(press(app, "style_go"))
    assert run_of(app).pattern.shape == (96, 128, 3)


def test_a_session_has_its_picture_alone_and_it_goes_with_the_session() -> None:
    app = press(opened(), "style_go")
    other = opened()
    assert not other.session_state["_style_picture"].token
    store = held._store()
    assert len(store) == 1 and store.nbytes > 0
    del app.session_state["_style_picture"]  # as Streamlit does when a session ends
    gc.collect()
    assert len(store) == 0 and store.nbytes == 0


def test_a_picture_that_had_to_make_room_is_told() -> None:
    app = press(opened(), "style_go")
    held._store().clear()
    app = sound(app.run())
    assert any("no longer holds your picture" in i.value for i in app.info)
    assert app.button(key="style_go").label == "Start"


def test_downloads_are_the_picture_and_the_losses() -> None:
    with managers() as made:
        app = to_the_end(press(opened(), "style_go"))
    found = files(app, made[-1])
    name, pixels = found["Picture (PNG)"]
    assert name == "style_step_20.png" and np.array_equal(np.array(pixels), run_of(app).picture)
    assert len(found["Losses"][1]["steps"]) == 21


DREAM = {"section": "dream", "octaves": "2", "dream_steps": "3", "dream_side": "128"}


def test_deepdream_goes_to_its_end_and_its_picture_stays_until_something_changes() -> None:
    app = sound(start("style", task="classification", model="vgg_s", **DREAM))
    assert re.search(r"Cost: 6 steps, each a pass forward and back, about \d+ s", text_of(app))
    app = press(app, "dream_go")
    kept = app.session_state["_dreamt"]
    assert kept.scores[-1][0] == 6 and kept.scores[-1][1] > kept.scores[0][1]
    sound(app.run())
    assert "Step **6**" in text_of(app)
    sound(app.slider(key="octaves").set_value(1).run())
    assert "Step **" not in text_of(app)


def test_a_channel_that_is_not_there_is_one_sentence() -> None:
    app = sound(start("style", task="classification", model="vgg_s", dream_channel="999", **DREAM))
    app = app.button(key="dream_go").click().run()
    assert not app.exception and "there is no channel 999" in app.warning[0].value


def test_the_activations_page_leads_to_deepdream_of_its_layer(monkeypatch) -> None:
    seen: list[tuple[str, dict]] = []
    from pages import navigation

    real = navigation.link
    monkeypatch.setattr(
        "pages.activations.maximising.navigation.link",
        lambda name, label, icon, params: (seen.append((name, dict(params))),
                                           real(name, label, icon, params)),
    )  # fmt: skip
    app = sound(start("activations", task="classification", layer="trunk.stages.1"))
    app.session_state["part"] = "What would make it larger"
    sound(app.run())
    [params] = [given for name, given in seen if name == "style"]
    assert params["layer"] == "trunk.stages.1" and params["section"] == "dream"
    app = sound(start("style", **params))
    assert app.session_state["layer"] == "trunk.stages.1"


@pytest.mark.parametrize("wrong", [{"pattern": "monet"}, {"style_layers": "relu9_9"},
                                   {"grow_side": "7"}, {"vgg": "resnet_s"}])  # fmt: skip
def test_a_wrong_address_gives_the_default_and_a_note(wrong) -> None:
    app = start("style", **wrong)
    assert not app.exception and any(next(iter(wrong.values())) in i.value for i in app.info)


def test_settings_along_sections_and_pages() -> None:
    app = opened(style_power="3")
    sound(app.segmented_control(key="section").set_value("dream").run())
    sound(app.segmented_control(key="section").set_value("transfer").run())
    assert app.session_state["style_power"] == 3
    app = visit(sound(visit(app, "models").run()), "style")
    assert sound(app.run()).session_state["style_power"] == 3
    assert DreamSettings().octaves == 4
