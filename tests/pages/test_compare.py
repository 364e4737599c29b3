"""The Compare page: columns, differences as filters, ground truth, and models that fail."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.stats import spearmanr
from streamlit.testing.v1 import AppTest

from pages.shared import engine
from tests.pages.conftest import sound, start, text_of
from vision_core import samples
from vision_core.attribution import ask, default_target, explain
from vision_core.figures.colours import VERDICTS
from vision_core.inference import trace
from vision_core.labels import comparable
from vision_core.models import load
from vision_core.selection.nms import iou_matrix

PAGE = "compare"


def compare(**params: str) -> AppTest:
    return start(PAGE, **params)


def columns(app: AppTest) -> list[dict[str, Any]]:
    """What the pictures of the columns were given, left to right."""
    given = [json.loads(c.proto.json) for c in app.get("bidi_component")]
    return [g for g in given if g.get("group") == "compare"]


def pills(app: AppTest) -> list[str]:
    """The counts of the differences, as they are written."""
    (group,) = [g for g in app.get("button_group") if "Differences" in g.label]
    return [option.content for option in group.proto.options]


def only(app: AppTest, kind: str | None) -> AppTest:
    """Press the count of one difference."""
    app.session_state["only"] = kind
    return sound(app.run())


def test_two_detectors_have_linked_pictures_of_what_each_selects() -> None:
    app = sound(compare(photo="astronaut", score="0.2"))
    shown = columns(app)
    photo = samples.sample("astronaut")
    for column, name in zip(shown, ("fcos_s", "faster_rcnn_s"), strict=True):
        found = trace(load(name, device="cpu"), photo)
        given = replace(found.defaults, score=0.2, iou=column["live"]["thresholds"]["iou"])
        kept = found.select(given).detections
        assert column["ids"] == kept.candidate.tolist()
        assert column["shared"] and column["plain"] and column["zoom"]


def test_pairs_of_masks_have_their_overlap_in_the_table() -> None:
    app = sound(compare(photo="cat", model_a="mask_rcnn_s", model_b="mask_rcnn_s"))
    (table,) = [d.value for d in app.dataframe if "what" in d.value]
    assert list(table["mask IoU"]) == ["1.000"] * len(table) and len(table) > 0
    app = sound(compare(photo="cat", model_a="mask_rcnn_s", model_b="fcos_s"))
    (table,) = [d.value for d in app.dataframe if "what" in d.value]
    assert "mask IoU" not in table and len(table) > 0


def test_a_pressed_count_leaves_its_boxes_and_all_counts_add_up() -> None:
    app = sound(compare(photo="astronaut", score="0.1"))
    every = columns(app)
    counts = dict(
        zip(
            ("both", "other_class", "shifted", "only_a", "only_b"),
            (int(text.split(": ")[1]) for text in pills(app)),
            strict=True,
        )
    )
    twice = counts["both"] + counts["other_class"] + counts["shifted"]
    assert twice + counts["only_a"] == len(every[0]["ids"]) > 0
    assert twice + counts["only_b"] == len(every[1]["ids"]) > 0
    for kind, count in counts.items():
        a, b = columns(only(app, kind))
        assert len(a["ids"]) == (0 if kind == "only_b" else count)
        assert len(b["ids"]) == (0 if kind == "only_a" else count)
        if kind == "both" and count:
            overlap = iou_matrix(np.float32(a["boxes"]), np.float32(b["boxes"]))
            assert overlap.max(1).min() >= 0.5
        if kind == "only_a" and count:
            same = np.array([[x == y for y in every[1]["labels"]] for x in a["labels"]])
            overlap = iou_matrix(np.float32(a["boxes"]), np.float32(every[1]["boxes"])) * same
            alone = overlap.max(1) < 0.5  # or its partner has another one
            assert alone.any() or count <= counts["both"]
    assert app.query_params["only"] == kind


def test_a_model_against_itself_agrees_on_everything() -> None:
    app = sound(compare(photo="cat", model_a="fcos_s", model_b="fcos_s"))
    assert "F1 1.00" in text_of(app)
    assert [text.split(": ")[1] for text in pills(app)][1:] == ["0"] * 4


def test_random_weights_stand_beside_the_trained_ones() -> None:
    app = sound(
        compare(
            photo="cat",
            kind="classification",
            model_a="resnet_s",
            model_b="resnet_s",
            random_of="b",
        )
    )
    text = text_of(app)
    assert "ResNet, small (random weights)" in text
    photo = samples.sample("cat")
    own = trace(load("resnet_s", device="cpu"), photo)
    assert own.sentence in text
    afresh = trace(load("resnet_s", device="cpu", random_seed=0), photo)
    assert afresh.sentence in text and afresh.sentence != own.sentence


def test_separate_thresholds_move_one_column_only() -> None:
    app = sound(compare(photo="astronaut", together="0", score_a="0.05", score_b="0.9"))
    a, b = columns(app)
    assert a["live"]["thresholds"]["score"] == 0.05 and b["live"]["thresholds"]["score"] == 0.9
    assert len(a["ids"]) > len(b["ids"]) and not a["shared"]
    assert app.query_params["score_b"] == "0.9"


def test_missing_weights_take_down_their_own_column_and_offer_a_way_out(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    app = sound(compare(photo="cat", model_b="fcos_resnet50_fpn"))
    assert len(columns(app)) == 1
    assert any("fcos_resnet50_fpn" in w.value for w in app.warning)
    sound(app.button(key="instead_b").click().run())
    assert len(columns(app)) == 2 and not app.warning


def test_a_fault_in_one_model_leaves_the_others(monkeypatch) -> None:
    whole = engine.load_model

    def load_model(name, device, folder=None):
        if name == "faster_rcnn_s":
            raise RuntimeError("broken")
        return whole(name, device, folder)

    monkeypatch.setattr(engine, "load_model", load_model)
    app = sound(compare(photo="cat", model_c="mask_rcnn_s"))
    assert len(columns(app)) == 2
    assert "Something went wrong while running Faster R-CNN" in text_of(app)


def mark_of(name: str) -> str:
    return samples.sample(name).sha256[:8]


def test_drawn_truth_judges_every_detection() -> None:
    truth = f"{mark_of('astronaut')};person:90,5,330,512;dog:10,10,40,40"
    app = sound(compare(photo="astronaut", colour="truth", truth=truth))
    assert [column["asks"] for column in columns(app)] == ["", ""]
    sound(app.button(key="draw_truth").click().run())
    for column in columns(app):
        overlap = iou_matrix(np.float32(column["boxes"]), np.float32([[90, 5, 330, 512]]))[:, 0]
        hits = [
            i for i, name in enumerate(column["labels"]) if name == "person" and overlap[i] >= 0.5
        ]
        expected = [
            VERDICTS["hit" if i in hits[:1] else "false"] for i in range(len(column["labels"]))
        ]
        assert column["colours"] == expected
        texts = [mark["text"] for mark in column["marks"]]
        assert texts == ["" if hits else "missed person", "missed dog"]
        assert column["asks"] == "draw"
    assert "recall 0.50" in text_of(app)


@pytest.mark.parametrize("truth", ["x", "abc;cat:1,2,3", "abc;cat:5,5,1,1", "abc;cat:a,b,c,d"])
def test_a_truth_that_cannot_be_read_is_said_and_left_out(truth) -> None:
    app = sound(compare(photo="cat", colour="truth", truth=truth))
    assert columns(app)[0]["marks"] == []


def test_the_truth_of_another_photo_does_not_count() -> None:
    app = sound(
        compare(photo="cat", colour="truth", truth=f"{mark_of('astronaut')};person:90,5,330,512")
    )
    assert columns(app)[0]["marks"] == []


def test_a_chosen_disagreement_is_shown_alone() -> None:
    app = sound(compare(photo="astronaut", kind="segmentation"))
    pictures = columns(app)
    assert len(pictures) == 3, "two class maps and where they differ"
    photo = samples.sample("astronaut")
    maps = [trace(load(n, device="cpu"), photo) for n in ("fcn_s", "fcn_deconv_s")]
    names = [np.array(t.info.labels)[t.class_map] for t in maps]
    share = (names[0] == names[1]).mean()
    assert any(m.value == f"{share:.1%}" for m in app.metric)
    x, y = next((a, b) for a, b in zip(names[0].flat, names[1].flat, strict=True) if a != b)
    app.session_state["cell"] = f"{comparable(x)}|{comparable(y)}"
    sound(app.run())
    told = columns(app)[2]["description"]
    assert f"{((names[0] == x) & (names[1] == y)).mean():.1%}" in told


def test_maps_are_compared_by_rank() -> None:
    app = compare(photo="cat", kind="classification", model_a="resnet_s", model_b="alexnet_s")
    app.session_state["map_method_0"] = app.session_state["map_method_1"] = "gradient"
    app.session_state["compare_tabs"] = "Attribution"
    app = sound(app.run())
    photo = samples.sample("cat")
    maps = []
    target = None
    for name in ("resnet_s", "alexnet_s"):
        model = load(name, device="cpu")
        said = trace(model, photo)
        target = target or default_target(said)
        maps.append(explain(ask(model, photo, said, target), "gradient").signed.ravel())
    expected = spearmanr(*maps).statistic
    assert any(m.value == f"{expected:.2f}" for m in app.metric)


def test_a_coco_file_counts_for_its_photo_only_and_a_bad_one_is_said() -> None:
    app = sound(compare(photo="cat", colour="truth"))
    app.session_state["compare_tabs"] = "Ground truth"
    sound(app.run())
    good = {
        "images": [{"id": 1, "width": 451, "height": 300}],
        "categories": [{"id": 1, "name": "cat"}],
        "annotations": [{"image_id": 1, "category_id": 1, "bbox": [5, 6, 400, 280]}],
    }
    (uploader,) = app.get("file_uploader")
    sound(uploader.upload("bad.json", b"{}", "application/json").run())
    assert "no COCO annotation file" in text_of(app) and columns(app)[0]["marks"] == []
    (uploader,) = app.get("file_uploader")
    sound(uploader.upload("boxes.json", json.dumps(good).encode(), "application/json").run())
    assert [m["box"] for m in columns(app)[0]["marks"]] == [[5, 6, 405, 286]]
    sound(app.selectbox(key="photo").set_value("astronaut").run())
    assert columns(app)[0]["marks"] == []
