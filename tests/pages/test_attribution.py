"""The Attribution page in Streamlit's simulator."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from pages.shared import maps
from pages.shared.asked import with_random_layers
from tests.pages.conftest import picture, sound, start, text_of
from vision_core import models, samples
from vision_core.attribution import explained
from vision_core.inference import trace
from vision_core.records.targets import ClassTarget

PAGE = "attribution"


def test_it_opens_on_the_best_box_of_the_bundled_detector() -> None:
    app = sound(start(PAGE))
    shown = picture(app, 0)
    found = trace(models.load("fcos_s"), samples.sample("cat"))
    best = int(found.select(found.defaults).detections.candidate[0])
    assert best in shown["ids"]
    label, score = found.label(best), found.scores[best]
    assert app.metric[0].label == f"Class logit of {label} {score:.2f}, box 1"
    [box] = [s for s in app.selectbox if s.label == "Detection"]
    assert box.options[0] == f"{label} {score:.2f}, box 1"
    assert not re.search(r"(box|joint|region|candidate)[: ]?\d{2,}", _prose(app))


def _prose(app: AppTest) -> str:
    """What is read: prose, numbers and choices, not the address."""
    return "\n".join(
        [
            text_of(app),
            *(m.label for m in app.metric),
            *(o for s in app.selectbox for o in s.options),
        ]
    )


@pytest.mark.parametrize(
    ("model", "activation"), [("fcos_s", "sigmoid"), ("faster_rcnn_s", "softmax")]
)
def test_the_logit_leads_to_the_score_that_the_pages_show(model, activation) -> None:
    app = sound(start(PAGE, model=model, methods="gradient"))
    found = trace(models.load(model), samples.sample("cat"))
    best = int(found.select(found.defaults).detections.candidate[0])
    logit = float(app.metric[0].value)
    words = text_of(app)
    assert activation in words
    own = float(re.search(r"class probability ([0-9.]+)\.(?: |$)", words, re.M).group(1))
    if model == "fcos_s":
        assert 1 / (1 + math.exp(-logit)) == pytest.approx(own, abs=1e-3)
        told = r"Score ([0-9.]+) = √\(class ([0-9.]+) x centerness ([0-9.]+)\)"
        numbers = re.search(told, words)
        score, left, right = (float(v) for v in numbers.groups())
        assert math.sqrt(left * right) == pytest.approx(score, abs=1e-3)
        assert left == own and score == pytest.approx(float(found.scores[best]), abs=1e-3)
        assert numbers.group(0) in text_of(sound(start(box=str(best))))
    else:
        assert own == pytest.approx(float(found.scores[best]), abs=1e-3)
    assert len(app.get("plotly_chart")) == 1


@pytest.mark.parametrize(
    ("task", "target", "words"),
    [
        ("classification", "cat", "Class logit of cat"),
        ("segmentation", "region:cat", "Mean class logit of cat"),
        ("detection", "candidate:5:x1", "Left edge x1, pixels of "),
        ("pose", "joint:0:neck", "Heatmap logit of neck of "),
        (
            "classification",
            "unit:trunk.stages.1:3,2,1",
            "Activation of channel 3, row 2, column 1 of trunk.stages.1",
        ),
    ],
)
def test_a_link_names_the_target(task, target, words) -> None:
    app = sound(start(PAGE, task=task, target=target, methods="gradient,gradcam"))
    assert app.metric[0].label.startswith(words)
    assert target == "cat" or target not in _prose(app)


def test_a_box_is_the_detection_that_the_command_line_lists() -> None:
    app = sound(start(PAGE, model="faster_rcnn_s", target="box:0", methods="gradient"))
    found = trace(models.load("faster_rcnn_s"), samples.sample("cat"))
    first = int(found.select(found.defaults).detections.candidate[0])
    assert app.session_state["target"] == f"candidate:{first}"
    assert app.metric[0].label.endswith("box 1")
    app = start(PAGE, model="faster_rcnn_s", target="box:99", methods="gradient")
    assert "There is no detection 99" in text_of(app) and app.metric[0].label.endswith("box 1")


@pytest.mark.parametrize("target", ["zebra", "box:1", "box:x"])
def test_a_target_that_does_not_fit_gives_way_to_the_top_prediction(target) -> None:
    app = sound(start(PAGE, task="classification", target=target, methods="gradient"))
    assert app.metric[0].label.startswith("Class logit of ")
    assert target not in app.metric[0].label


def test_another_class_of_an_occlusion_runs_no_network(convolutions) -> None:
    app = sound(start(PAGE, task="classification", methods="occlusion"))
    [box] = [s for s in app.selectbox if s.label == "Class"]
    before, first = len(convolutions), app.metric[0].value
    assert before > 0
    sound(box.set_value(box.options[3].rsplit(" ", 1)[0]).run())  # "golf ball 0.031"
    assert len(convolutions) == before, "the sweep holds every class"
    assert app.metric[0].value != first


def test_the_same_question_is_answered_once(monkeypatch) -> None:
    asked = []
    monkeypatch.setattr(
        maps, "explained", lambda q, m, **s: asked.append(m) or explained(q, m, **s)
    )
    app = sound(start(PAGE, methods="gradient,gradcam"))
    assert sorted(asked) == ["gradcam", "gradient"]
    [over] = [s for s in app.slider if s.key == "over"]
    sound(over.set_value(0.3).run())
    assert len(asked) == 2, "how it is drawn changes no map"


def test_a_method_that_means_nothing_here_is_said_and_the_others_stay() -> None:
    app = start(PAGE, task="classification", methods="gradient,gradcam", layers="nowhere")
    assert not app.exception and len(app.get("plotly_chart")) == 1


def test_the_sanity_check_shows_both_and_compares() -> None:
    app = sound(start(PAGE, task="classification", methods="gradient,guided_backprop", random="3"))
    assert len(app.get("plotly_chart")) == 2
    table = app.dataframe[0].value
    assert list(table["method"]) == ["Gradient", "Guided backprop"]
    assert table["absolute"].between(-1, 1).all()
    assert "last 3 of" in text_of(app)
    [slider] = app.main.slider
    assert slider.key == "random" and slider.max == 41


def test_the_slider_counts_the_layers_before_the_target() -> None:
    app = sound(start(PAGE, model="fcos_s", methods="gradient", random="1"))
    [slider] = app.main.slider
    assert slider.max == 47, "layers of the other branch and of other levels do not count"
    assert app.dataframe[0].value["signed"][0] < 0.99


@pytest.mark.parametrize(
    ("target", "layers"), [("candidate:311", 49), ("candidate:311:joint:neck", 43)]
)
def test_a_pose_has_the_layers_of_the_network_that_is_asked(target, layers) -> None:
    app = sound(
        start(
            PAGE,
            task="pose",
            model="pose_heatmap_s",
            photo="astronaut",
            target=target,
            methods="gradient",
            random="1",
        )
    )
    [slider] = app.main.slider
    assert slider.max == layers
    assert app.dataframe[0].value["signed"][0] < 0.99


def test_every_argument_of_a_map_is_part_of_its_key() -> None:
    model, photo = models.load("resnet_s"), samples.sample("cat")
    found = trace(model, photo)
    cat, dog = ClassTarget("cat"), ClassTarget("dog")

    def told(*_: object) -> None:
        return None

    base = (model, photo, found, cat, "smoothgrad", {"samples": 2, "seed": 1})
    first = maps.of(*base, told)
    assert maps.of(*base, told) is first
    other = samples.sample("astronaut")
    for changed in (
        (with_random_layers(model, 2, 0), *base[1:]),
        (model, other, trace(model, other), *base[3:]),
        (*base[:3], dog, *base[4:]),
        (*base[:4], "gradient", {}),
        (*base[:5], {"samples": 2, "seed": 2}),
        (*base[:5], {"samples": 3, "seed": 1}),
    ):
        assert not np.array_equal(maps.of(*changed, told).values, first.values)
    with pytest.raises(ValueError, match="read-only"):
        first.values[0, 0] = 9


@pytest.mark.parametrize(
    ("page", "key", "value"),
    [
        (PAGE, "over", 0.3),
        ("relu_rules", "unit", 2),
    ],
)
def test_how_it_is_drawn_runs_no_network(page, key, value, convolutions) -> None:
    app = sound(start(page, task="classification", section="network", methods="gradient,gradcam"))
    before = len(convolutions)
    [widget] = [w for w in (*app.slider, *app.number_input) if w.key == key]
    sound(widget.set_value(value).run())
    assert 0 < before == len(convolutions)
