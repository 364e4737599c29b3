from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from torchvision.models.detection.roi_heads import paste_masks_in_image

from tests.builders import make_trace
from vision_core.errors import UserError
from vision_core.export import COCO_JOINTS, coco_json, prediction_record, rle, strict
from vision_core.images import from_array
from vision_core.inference.pose import COCO_FROM_LSP, JOINTS, SKELETON
from vision_core.models.table import COCO_SKELETON
from vision_core.records import (
    ClassificationTrace,
    Keypoints,
    Prediction,
    SegmentationTrace,
    Thresholds,
    TraceInfo,
)

SIZE = (200, 160)
PHOTO = from_array(np.zeros((SIZE[1], SIZE[0], 3), np.uint8), "scene.jpg")
VOC = ("__background__", "cat", "dog")


def detections(labels=("cat", "dog", "cow"), masks=False, joints=None, seed=0) -> Prediction:
    trace = make_trace(seed, 60, labels, SIZE)
    selection = trace.select(Thresholds(score=0.3))
    count = len(selection.detections)
    rng = np.random.default_rng(seed)
    keypoints = None
    if joints:
        keypoints = Keypoints(
            rng.uniform(0, 150, (count, len(joints), 2)).astype(np.float32),
            rng.uniform(0, 1, (count, len(joints))).astype(np.float32),
            "probability",
            joints,
        )
    values = rng.uniform(0, 1, (count, 28, 28)).astype(np.float32) if masks else None
    return Prediction(trace, selection, masks=values, keypoints=keypoints)


def info(labels) -> TraceInfo:
    return TraceInfo("m", "fcn", "f", labels, "0", "scene.jpg", SIZE, SIZE, "cpu", {"network": 2.0})


def segmentation() -> Prediction:
    classes = np.zeros((SIZE[1], SIZE[0]), np.uint8)
    classes[20:60, 30:90] = 2
    classes[100:101, 5:7] = 1
    trace = SegmentationTrace(info(VOC), np.zeros((3, 4, 4), np.float32), classes)
    return Prediction(trace)


def classification() -> Prediction:
    p = np.array([0.2, 0.7, 0.1], np.float32)
    return Prediction(ClassificationTrace(info(VOC), p, p, (0, 0, 1, 1)))


def load_coco(tmp_path, data) -> COCO:
    file = tmp_path / "coco.json"
    file.write_text(json.dumps(data, allow_nan=False))
    return COCO(str(file))


@pytest.mark.parametrize("shape", [(1, 1), (160, 200), (3, 77)])
def test_run_lengths_decode_to_the_mask(shape):
    mask = np.random.default_rng(0).random(shape) > 0.5
    code = json.loads(json.dumps(rle(mask)))
    assert code["size"] == list(shape)
    assert (coco_mask.decode(code) == mask).all()


def test_a_detection_record_says_what_was_selected():
    prediction = detections(masks=True)
    record = json.loads(
        json.dumps(prediction_record(PHOTO, replace(prediction, timing_ms={"select": 1.5})))
    )
    found = prediction.selection.detections
    assert len(found) >= 3
    assert record["model"] == "made_up" and record["device"] == "cpu"
    assert record["image"] == {
        "name": "scene.jpg",
        "width": 200,
        "height": 160,
        "sha256": PHOTO.sha256,
    }
    assert record["thresholds"]["score"] == 0.3 and record["thresholds"]["nms"] == "hard"
    assert [d["label"] for d in record["detections"]] == list(found.labels)
    assert np.allclose([d["box"] for d in record["detections"]], found.boxes)
    assert np.allclose([d["score"] for d in record["detections"]], found.scores)
    assert sum(record["fates"].values()) == 60
    assert record["funnel"] == [
        {"name": "candidates", "count": 60, "limit": None, "text": "made up"}
    ]
    assert record["timing_ms"] == {"network": 1.0, "select": 1.5}
    assert "keypoints" not in record["detections"][0] and "classes" not in record


def test_masks_are_torchvisions_pasted_ones():
    prediction = detections(masks=True)
    record = prediction_record(PHOTO, prediction)
    found = prediction.selection.detections
    pasted = paste_masks_in_image(
        torch.from_numpy(prediction.masks)[:, None],
        torch.from_numpy(found.boxes.copy()),
        (SIZE[1], SIZE[0]),
    )
    for row, expected in zip(record["detections"], pasted[:, 0].numpy(), strict=True):
        differ = (coco_mask.decode(row["mask"]) == 1) != (expected >= 0.5)
        assert (np.abs(expected[differ] - 0.5) < 1e-5).all() and differ.sum() < 5


def test_joints_are_named_with_the_kind_of_their_score():
    prediction = detections(("person",), joints=JOINTS)
    row = prediction_record(PHOTO, prediction)["detections"][0]
    assert [j["name"] for j in row["keypoints"]] == list(JOINTS)
    joint = row["keypoints"][3]
    assert joint["x"] == pytest.approx(float(prediction.keypoints.xy[0, 3, 0]))
    assert joint["score"] == pytest.approx(float(prediction.keypoints.scores[0, 3]))
    assert joint["score_kind"] == "probability"


