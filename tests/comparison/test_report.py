"""Columns of real models, and the record of a comparison as JSON."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from pycocotools import mask as coco_mask

import vision_core
from tests.comparison.page import Page
from tests.comparison.test_html import BOXES, CLASSES, MAPS, TRUTH, A, with_parts
from tests.figures import scenes
from vision_core.comparison import report
from vision_core.comparison.boxes import KINDS
from vision_core.comparison.column import Column
from vision_core.comparison.html import report_html
from vision_core.comparison.report import at_any_score, column, columns, pairs, record
from vision_core.comparison.truth import judge
from vision_core.errors import UserError
from vision_core.images import Photo
from vision_core.inference import PartSource, trace
from vision_core.metrics.curve import curve
from vision_core.models import card, load
from vision_core.records import Prediction

ROOT = Path(vision_core.__file__).parents[1]


def strictly(value: dict) -> dict:
    """Through a strict JSON text and back."""
    made: dict = json.loads(json.dumps(value, allow_nan=False))
    assert made == value, "nothing but plain JSON values"
    return made


def test_a_column_holds_the_masks_of_what_it_keeps(cat: Photo) -> None:
    model = load("mask_rcnn_s")
    made = column(model, cat, {"score": 0.3})
    kept = made.selection.detections
    said = made.prediction
    assert len(kept) > 0 and said.keypoints is None and not made.random
    found = trace(model, cat)
    masks = PartSource(model, cat, found).masks(kept.candidate)
    np.testing.assert_array_equal(said.masks, masks)
    assert set(said.timing_ms) == {"select", "masks"} and min(said.timing_ms.values()) > 0
    assert made.measured is not None and set(made.stages) == {
        *made.measured.stages,
        "select",
        "masks",
    }
    timed = record(cat, [made], [])["models"][0]
    assert timed["timed"] == made.measured.how and timed["timing_ms"] == made.stages
    row = record(cat, [made], [])["models"][0]["detections"][0]
    shape = coco_mask.decode(row["mask"])
    assert shape.shape == (cat.height, cat.width) and shape.any()


def test_the_overlap_of_masks_is_that_of_pycocotools() -> None:
    """Of three boxes and three, two have partners."""
    photo, rng = scenes.photo(), np.random.default_rng(0)
    sides = [
        with_parts(entry, masks=rng.uniform(0, 1, (3, 28, 28)).astype(np.float32))
        for entry in BOXES
    ]
    [made] = strictly({"pairs": pairs(sides)})["pairs"]
    codes = [
        [d["mask"] for d in model["detections"]] for model in record(photo, sides, [])["models"]
    ]
    rows = [row for kind in KINDS for row in made[kind] if row["a"] and row["b"]]
    assert len(rows) == 2
    boxes = [
        [[float(v) for v in box] for box in entry.selection.detections.boxes] for entry in BOXES
    ]
    for row in rows:
        i, j = boxes[0].index(row["a"]["box"]), boxes[1].index(row["b"]["box"])
        [[expected]] = coco_mask.iou([codes[0][i]], [codes[1][j]], [0])
        assert row["mask_iou"] == pytest.approx(expected) and 0 < expected < 1
    assert "mask_iou" not in made["only_a"][0]
    shown = Page(report_html(photo, sides, [made])).values("rows")
    assert [row[-1] for row in shown[:2]] == [row["mask_iou"] for row in rows]
    empty = [with_parts(entry, masks=np.zeros((3, 28, 28), np.float32)) for entry in BOXES]
    assert {row["mask_iou"] for row in pairs(empty)[0]["both"]} == {None}
    assert "mask_iou" not in pairs(BOXES)[0]["both"][0]


def test_a_column_holds_the_joints_of_what_it_keeps(cat: Photo) -> None:
    made = column(load("pose_heatmap_s", random_seed=4), cat, {"score": 0.0, "max_detections": 2})
    assert made.random and len(made.selection.detections) == 2
    assert made.prediction.keypoints.xy.shape == (2, 14, 2) and made.prediction.masks is None
    [pair] = pairs([made, made])
    assert [p["oks"] for p in pair["joints"]["persons"]] == [1.0, 1.0]
    assert pair["joints"]["mean_distance"] == 0.0 and len(pair["joints"]["shared"]) == 14
    told = strictly(record(cat, [made], []))["models"][0]
    assert len(told["detections"][0]["keypoints"]) == 14
    assert told["weights"] is None and "random-4" in told["fingerprint"]


def test_classes_are_chosen_by_what_they_mean(cat: Photo) -> None:
    model = load("fcos_s")
    some = column(model, cat, {"score": 0.1, "classes": {"Cat", "pedestrian"}})
    assert some.selection.thresholds.classes == {"cat", "person"}
    none = column(model, cat, {"score": 0.1, "classes": {"car"}})
    assert len(none.selection.detections) == 0
    with pytest.raises(UserError, match="knows the class 'zebra'"):
        columns(["fcos_s", "faster_rcnn_s"], cat, {"classes": {"cat", "zebra"}})


def test_a_model_that_runs_out_of_memory_fails_alone(cat: Photo, monkeypatch) -> None:
    def run(model, photo):
        if model.name == "resnet_s":
            raise RuntimeError("CUDA out of memory.\nTried to allocate 9 GiB")
        return trace(model, photo)

    monkeypatch.setattr(report, "trace", run)
    failed, fine = columns(["resnet_s", "vgg_s"], cat, {})
    assert failed.error == (
        "resnet_s failed on this photo (CUDA out of memory. Tried to allocate 9 GiB)."
    )
    assert failed.trace is None and fine.trace is not None and not fine.error
    assert failed.multiply_adds > fine.multiply_adds / 10 > 0
    assert strictly(record(cat, [failed, fine], pairs([failed, fine])))["models"][0]["error"]


def test_the_record_is_strict_json_with_all_that_is_known() -> None:
    photo = scenes.photo()
    for some in (BOXES, MAPS, CLASSES):
        differences = pairs(some)
        made = strictly(record(photo, some, differences, TRUTH))
        assert made["image"]["sha256"] == photo.sha256 and made["pairs"] == differences
        assert made["pairs"][0]["columns"] == [0, 1]
        assert [m["name"] for m in made["models"]] == [c.card.name for c in some]
        assert {m["fingerprint"] for m in made["models"]} == {"f" * 64}
        assert [m["weights"] for m in made["models"]] == [c.card.filename for c in some]
        assert [t["label"] for t in made["truth"]] == list(TRUTH.labels)
    assert "truth" not in record(photo, BOXES, [])


def test_a_truth_in_the_record_is_that_of_judge() -> None:
    made = record(scenes.photo(), BOXES, [], TRUTH)
    for model, entry in zip(made["models"], BOXES, strict=True):
        found = judge(entry.selection.detections, TRUTH)
        told = model["truth"]
        assert [told[k] for k in ("precision", "recall", "f1")] == [
            found.precision,
            found.recall,
            found.f1,
        ]
        assert [-1 if i is None else i for i in told["true_box"]] == found.hit.tolist()
        assert told["missed"] == found.missed.tolist() and told["misses"] == len(found.missed)
        assert told["hits"] + told["false_positives"] == len(entry.selection.detections)
        assert told["hits"] + told["misses"] == len(TRUTH.labels)
        assert told["average_precision"] == curve(at_any_score(entry), TRUTH).average_precision
    others = record(scenes.photo(), CLASSES, [], TRUTH)["models"]
    assert not any("truth" in model for model in others)


def test_the_version_is_that_of_the_project() -> None:
    [said] = re.findall(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text("utf-8"), re.M)
    assert report.versions()["convscope"] == vision_core.__version__ == said


def test_a_title_may_differ_from_the_cards() -> None:
    plain = Column(card("fcos_s"), Prediction(A.trace, A))
    assert plain.heading == plain.card.title and BOXES[0].heading == "First"
