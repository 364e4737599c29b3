from __future__ import annotations

import logging

import numpy as np
import pytest
import torch
import torchvision

from pages.shared import photos
from tests.pages.conftest import PREDICTIONS, file_of, picture, sound, start, text_of, visit
from vision_core import models, samples
from vision_core.models import loading

LOW = "0.005"  # so low that any weights, trained or not, show several boxes


@pytest.mark.parametrize("page", [None, PREDICTIONS])
def test_every_page_runs_without_a_warning_about_old_calls(page, caplog) -> None:
    with caplog.at_level(logging.WARNING):
        sound(start(page))
    assert "deprecat" not in caplog.text.lower()


@pytest.mark.parametrize("task", ["detection", "pose", "segmentation", "classification"])
def test_the_bundled_model_of_each_task_shows_its_result(task) -> None:
    app = sound(start(task=task))
    assert picture(app)["photo"]["width"] == samples.sample("cat").width
    assert "network saw" in text_of(app)


def test_no_control_runs_the_network_again(convolutions) -> None:
    app = sound(start(score=LOW))
    assert convolutions, "the network must have run once"
    before = len(convolutions)
    counts = set()
    for key, value in [
        ("score", 0.2),
        ("score", 0.001),
        ("iou", 0.1),
        ("max", 7),
        ("max", 200),
        ("nms", "soft-gaussian"),
        ("sigma", 0.9),
        ("nms", "soft-linear"),
        ("nms", "none"),
        ("agnostic", True),
        ("classes", ["cat"]),
        ("captions", False),
        ("present", True),
    ]:
        [w] = [
            w
            for kind in ("slider", "number_input", "selectbox", "toggle", "multiselect")
            for w in app.get(kind)
            if w.key == key
        ]
        sound(w.set_value(value).run())
        counts.add(len(picture(app)["boxes"]))
    assert len(convolutions) == before
    assert len(counts) > 2, "the controls must have changed the picture"
    assert "network passes for this photo: 1" in text_of(app)


def test_pose_runs_once_for_each_person_ever_shown(convolutions) -> None:
    app = sound(start(task="pose", score=LOW, max="3", photo="astronaut"))
    few = len(convolutions)
    sound(app.slider(key="max").set_value(8).run())
    more = len(convolutions)
    shown = len(picture(app)["boxes"])
    for low, joint in ((3, 0.5), (8, 0.9), (1, 0.0), (8, 0.1)):
        app.slider(key="max").set_value(low)
        sound(app.slider(key="joint").set_value(joint).run())
    assert len(convolutions) == more
    assert more > few or shown <= 3


def test_a_second_session_is_served_from_the_same_trace(convolutions) -> None:
    sound(start())
    before = len(convolutions)
    sound(start(score="0.1"))
    assert len(convolutions) == before


def test_state_survives_another_page() -> None:
    app = sound(start())
    app.number_input(key="score").set_value(0.07)
    app.slider(key="max").set_value(9)
    app.selectbox(key="photo").set_value("astronaut")
    sound(app.run())
    sound(visit(app, "home").run())
    sound(visit(app, PREDICTIONS).run())
    assert app.number_input(key="score").value == 0.07
    assert app.slider(key="max").value == 9
    assert app.selectbox(key="photo").value == "astronaut"


def test_the_address_sets_every_control_and_holds_every_change() -> None:
    app = sound(
        start(
            photo="astronaut",
            score="0.05",
            iou="0.3",
            nms="soft-gaussian",
            sigma="0.7",
            agnostic="1",
            max="12",
            classes="cat,dog",
        )
    )
    assert app.selectbox(key="photo").value == "astronaut"
    assert [
        *(app.number_input(key=k).value for k in ("score", "iou")),
        *(app.slider(key=k).value for k in ("sigma", "max")),
    ] == [
        0.05,
        0.3,
        0.7,
        12,
    ]
    assert app.toggle(key="agnostic").value is True
    assert app.multiselect(key="classes").value == ["cat", "dog"]
    assert not [i.value for i in app.info if "address" in i.value]
    sound(app.number_input(key="score").set_value(0.11).run())
    assert app.query_params["score"] == "0.11"
    assert app.query_params["photo"] == "astronaut"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("score", "abc"),
        ("score", "7"),
        ("score", "nan"),
        ("iou", "-1"),
        ("nms", "soft"),
        ("max", "0"),
        ("max", "3.5"),
        ("sigma", "0"),
        ("agnostic", "yes"),
        ("classes", "cat,unicorn"),
        ("photo", "nobody"),
        ("task", "guessing"),
        ("model", "yolo99"),
        ("device", "abacus"),
        ("source", "fax"),
        ("present", "2"),
        ("box", "x"),
    ],
)
def test_a_bad_value_gives_the_default_and_a_note(name, value) -> None:
    app = sound(start(**{name: value}))
    notes = [i.value for i in app.info if f"asks for {name} " in i.value]
    assert len(notes) == 1 and value in notes[0]
    assert name not in app.query_params
    assert picture(app)["photo"]["width"]


def test_a_bad_pixel_gives_a_note() -> None:
    app = sound(start(task="segmentation", at="9999,1"))
    assert any("9999,1" in i.value for i in app.info)
    assert picture(app)["pin"] is None
    good = sound(start(task="segmentation", at="10,20"))
    assert picture(good)["pin"] == [10, 20]


