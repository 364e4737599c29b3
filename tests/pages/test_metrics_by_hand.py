"""Metrics by hand: joints that are placed, and a truth that is painted."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn import metrics as sk

from pages.metrics import brush, joints
from tests.pages.conftest import picture, sound, text_of
from tests.pages.test_metrics import at
from vision_core import models, samples
from vision_core.comparison.people import TruePerson
from vision_core.inference import PartSource, trace
from vision_core.metrics.joint_scores import joint_scores
from vision_core.metrics.painted import BrushStroke, painted, to_text


def joints_text(places: dict[str, tuple[float, float]], mark: str) -> str:
    return ";".join([mark, *(f"{n}:{x},{y}" for n, (x, y) in places.items())])


def test_joints_are_scored_as_the_core_scores_them() -> None:
    photo = samples.sample("astronaut")
    model = models.load("pose_heatmap_s", device="cpu")
    made = trace(model, photo)
    kept = made.select(made.defaults).detections.candidate
    found = PartSource(model, photo, made).keypoints(kept)
    true = {n: (float(x) + 9, float(y)) for n, (x, y) in zip(found.names, found.xy[0], strict=True)}
    app = at("pose", photo="astronaut", joints=joints_text(true, photo.sha256[:8]))
    said = text_of(app)
    assert "stands for the truth" not in said
    assert "PCK@0.2 = correct joints / labelled joints = 14 / 14 = **1.000**" in said
    person = TruePerson(found.names, np.array(list(true.values())), np.ones(14, bool))
    scores = joint_scores(found.names, found.xy[0], person)
    assert f" / 12 = **{scores.oks:.3f}**" in said
    small = 8.9 / scores.torso
    assert small < 0.05, "the smallest radius is still larger than the shift"
    shown = picture(app)
    assert len(shown["boxes"]) == 14 and all("9.0 px" in label for label in shown["labels"])
    [table_] = [d.value for d in app.dataframe if "OKS term" in d.value.columns]
    np.testing.assert_allclose(table_["d (px)"], 9, atol=1e-3)
    before = shown["overlay"]["id"]
    sound(app.slider(key="pck_share").set_value(0.4).run())
    assert picture(app)["overlay"]["id"] != before, "the circles are drawn anew"
    assert "radius = 0.4 · torso" in text_of(app)


def test_joints_are_placed_one_after_the_other_and_dragged() -> None:
    """A photo, its clicks and a drag, without a browser."""
    import streamlit as st

    photo, names = samples.sample("cat"), ("neck", "left_hip", "right_hip")
    st.session_state.update({joints.NEXT: "left_hip"})
    joints.asked(photo, names, [10, 20])
    assert st.session_state[joints.NEXT] == "right_hip"
    joints.asked(photo, names, [30, 40])
    assert st.session_state[joints.NEXT] == "neck"
    joints.asked(photo, names, [31, 42, 50.25, 60])
    assert joints.placed(photo) == {"left_hip": (10, 20), "right_hip": (50.2, 60)}
    joints.asked(photo, names, [200, 200, 1, 1])  # no joint is there
    assert joints.placed(photo) == {"left_hip": (10, 20), "right_hip": (50.2, 60)}
    person = joints.person(photo, names)
    assert person is not None and person.scale == pytest.approx(40.2 * 40)
    st.session_state.clear()


def test_keypoints_come_as_a_file() -> None:
    photo = samples.sample("astronaut")
    points = np.zeros((17, 3))
    points[5:13] = [[300, 190, 2], [140, 190, 2], *[[200 + 5 * i, 300, 1] for i in range(6)]]
    data = {
        "images": [{"id": 1, "width": photo.width, "height": photo.height}],
        "categories": [{"id": 1, "name": "person"}],
        "annotations": [
            {"image_id": 1, "category_id": 1, "keypoints": points.ravel().tolist(), "area": 40_000}
        ],
    }
    app = at("pose", photo="astronaut")
    assert "stands for the truth" in text_of(app)
    file = app.file_uploader(key="joints_file")
    file.upload("k.json", json.dumps(data).encode(), "application/json").run()
    assert "s² = 40,000 px²" in text_of(sound(app)) and len(picture(app)["boxes"]) == 8
    file = app.file_uploader(key="joints_file").clear()
    file.upload("k.json", b"{}", "application/json").run()
    assert any("no COCO annotation file" in i.value for i in app.info)


def test_a_detector_finds_no_joints_and_a_cup_has_none() -> None:
    app = at("pose", task="detection", model="fcos_s")
    assert any("finds no joints" in i.value for i in app.info)
    app = at("pose", photo="coffee")
    assert not app.exception and (app.get("bidi_component") or app.info)


def test_what_is_painted_is_scored_and_can_be_taken_back() -> None:
    photo = samples.sample("cat")
    below = BrushStroke("cat", 60.0, np.array([[100, 100], [300, 150]]))
    hole = BrushStroke("", 20.0, np.array([[200, 120]]))
    app = at("pixels", photo="cat", painting=f"{photo.sha256[:8]}.{to_text([below, hole])}")
    made = trace(models.load("fcn_voc_s", device="cpu"), photo)
    labels = made.info.labels
    true = painted(np.zeros((photo.height, photo.width), np.int32), [below, hole], labels)
    right = sk.accuracy_score(true.ravel(), made.class_map.ravel())
    said = text_of(app)
    assert f"= **{right:.3f}**" in said and "stands for the truth" not in said
    sound(app.button(key="brush_undo").click().run())
    true = painted(np.zeros((photo.height, photo.width), np.int32), [below], labels)
    right = sk.accuracy_score(true.ravel(), made.class_map.ravel())
    assert f"= **{right:.3f}**" in text_of(app)
    sound(app.button(key="brush_clear").click().run())
    assert "stands for the truth" in text_of(app)


def test_strokes_are_taken_up_with_class_and_size() -> None:
    """A photo and its strokes, without a browser; a long painting stays in the session alone."""
    import streamlit as st

    photo = samples.sample("cat")
    st.session_state.update({brush.CLASS: "cat", "brush_size": 10, "brush_erase": False})
    one, two = [101, "cat", 15.0, 10.2, 20.7, 30.0, 40.0], [102, "", 15.0, 1, 2]
    brush.asked(photo, [one])
    brush.asked(photo, [one, two])  # the first is told again
    first, second = brush.strokes(photo)
    assert (first.label, first.points.tolist()) == ("cat", [[10, 21], [30, 40]])
    assert second.label == "" and first.radius == 15 and not brush.too_long(photo)
    assert brush.look(photo).done == 102
    assert brush.look(photo).radius == round(0.05 * min(photo.width, photo.height), 1)
    kept = st.session_state["painting"]
    assert brush._parse(kept) == kept
    rng = np.random.default_rng(0)
    for number in range(12):
        brush.asked(photo, [[200 + number, "cat", 9.0, *rng.integers(0, 400, 800).tolist()]])
    assert brush.too_long(photo) and len(brush.strokes(photo)) == 14
    assert st.session_state["painting"] == ""
    assert brush.strokes(samples.sample("coffee")) == ()
    st.session_state.clear()


def test_a_painting_that_is_none_gives_the_default() -> None:
    app = at("pixels", painting="12345678.nonsense")
    assert any("painting" in i.value and "default" in i.value for i in app.info)


def test_the_brush_is_offered_while_something_is_drawn() -> None:
    app = at("pixels", photo="cat", drawing="1", tool="brush")
    shown = picture(app)
    assert shown["asks"] == "paint" and shown["brush"]["radius"] > 1
    sound(app.toggle(key="brush_erase").set_value(True).run())
    assert picture(app)["brush"]["colour"] == "#FFFFFF"
    sound(app.button(key="draw_truth").click().run())
    assert picture(app)["asks"] == "" and picture(app)["brush"] is None
