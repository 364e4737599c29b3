"""The page "Inside a detector": what it says is what the core and torchvision say."""

from __future__ import annotations

import numpy as np
import pytest
import streamlit as st
import torch
from torchvision.models.detection._utils import Matcher
from torchvision.ops import box_iou

from pages.inside import page
from tests.pages.conftest import picture, sound, start, text_of
from vision_core import models, samples
from vision_core.inference import trace
from vision_core.inside.coordinates import follow
from vision_core.inside.opened import opened
from vision_core.selection import Thresholds, select

AT = (240.0, 150.0)
SECTIONS = tuple(page.SECTIONS)
TWO_STAGE_ONLY = ("proposals", "head")


@pytest.fixture(scope="module")
def two_stage():
    return opened(models.load("faster_rcnn_s", device="cpu"), samples.sample("cat"))


def at(section: str, model: str = "faster_rcnn_s", **more: object):
    return sound(start("inside", photo="cat", model=model, section=section, at="240,150", **more))


@pytest.mark.parametrize("model", ["fcos_s", "faster_rcnn_s", "mask_rcnn_s"])
@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_runs_for_every_family_or_says_why_not(model, section) -> None:
    task = {"task": "instance"} if model == "mask_rcnn_s" else {}
    app = at(section, model, **task)
    said = any("no " in i.value and "two-stage" in i.value for i in app.info)
    assert said == (model == "fcos_s" and section in TWO_STAGE_ONLY)
    assert picture(app)["labels"][-1] == "place"


def test_the_coordinates_are_those_of_the_core(two_stage) -> None:
    app = at("place")
    place = follow(two_stage, *AT)
    assert all(str(term) in app.code[0].value for term in place.terms)
    table = app.dataframe[0].value
    assert list(table["row"]) == [level.row for level in place.levels]
    assert list(table["column"]) == [level.column for level in place.levels]


def test_the_anchors_are_all_of_the_place(two_stage) -> None:
    table = at("anchors").dataframe[0].value
    place = follow(two_stage, *AT)
    field = trace(models.load("faster_rcnn_s", device="cpu"), samples.sample("cat")).field
    rows = [i for level in place.levels for i in level.anchors]
    np.testing.assert_allclose(table["score"], field.scores[rows], rtol=1e-4)


def test_k_proposals_are_drawn_and_their_recall_is_said(two_stage) -> None:
    app = at("proposals", k=7)
    assert picture(app)["labels"].count("proposal") == 7
    sound(app.slider(key="k").set_value(12).run())
    assert picture(app)["labels"].count("proposal") == 12
    assert "Recall" in text_of(app) and app.query_params["k"] == "12"


def test_positives_are_those_of_torchvisions_matcher(two_stage) -> None:
    app = at("taught", high=0.5, low=0.2)
    kept = select(two_stage.trace, Thresholds.torchvision(two_stage.net)).detections
    ratio = np.tile(np.divide(two_stage.trace.info.network_size, (451, 300)), 2)
    true = torch.from_numpy((kept.boxes * ratio).astype(np.float32))
    overlap = box_iou(true, torch.from_numpy(two_stage.trace.field.anchors_net.copy()))
    match = Matcher(0.5, 0.2, allow_low_quality_matches=True)(overlap)
    said = text_of(app)
    assert f"**{int((match >= 0).sum()):,} positive**" in said
    assert f"{int((match == -1).sum()):,} negative" in said
    assert f"{int((match == -2).sum()):,} ignored" in said


def test_the_network_runs_once_for_all_sections_and_places(monkeypatch) -> None:
    st.cache_resource.clear()
    passes = []
    whole = page.opened
    monkeypatch.setattr(page, "opened", lambda *given: passes.append(1) or whole(*given))
    app = at("place")
    for section in SECTIONS:
        sound(app.segmented_control(key="section").set_value(section).run())
    assert passes == [1]


def test_a_classifier_is_refused_in_a_sentence() -> None:
    app = sound(start("inside", task="classification"))
    assert any("choose a task with boxes" in i.value for i in app.info)
    assert not app.get("bidi_component")


def test_a_place_outside_the_photo_is_its_middle() -> None:
    app = sound(start("inside", photo="cat", at="9999,5"))
    box = picture(app)["boxes"][-1]
    assert ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2) == (225.5, 150.0)