def test_reset_goes_back_to_the_models_own_thresholds() -> None:
    app = sound(start())
    own = app.number_input(key="score").value, app.number_input(key="iou").value
    app.number_input(key="score").set_value(0.77)
    app.number_input(key="iou").set_value(0.13)
    sound(app.run())
    sound(app.button(key="reset_thresholds").click().run())
    assert (app.number_input(key="score").value, app.number_input(key="iou").value) == own
    assert "score" not in app.query_params


def test_uploads_stay_in_their_session_and_a_bad_one_blocks_nothing() -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (60, 90, 3), dtype=np.uint8)
    app = sound(start(source="upload"))
    assert "Choose one or several photos" in text_of(app)
    uploader = app.file_uploader(key="files")
    uploader.upload("mine.png", file_of(pixels), "image/png")
    uploader.upload("broken.png", b"no picture", "image/png")
    sound(app.run())
    assert (picture(app)["photo"]["width"], picture(app)["photo"]["height"]) == (90, 60)
    sound(app.button(key="next").click().run())
    assert any("broken.png" in w.value for w in app.warning)
    sound(app.button(key="next").click().run())
    assert not app.warning and picture(app)["photo"]["width"] == 90
    other = sound(start(source="upload"))
    assert not other.get("bidi_component")
    assert "mine.png" not in text_of(other)


def test_more_uploads_than_a_session_may_give_are_left_out_and_said(monkeypatch) -> None:
    monkeypatch.setattr(photos, "MAX_RATE", 12)
    pixels = np.random.default_rng(0).integers(0, 255, (20, 30, 3), dtype=np.uint8)
    app = sound(start(source="upload"))
    for rounds, notes in ((10, 0), (4, 1)):  # two of the four find room
        for n in range(rounds):
            pixels[0, 0] = n, rounds, 0
            app.file_uploader(key="files").upload(f"{rounds}_{n}.png", file_of(pixels), "image/png")
        sound(app.run())
        assert ("too many" in text_of(app)) == bool(notes)
    kept = [entry.name for entry in app.session_state["_uploads"].values()]
    assert kept[-2:] == ["4_0.png", "4_1.png"]


def test_a_link_to_an_upload_asks_for_that_file_by_name() -> None:
    app = sound(start(source="upload", file="mine.png~0123456789"))
    assert any("mine.png" in i.value and "upload" in i.value for i in app.info)


def test_a_model_that_is_not_here_offers_the_bundled_one(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    app = start(model="ssdlite320_mobilenet_v3_large", score=LOW)
    assert not app.exception
    assert any("not on this machine" in w.value for w in app.warning)
    assert app.button(key="download_weights").label.startswith("Download")
    sound(app.button(key="use_bundled").click().run())
    assert app.selectbox(key="model").value == models.default_card("detection").name
    assert picture(app)["boxes"]


def test_without_a_network_the_download_says_so_in_a_sentence(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    app = start(model="ssdlite320_mobilenet_v3_large")
    app.button(key="download_weights").click().run()
    assert not app.exception
    assert any("could not be downloaded" in w.value for w in app.warning)


def test_a_fault_of_ours_becomes_a_sentence_without_traceback(monkeypatch, caplog) -> None:
    from pages.shared import scene

    def broken(*args: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(scene, "detections", broken)
    app = start()
    assert not app.exception
    [message] = [e.value for e in app.error]
    assert message.startswith("Something went wrong while showing the detections")
    assert "secret detail" not in message and "secret detail" in caplog.text


def test_selecting_a_row_selects_the_box_on_the_picture() -> None:
    app = sound(start(score=LOW))
    ids = picture(app)["ids"]
    assert len(ids) > 1
    linked = sound(start(score=LOW, box=str(ids[1])))
    assert picture(linked)["selected"] == ids[1]
    assert "Class probabilities of the selected" in text_of(linked)
    assert linked.session_state["table"]["selection"]["rows"] == [1]


def test_full_size_weights_that_are_here_are_the_default_and_the_page_says_so(
    hub, monkeypatch
) -> None:
    card = models.card("ssdlite320_mobilenet_v3_large")
    network = torchvision.models.get_model(card.name, weights=None, weights_backbone=None)
    torch.save(network.state_dict(), hub / card.filename)
    monkeypatch.setattr(loading, "verify", lambda card, file: card.sha256)
    app = sound(start())
    assert app.selectbox(key="model").value == card.name
    assert "full-size weights are on this machine" in text_of(app)
    assert not app.warning, [w.value for w in app.warning]
    assert card.title in text_of(app)
    sound(app.button(key="bundled_instead").click().run())
    assert app.selectbox(key="model").value == models.default_card("detection").name
    assert "full-size weights" not in text_of(app)
    assert app.query_params["model"] == models.default_card("detection").name


def test_unsure_pixels_are_marked_when_asked_for() -> None:
    app = sound(start(task="segmentation", photo="cat"))
    assert "unsure" not in text_of(app)
    plain = picture(app)["overlay"]
    app.toggle(key="unsure").set_value(True)
    sound(app.run())
    app.slider(key="sure").set_value(0.97)
    sound(app.run())
    assert "unsure" in text_of(app) and picture(app)["overlay"] != plain
    assert (app.query_params["unsure"], app.query_params["sure"]) == ("1", "0.97")
