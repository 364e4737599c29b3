"""The pages Filters and Activations in Streamlit's simulator."""

from __future__ import annotations

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from pages.activations.facets import seen
from pages.filters.page import FIRST
from tests.pages.conftest import sound, start, text_of
from vision_core import models, samples
from vision_core.features.activations import activations
from vision_core.features.filters import filters

FILTERS, ACTIVATIONS = "filters", "activations"


@pytest.mark.parametrize("task", ["detection", "segmentation", "classification", "pose"])
def test_filters_of_every_bundled_kind(task) -> None:
    app = sound(start(FILTERS, task=task))
    model = models.load(FIRST if task == "classification" else models.cards(task)[0].name)
    found = filters(model.module)
    assert f"{len(found.weights)} filters of" in text_of(app)
    assert len(app.get("plotly_chart")) == 1


def test_one_filter_and_random_weights() -> None:
    app = sound(
        start(
            FILTERS,
            task="classification",
            model="resnet_s",
            conv="trunk.stages.1.0.conv1",
            filter="3",
            untrained="1",
        )
    )
    words = text_of(app)
    assert "Filter 3" in words and "Random weights" in words
    assert len(app.get("plotly_chart")) == 3


def test_activations_of_the_layer_in_the_link() -> None:
    app = sound(start(ACTIVATIONS, task="classification", layer="trunk.stages.2", channel="7"))
    found = activations(models.load("resnet_s"), samples.sample("cat"), "trunk.stages.2")
    values = found.values[7]
    words = text_of(app)
    assert f"Channel 7: {values.min():.3g} to {values.max():.3g}" in words
    assert f"{found.values.size:,} activations" in words


@pytest.mark.parametrize("task", ["detection", "segmentation", "pose"])
def test_activations_of_every_bundled_kind(task) -> None:
    sound(start(ACTIVATIONS, task=task, photo="astronaut"))


def test_a_channel_that_is_not_there_gives_the_strongest() -> None:
    app = sound(start(ACTIVATIONS, task="classification", channel="99999"))
    assert "Channel " in text_of(app)


def test_layers_of_another_network_give_way() -> None:
    app = start(ACTIVATIONS, task="classification", layer="backbone.nowhere")
    assert not app.exception and any("backbone.nowhere" in i.value for i in app.info)


def test_a_class_is_made_larger_step_by_step() -> None:
    app = sound(start(ACTIVATIONS, task="classification"))
    app.session_state["part"] = "What would make it larger"
    app = sound(app.run())
    [what] = [r for r in app.radio if r.key == "climb_what"]
    app = sound(what.set_value("a class").run())
    [steps] = [s for s in app.slider if s.key == "climb_steps"]
    app = sound(steps.set_value(8).run())
    [go] = [b for b in app.button if b.key == "climb_go"]
    app = sound(go.click().run())
    [shown] = [m for m in app.metric if "after 8 steps" in m.label]
    assert shown.delta.startswith("+")


def test_small_kernels_lead_to_larger_ones() -> None:
    app = sound(start("filters", task="classification", model="resnet_s"))
    assert "3 x 3 over 3 channels" in text_of(app)
    sound(app.button(key="larger_kernels").click().run())
    assert "11 x 11 over 3 channels" in text_of(app)
    assert not [b for b in app.button if b.key == "larger_kernels"]


def _climbed(app: AppTest) -> list[str]:
    return [m.label for m in app.metric if "steps" in m.label]


def _set(app: AppTest, kind: str, key: str, value: object) -> AppTest:
    [widget] = [w for w in app.get(kind) if w.key == key]
    return sound(widget.set_value(value).run())


