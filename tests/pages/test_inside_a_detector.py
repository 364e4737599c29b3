"""The page "Inside a detector": what it says is what the core and torchvision say."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import streamlit as st
import torch
from streamlit.testing.v1 import AppTest
from torchvision.models.detection._utils import Matcher
from torchvision.ops import box_iou, generalized_box_iou_loss
from torchvision.ops.poolers import _setup_scales

from pages.inside import page
from pages.inside.parts import DRAWN
from tests.pages.conftest import sound, start, text_of
from vision_core import models, samples
from vision_core.comparison.annotations import read_coco
from vision_core.export import rle
from vision_core.inference import trace
from vision_core.inside.assignment import assign
from vision_core.inside.coordinates import follow
from vision_core.inside.imbalance import imbalance
from vision_core.inside.limits import LimitTable
from vision_core.inside.opened import network_boxes, opened
from vision_core.inside.taught_mask import taught_mask
from vision_core.selection import Thresholds, select

AT = (240.0, 150.0)
SECTIONS = tuple(page.SECTIONS)
TWO_STAGE_ONLY = ("proposals", "head")
NO_PARTS = "neither a mask head nor a keypoint head"


@pytest.fixture(scope="module")
def two_stage():
    return opened(models.load("faster_rcnn_s", device="cpu"), samples.sample("cat"))


def at(section: str, model: str = "faster_rcnn_s", **more: object):
    return sound(start("inside", photo="cat", model=model, section=section, at="240,150", **more))


def component_with(app: AppTest, name: str) -> dict[str, Any]:
    """What the one component that knows a name was sent."""
    sent = [json.loads(e.proto.json) for e in app.get("bidi_component")]
    [found] = [s for s in sent if name in s]
    return found


def picture(app: AppTest) -> dict[str, Any]:
    """What the photo's canvas was sent."""
    return component_with(app, "labels")


@pytest.mark.parametrize("model", ["fcos_s", "faster_rcnn_s", "mask_rcnn_s", "yolo_s"])
@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_runs_for_every_family_or_says_why_not(model, section) -> None:
    task = {"task": "instance"} if model == "mask_rcnn_s" else {}
    app = at(section, model, **task)
    said = any("no " in i.value and "two-stage" in i.value for i in app.info)
    assert said == (model in ("fcos_s", "yolo_s") and section in TWO_STAGE_ONLY)
    refused = any(NO_PARTS in i.value for i in app.info)
    assert refused == (section == "parts" and model != "mask_rcnn_s")
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
    assert counted(app) == {
        "positive": int((match >= 0).sum()),
        "negative": int((match == -1).sum()),
        "ignored": int((match == -2).sum()),
        "forced": int(((match >= 0) & (overlap.max(0).values < 0.5)).sum()),
    }
    labels = picture(app)["labels"]
    assert labels.count("positive anchor") == min(int((match >= 0).sum()), DRAWN)


def limits_sent(app: AppTest) -> dict[str, Any]:
    """What the two limits' component was sent."""
    return component_with(app, "table")


def counted(app: AppTest) -> dict[str, int]:
    """The counts that the component shows of its table at its limits."""
    sent = limits_sent(app)
    columns = (np.array(sent["table"][name]) for name in ("grid", "below", "forced"))
    table = LimitTable(*columns, sent["table"]["total"], sent["table"]["single"])
    return table.counts(sent["high"], sent["low"])


def test_the_limits_begin_with_those_of_the_network_and_a_lower_one_stays_below() -> None:
    sent = limits_sent(at("taught"))
    assert (sent["high"], sent["low"], sent["table"]["single"]) == (0.7, 0.3, False)
    sent = limits_sent(at("taught", high=0.123, low=0.4))
    assert (sent["high"], sent["low"]) == (0.123, 0.123) and 0.123 in sent["table"]["grid"]


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


def test_the_pyramid_says_which_level_serves_a_dragged_box(two_stage) -> None:
    drag = (60, 40, 300, 260)
    app = at("pyramid", drag=",".join(map(str, drag)))
    table = app.dataframe[0].value
    net = network_boxes(two_stage, np.array([drag], float)).astype(np.float32)
    mapper = module_mapper(two_stage)
    expected = int(mapper([torch.from_numpy(net)])[0])
    assert list(table["serves"]).index(True) == expected and sum(table["serves"]) == 1
    assert picture(app)["boxes"][0] == [float(v) for v in drag]
    assert picture(app)["asks"] == "draw"
    sound(app.segmented_control(key="level").set_value(1).run())
    assert "level 1" in picture(app)["description"] or app.query_params["level"] == "1"


def module_mapper(here):
    pool = here.module.roi_heads.box_roi_pool
    names = [n for n in here.features if n in pool.featmap_names]
    sizes = [here.trace.info.network_size[::-1]]
    maps = [here.features[n] for n in names]
    return _setup_scales(maps, sizes, pool.canonical_scale, pool.canonical_level)[1]


def test_a_box_of_another_photo_does_not_count() -> None:
    app = at("pyramid", drag="10,10,4000,4000")
    assert picture(app)["labels"][0] == "box of the best anchor"


