"""The page "Metrics": what it says is what the core, pycocotools and scikit-learn say."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn import metrics as sk

from pages.metrics import outline, table
from tests.pages.conftest import file_of, picture, sound, start, text_of
from vision_core import models, samples
from vision_core.inference import trace
from vision_core.walkthroughs import PRESETS, build


def at(section: str = "ap", **more: object):
    return sound(start("metrics", section=section, **{k: str(v) for k, v in more.items()}))


def areas(app) -> list[float]:
    """The areas by three rules, as the page shows them."""
    [shown] = [d.value for d in app.dataframe if "area" in d.value.columns]
    return [float(v) for v in shown.iloc[:, 1]]


@pytest.mark.parametrize("which", [p.name for p in PRESETS["average_precision"]])
def test_an_example_is_played_with_its_areas_beside_it(which) -> None:
    app = at(preset=which)
    walk = build("average_precision", which)
    played = picture(app)["stage"]["views"][0]["walk"]
    assert [s["text"] for s in played["steps"]] == [s.text for s in walk.steps]
    np.testing.assert_allclose(areas(app), walk.result, atol=1e-4)


def test_the_threshold_moves_the_point_and_its_numbers() -> None:
    app = at(threshold=0.65)  # 0.9 a hit, 0.8 its duplicate, 0.7 on nothing; three objects
    said = text_of(app)
    assert "1/3 = **0.333**  \nRecall = TP / (TP + FN) = 1/3 = **0.333**" in said
    sound(app.slider(key="threshold").set_value(0.4).run())
    assert "Precision = TP / (TP + FP) = 3/5 = **0.600**" in text_of(app)
    assert "F1 = 2 TP / (2 TP + FP + FN) = 6/8 = **0.750**" in text_of(app)
    sound(app.slider(key="threshold").set_value(1.0).run())
    assert "nothing is left" in text_of(app)


def test_edited_numbers_are_scored() -> None:
    app = at(numbers="table", true_rows="a:0,0,10,10;b:0,0,10,10", found_rows="a:0.9,0,0,10,10")
    np.testing.assert_allclose(areas(app), [6 / 11, 0.5, 51 / 101], atol=1e-4)


def test_a_table_without_a_true_box_is_refused_in_a_sentence() -> None:
    app = at(numbers="table", true_rows="", found_rows="a:0.9,0,0,10,10")
    assert any("at least one true box" in w.value for w in app.warning)


@pytest.mark.parametrize("text", ["a:1,2,3", "a:1,2,-3,4", "1,2,3,4", "a:1,2,3,x"])
def test_rows_that_are_none_give_the_default(text) -> None:
    app = at(numbers="table", true_rows=text)
    assert any("true" in i.value and "default" in i.value for i in app.info)


def test_rows_survive_the_address_bar() -> None:
    rows = {"a": [[1.5, 2.0, 3.0, 4.0]], "b c": [[0.0, 0.0, 1.0, 1.0], [5.0, 5.0, 2.0, 2.0]]}
    assert table.to_rows(table.to_text(rows), 4) == rows
    assert list(table.to_rows(table.to_text({"x:y;z": [[1, 2, 3, 4]]}), 4)) == ["x y z"]


def test_a_table_that_comes_back_holds_what_was_edited() -> None:
    app = at(numbers="table")
    key = app.session_state["_found_rows"].key
    sound(app.run())
    assert app.session_state["_found_rows"].key == key  # or the editor would forget its edits
    app.session_state["_found_rows"].text = text = "a:0.5,1,1,2,2"  # as after an edit
    app.session_state["found_rows"] = text
    sound(app.button_group(key="numbers").set_value("example").run())
    sound(app.button_group(key="numbers").set_value("table").run())
    again = app.session_state["_found_rows"]
    assert again.key != key and again.frame["score"].tolist() == [0.5]


def test_this_photo_is_scored_against_a_drawn_box() -> None:
    app = at(numbers="photo", photo="cat", model="fcos_s")
    assert "stands for the truth" in text_of(app)
    mark = next(p for p in app.get("bidi_component") if "marks" in json.loads(p.proto.json))
    photo = json.loads(mark.proto.json)["photo"]
    app = at(numbers="photo", photo="cat", truth=f"{photo['id'][:8]};cat:0,0,5,5")
    assert "stands for the truth" not in text_of(app)
    assert areas(app) == [0.0, 0.0, 0.0]  # nobody finds a cat in the corner


def drawn_on(**params: object) -> str:
    """The mark of a photo in the address, with which its true boxes start."""
    app = at(numbers="photo", **params)
    return next(
        data["photo"]["id"][:8]
        for data in (json.loads(p.proto.json) for p in app.get("bidi_component"))
        if "photo" in data
    )


def test_every_detection_has_one_kind_of_error_and_a_press_shows_its_boxes_alone() -> None:
    app = at("errors", photo="astronaut", score=0.05)
    pills = app.pills(key="kind_of_error")
    counts = dict(option.split(": ") for option in pills.options)
    every = picture(app)["boxes"]
    assert sum(int(n) for kind, n in counts.items() if kind != "missed") == len(every) > 3
    kind = max((k for k in counts if k not in ("missed", "correct")), key=lambda k: int(counts[k]))
    app = at("errors", photo="astronaut", score=0.05, kind_of_error=kind)
    shown = picture(app)
    assert len(shown["boxes"]) == int(counts[kind]) > 0
    assert all(label.startswith(kind) for label in shown["labels"])


def test_a_drawn_box_that_nobody_finds_is_missed() -> None:
    mark = drawn_on(photo="cat")
    app = at("errors", photo="cat", truth=f"{mark};horse:0,0,20,20")
    assert "missed horse" in [m["text"] for m in picture(app)["marks"]]


def test_a_classifier_has_no_kinds_of_error() -> None:
    app = at("errors", task="classification")
    assert any("finds no boxes" in i.value for i in app.info)
    sound(app.button(key="use_fitting").click().run())
    assert app.session_state["model"] == "fcos_s" and app.get("bidi_component")


def test_a_class_map_is_scored_as_scikit_learn_does_it() -> None:
    mark = drawn_on(photo="cat")
    app = at("pixels", photo="cat", truth=f"{mark};cat:50,20,400,300")
    photo = samples.sample("cat")
    made = trace(models.load("fcn_voc_s", device="cpu"), photo)
    true = np.zeros((photo.height, photo.width), int)
    true[20:300, 50:400] = made.info.labels.index("cat")
    a, b = true.ravel(), made.class_map.ravel()
    said = text_of(app)
    for value in (
        sk.accuracy_score(a, b),
        sk.jaccard_score(a, b, labels=sorted({*a.tolist(), *b.tolist()}), average="macro"),
        sk.f1_score(a == true.max(), b == true.max()),
        sk.precision_score(a == true.max(), b == true.max()),
    ):
        assert f"= **{value:.3f}**" in said
    tp = int(((a == b) & (a == true.max())).sum())
    assert f"{tp:,} true positives" in said and f"= {tp:,} / ({tp:,} + " in said
    app = sound(app.segmented_control(key="lit").set_value("FN").run())
    assert f"{int(((a != b) & (a == true.max())).sum()):,} false negatives" in text_of(app)


def test_a_truth_comes_as_a_file() -> None:
    app = at("pixels", photo="cat")
    photo = samples.sample("cat")
    values = np.zeros((photo.height, photo.width), np.uint8)
    values[:100] = 1  # the network's own index of cat
    app.file_uploader(key="class_picture").upload("truth.png", file_of(values), "image/png").run()
    said = text_of(sound(app))
    made = trace(models.load("fcn_voc_s", device="cpu"), photo)
    right = sk.accuracy_score(values.ravel(), made.class_map.ravel())
    assert f"= **{right:.3f}**" in said
    sound(app.button_group(key="section").set_value("errors").run())
    sound(app.button_group(key="section").set_value("pixels").run())
    assert f"= **{right:.3f}**" in text_of(app)  # the file still counts, and can be taken away
    sound(app.button(key="class_picture_away").click().run())
    assert "stands for the truth" in text_of(app)


def test_a_detector_makes_no_class_map() -> None:
    app = at("pixels", task="detection", model="faster_rcnn_s")
    assert any("makes no class map" in i.value for i in app.info)
    sound(app.button(key="use_fitting").click().run())
    assert "Dice" in text_of(app)


def test_an_outline_is_a_truth() -> None:
    mark = drawn_on(photo="cat")
    app = at("pixels", photo="cat", outlines=f"{mark};cat:0,0,200,0,200,100,0,100")
    made = trace(models.load("fcn_voc_s", device="cpu"), samples.sample("cat"))
    cat = made.info.labels.index("cat")
    tp = int((made.class_map[:100, :200] == cat).sum())
    said = text_of(app)
    assert f"{tp:,} / ({tp:,} + {20_000 - tp:,}) = " in said  # recall of 200 x 100 pixels
    shown = picture(app)
    assert len(shown["marks"]) == len(shown["links"]) == 4
    sound(app.button(key="outline_clear").click().run())
    assert "stands for the truth" in text_of(app)


def test_a_list_is_calibrated_as_by_hand() -> None:
    app = at("calibration", answer_rows="0.9:1;0.9:1;0.2:1;0.2:0", bins=2)
    assert "2/4 · 0.300 + 2/4 · 0.100 = **0.200**; the largest gap is 0.300" in text_of(app)
    sound(app.slider(key="bins").set_value(1).run())
    assert "4/4 · 0.200 = **0.200**" in text_of(app)


def test_detections_are_calibrated_by_whether_they_are_hits() -> None:
    mark = drawn_on(photo="cat")
    app = at("calibration", answers="photo", photo="cat", truth=f"{mark};cat:0,0,5,5", bins=1)
    shown = picture(app)
    mean = float(np.mean(shown["scores"]))  # nobody finds the cat in the corner: all are wrong
    assert f"= **{mean:.3f}**" in text_of(app)


def test_corners_are_clicked_and_closed() -> None:
    """A photo, its clicks and a drag, without a browser."""
    import streamlit as st

    photo = samples.sample("cat")
    st.session_state.update(truth_class="cat")
    for place in ([0, 0], [10, 0], [10, 10]):
        outline.asked(photo, place)
    squares, links = outline.marks(photo)
    assert len(squares) == 3 and len(links) == 2
    outline._close(photo, "cat")
    [made] = outline.drawn(photo)
    assert made.corners.tolist() == [[0, 0], [10, 0], [10, 10]]
    assert len(outline.marks(photo)[1]) == 3
    st.session_state.clear()


@pytest.mark.parametrize("text", ["0.5", "0.5:2", "1.5:1", "x:1"])
def test_answers_that_are_none_give_the_default(text) -> None:
    app = at("calibration", answer_rows=text)
    assert any("default" in i.value for i in app.info)