@pytest.mark.parametrize(
    ("kind", "key", "value"),
    [
        ("selectbox", "photo", "coffee"),
        ("selectbox", "model", "vgg_s"),
        ("selectbox", "layer", "trunk.stages.2"),
        ("radio", "climb_what", "a class"),
    ],
)
def test_a_maximised_picture_goes_when_it_is_of_something_else(kind, key, value) -> None:
    app = sound(start(ACTIVATIONS, task="classification", layer="trunk.stages.1", channel="3"))
    app.session_state["part"] = "What would make it larger"
    app = _set(sound(app.run()), "slider", "climb_steps", 8)
    [go] = [b for b in app.button if b.key == "climb_go"]
    app = sound(go.click().run())
    assert _climbed(app) == ["Activation after 8 steps"]
    app = _set(app, "slider", "climb_blur", 1.0)
    assert _climbed(app), "a regulariser is for the next run"
    app.session_state["part"] = "What would make it larger"
    app = _set(app, kind, key, value)
    assert _climbed(app) == []


def test_a_maximised_picture_goes_with_its_channel() -> None:
    app = sound(start(ACTIVATIONS, task="classification", layer="trunk.stages.1", channel="3"))
    app.session_state["part"] = "What would make it larger"
    app = _set(sound(app.run()), "slider", "climb_steps", 8)
    [go] = [b for b in app.button if b.key == "climb_go"]
    app = sound(go.click().run())
    assert _climbed(app)
    app.session_state["channel"] = 5
    assert _climbed(sound(app.run())) == []
    app.session_state["channel"] = 3
    assert _climbed(sound(app.run()))


def test_what_a_unit_can_see_is_enlarged() -> None:
    picture = np.arange(60 * 80 * 3, dtype=np.uint8).reshape(60, 80, 3)
    shown = seen(picture, (10, 20, 30, 50))
    assert shown.shape == (360, 240, 3)
    assert (shown[::12, ::12] == picture[20:50, 10:30]).all()


def _facets(app: AppTest) -> list[str]:
    return [m.value for m in app.markdown if m.value.startswith("**Facet")]


def _several(**params: str) -> AppTest:
    app = sound(start(ACTIVATIONS, task="classification", **params))
    app.session_state["part"] = "What would make it larger"
    app = _set(sound(app.run()), "radio", "climb_start", "facets")
    return _set(app, "slider", "climb_steps", 8)


def test_a_unit_has_several_facets() -> None:
    app = _set(_several(layer="trunk.stages.1", channel="3"), "slider", "climb_facets", 2)
    assert "98 pictures through the network, then 2 times 8 steps" in text_of(app)
    assert not _facets(app)
    app = sound(app.button(key="climb_go").click().run())
    assert len(_facets(app)) == 2 and all("after 8 steps" in words for words in _facets(app))
    assert text_of(app).count("class='facet'") == 2
    assert len(app.get("download_button")) == 2
    assert len(_facets(sound(app.run()))) == 2, "they stay"
    app.session_state["channel"] = 5
    assert not _facets(sound(app.run())), "they are of another channel"


def test_each_start_has_its_own_usual_settings() -> None:
    app = _several(layer="trunk.stages.1", channel="3")
    assert (app.slider(key="facets_l2").value, app.slider(key="facets_rate").value) == (0, 0.04)
    app = _set(app, "radio", "climb_start", "noise")
    assert (app.slider(key="climb_l2").value, app.slider(key="climb_rate").value) == (0.01, 0.06)
    assert app.slider(key="climb_steps").value == 8, "steps are those of both"


def test_too_few_pictures_for_facets_are_told_in_a_sentence() -> None:
    app = _several(layer="trunk.stages.1", channel="3", gallery="found", photo="cat")
    app = _set(app, "slider", "climb_facets", 6)
    app = sound(app.button(key="climb_go").click().run())
    assert any("6 facets need 18" in w.value for w in app.warning) and not _facets(app)


def test_an_empty_gallery_is_told() -> None:
    assert any("gallery is empty" in i.value for i in _several(gallery="mine").info)


def test_the_unit_of_a_pose_network_is_its_own() -> None:
    app = sound(start(ACTIVATIONS, task="pose", photo="astronaut"))
    app.session_state["part"] = "What would make it larger"
    app = _set(sound(app.run()), "slider", "climb_steps", 8)
    app = sound(app.button(key="climb_go").click().run())
    assert _climbed(app) == ["Activation after 8 steps"] and not app.warning