def test_a_drawn_truth_takes_the_place_of_what_the_network_keeps(two_stage) -> None:
    mark = samples.sample("cat").sha256[:8]
    app = at("taught", truth=f"{mark};cat:30,20,400,290", high=0.6, low=0.3)
    assert picture(app)["labels"].count("true cat") == 1
    found = assign(two_stage, [[30, 20, 400, 290]], 0.6, 0.3)
    assert counted(app) == found.counts()
    targets = next(d.value for d in app.dataframe if "dx" in d.value)
    np.testing.assert_allclose(targets["dx"], found.targets[: len(targets), 0], rtol=1e-4)


def test_box_losses_are_those_of_the_core_and_their_weight_moves_both_terms(two_stage) -> None:
    mark = samples.sample("cat").sha256[:8]
    app = at("losses", truth=f"{mark};cat:30,20,400,290", drag="60,40,420,280", loss="GIoU")
    table = app.dataframe[0].value.set_index("loss")
    box, true = (torch.tensor([b]).double() for b in ([60, 40, 420, 280], [30, 20, 400, 290]))
    expected = float(generalized_box_iou_loss(box, true).sum())
    assert table.loc["GIoU", "value"] == pytest.approx(expected, rel=1e-9)
    assert table.loc["L1", "value"] == pytest.approx(30 + 20 + 20 + 10)
    assert picture(app)["links"]
    before = text_of(app)
    sound(app.slider(key="weight").set_value(4.0).run())
    assert text_of(app) != before and "4 x" in text_of(app)


def test_the_imbalance_is_that_of_the_core(two_stage) -> None:
    app = at("losses", gamma=3, alpha=0.5)
    kept = select(two_stage.trace, Thresholds.torchvision(two_stage.net)).detections
    found = assign(two_stage, kept.boxes)
    made = imbalance(two_stage, found, [], 3.0, 0.5)
    assert f"{made.negatives_per_positive:,.0f} negatives per positive" in text_of(app)
    assert f"{made.focal:,.2f}" in text_of(app)


def test_the_mask_counts_its_pixels_at_the_threshold() -> None:
    app = at("parts", "mask_rcnn_s", task="instance", cut=0.5)
    few = text_of(app)
    sound(app.slider(key="cut").set_value(0.9).run())
    assert "pixels** of the photo" in few and text_of(app) != few
    assert picture(app)["overlay"]["id"].endswith("-0.9")


def test_a_cell_of_yolo_says_its_classes_and_the_size_of_the_answer() -> None:
    model = models.load("yolo_s", device="cpu")
    app = at("anchors", "yolo_s")
    said = text_of(app)
    grid = model.module.head.output.out_channels
    cells = opened(model, samples.sample("cat")).levels[0].rows ** 2
    assert f"{cells * grid:,} numbers" in said
    assert len(app.get("plotly_chart")) == 1


def test_a_true_mask_of_a_file_gives_the_training_target() -> None:
    here = opened(models.load("mask_rcnn_s", device="cpu"), samples.sample("cat"))
    mask = np.zeros((300, 451), bool)
    mask[40:280, 140:330] = True
    note = {"image_id": 1, "category_id": 1, "bbox": [140, 40, 190, 240], "segmentation": rle(mask)}
    content = {
        "images": [{"id": 1, "file_name": "cat.png", "width": 451, "height": 300}],
        "categories": [{"id": 1, "name": "cat"}],
        "annotations": [note],
    }
    app = at("parts", "mask_rcnn_s", task="instance")
    assert "if the pasted mask were the truth" in text_of(app)
    found = read_coco(json.dumps(content).encode(), 451, 300)
    app.session_state["_truth_file"] = (samples.sample("cat").sha256, found, "coco.json")
    sound(app.run())
    kept = select(here.trace, Thresholds.torchvision(here.net)).detections
    x, y = AT
    holds = [i for i, b in enumerate(kept.boxes) if b[0] <= x <= b[2] and b[1] <= y <= b[3]]
    source = here.trace.source[kept.candidate[holds[0]]]
    label = here.trace.info.labels.index("cat")
    made = taught_mask(here, here.trace.source_boxes_net[source], mask, label)
    assert f"The mask loss of this proposal is **{made.loss:.4f}**" in text_of(app)
    assert "true cat" in picture(app)["labels"]


def test_more_boxes_than_can_be_outlined_are_a_density_and_it_says_so() -> None:
    app = at("proposals", k=DRAWN + 1, when="before")
    assert picture(app)["overlay"]["id"].startswith("density-") and "density" in text_of(app)
    assert not picture(app)["rects"]
    sound(app.slider(key="k").set_value(DRAWN).run())
    assert picture(app)["overlay"]["id"].startswith("objectness-") and picture(app)["rects"]
    app = at("taught", high=0.05, low=0.0)
    positive = counted(app)["positive"]
    assert positive > DRAWN and f"{positive:,} positive anchors are more than" in text_of(app)
    assert picture(app)["labels"].count("positive anchor") == 0
    assert picture(app)["overlay"]["id"].startswith("density-")