def test_class_maps_and_classes():
    record = prediction_record(PHOTO, segmentation())
    rows = {r["label"]: r for r in record["class_map"]}
    assert rows["dog"]["pixels"] == 2400 and rows["cat"]["pixels"] == 2
    assert sum(r["pixels"] for r in rows.values()) == SIZE[0] * SIZE[1]
    rebuilt = sum(VOC.index(n) * coco_mask.decode(r["mask"]) for n, r in rows.items())
    assert (rebuilt == segmentation().trace.class_map).all()
    assert record["thresholds"] is None and record["funnel"] == []
    classes = prediction_record(PHOTO, classification())["classes"]
    assert [c["label"] for c in classes] == ["cat", "__background__", "dog"]
    assert math.isclose(sum(c["probability"] for c in classes), 1, rel_tol=1e-6)


def test_strict_json_has_no_nan():
    value = strict({"a": np.float32("nan"), "b": [math.inf, np.int64(3)], 4: np.array([1.5])})
    assert value == {"a": None, "b": [None, 3], "4": [1.5]}
    json.dumps(value, allow_nan=False)


def test_coco_loads_and_holds_every_box(tmp_path):
    first, second = detections(masks=True), detections(masks=True, seed=4)
    coco = load_coco(tmp_path, coco_json([(PHOTO, first), (PHOTO, second)]))
    assert [c["name"] for c in coco.loadCats(coco.getCatIds())] == ["cat", "dog", "cow"]
    assert coco.getCatIds() == [1, 2, 3] and coco.getImgIds() == [1, 2]
    for number, prediction in enumerate((first, second), 1):
        rows = coco.loadAnns(coco.getAnnIds(imgIds=number))
        found = prediction.selection.detections
        assert len(rows) == len(found)
        for i, row in enumerate(rows):
            x1, y1, x2, y2 = found.boxes[i]
            assert row["bbox"] == pytest.approx([x1, y1, x2 - x1, y2 - y1], abs=1e-4)
            assert coco.cats[row["category_id"]]["name"] == found.labels[i]
            assert row["area"] == coco.annToMask(row).sum()
            assert row["score"] == pytest.approx(float(found.scores[i]))


def test_coco_keeps_cocos_own_ids():
    labels = ("__background__", "person", "N/A", "cat")
    trace = make_trace(1, 30, labels, SIZE)
    every = trace.select(Thresholds(score=0.2, classes=frozenset(labels[1:])))
    named = trace.select(Thresholds(score=0.2, classes=frozenset(("person", "cat"))))
    assert "N/A" in every.detections.labels and len(named.detections) > 2
    for selection, expected in (
        (named, {1: "person", 3: "cat"}),
        (every, {1: "person", 2: "N/A", 3: "cat"}),
    ):
        data = coco_json([(PHOTO, Prediction(trace, selection))])
        assert {c["id"]: c["name"] for c in data["categories"]} == expected
        assert {a["category_id"] for a in data["annotations"]} <= expected.keys()


def test_twelve_joints_of_lsp_go_to_coco_and_the_face_is_not_there(tmp_path):
    prediction = detections(("person",), joints=JOINTS)
    coco = load_coco(tmp_path, coco_json([(PHOTO, prediction)]))
    category = coco.loadCats(1)[0]
    assert category["keypoints"] == list(COCO_JOINTS) and len(category["skeleton"]) == 19
    row = coco.loadAnns(coco.getAnnIds())[0]
    places = np.array(row["keypoints"]).reshape(17, 3)
    assert row["num_keypoints"] == 12
    assert (places[:5] == 0).all()  # nose, eyes, ears
    for to, source in COCO_FROM_LSP.items():
        assert places[to, :2] == pytest.approx(prediction.keypoints.xy[0, source], abs=1e-4)
        assert places[to, 2] == 2
    assert {COCO_JOINTS[k] for k in COCO_FROM_LSP} <= set(JOINTS) and SKELETON


def test_joints_below_the_threshold_are_not_exported():
    kept = detections(("person",), joints=JOINTS)
    prediction = Prediction(
        kept.trace, kept.selection, keypoints=kept.keypoints, joint_threshold=0.5
    )
    row = coco_json([(PHOTO, prediction)])["annotations"][0]
    shared = [JOINTS.index(n) for n in COCO_JOINTS if n in JOINTS]
    assert row["num_keypoints"] == (kept.keypoints.scores[0, shared] >= 0.5).sum()
    assert 0 < row["num_keypoints"] < 12


def test_limbs_from_zero_and_from_one_are_the_same():
    trace = detections(("person",), joints=COCO_JOINTS)
    (category,) = coco_json([(PHOTO, trace)])["categories"]
    assert [[a - 1, b - 1] for a, b in category["skeleton"]] == [list(p) for p in COCO_SKELETON]


def test_a_class_map_in_coco(tmp_path):
    coco = load_coco(tmp_path, coco_json([(PHOTO, segmentation())]))
    rows = {coco.cats[r["category_id"]]["name"]: r for r in coco.loadAnns(coco.getAnnIds())}
    assert set(rows) == {"cat", "dog"}
    assert rows["dog"]["bbox"] == [30, 20, 60, 40] and rows["dog"]["area"] == 2400
    assert (coco.annToMask(rows["cat"]) == (segmentation().trace.class_map == 1)).all()


def test_a_classifier_has_nothing_for_coco_and_no_boxes_are_fine(tmp_path):
    with pytest.raises(UserError, match="is a classifier"):
        coco_json([(PHOTO, classification())])
    trace = make_trace(0, 5, size=SIZE)
    empty = Prediction(trace, trace.select(Thresholds(score=1.0)))
    coco = load_coco(tmp_path, coco_json([(PHOTO, empty)]))
    assert coco.getAnnIds() == [] and coco.getImgIds() == [1]
