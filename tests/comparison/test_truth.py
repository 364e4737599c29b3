"""Hits, misses and curves against scikit-learn and pycocotools."""

from __future__ import annotations

import contextlib
import io
import json

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from sklearn.metrics import precision_recall_curve

from tests.comparison.test_boxes import detections, drawn
from vision_core.comparison.maps import compare_joints, compare_maps
from vision_core.comparison.truth import Truth, judge, read_coco
from vision_core.errors import UserError
from vision_core.metrics.curve import curve
from vision_core.records import Keypoints


def as_coco(truth: Truth, **extra) -> dict:
    names = sorted({*truth.labels, "cat", "dog"})
    return {
        "images": [{"id": 1, "width": 100, "height": 100, "file_name": "a.png"}],
        "categories": [{"id": i + 1, "name": n} for i, n in enumerate(names)],
        "annotations": [
            {
                "id": i + 1,
                "image_id": 1,
                "category_id": names.index(n) + 1,
                "iscrowd": 0,
                "bbox": [float(x1), float(y1), float(x2 - x1), float(y2 - y1)],
                "area": float((x2 - x1) * (y2 - y1)),
                **extra,
            }
            for i, ((x1, y1, x2, y2), n) in enumerate(zip(truth.boxes, truth.labels, strict=True))
        ],
    }


def coco_of(content: dict) -> COCO:
    made = COCO()
    made.dataset = content
    with contextlib.redirect_stdout(io.StringIO()):
        made.createIndex()
    return made


@pytest.mark.parametrize("seed", range(12))
def test_hits_are_those_of_pycocotools(seed) -> None:
    found, there = drawn(seed, 12), drawn(seed + 100, 6)
    truth = Truth(there.boxes, there.labels)
    gt = coco_of(as_coco(truth))
    ids = {c["name"]: c["id"] for c in gt.dataset["categories"]}
    with contextlib.redirect_stdout(io.StringIO()):
        dt = gt.loadRes(
            [
                {
                    "image_id": 1,
                    "category_id": ids[n],
                    "score": float(s),
                    "bbox": [float(v) for v in (b[0], b[1], b[2] - b[0], b[3] - b[1])],
                }
                for n, s, b in zip(found.labels, found.scores, found.boxes, strict=True)
            ]
        )
        run = COCOeval(gt, dt, "bbox")
        run.params.iouThrs = np.array([0.5])
        run.params.areaRng, run.params.areaRngLbl = [[0, 1e10]], ["all"]
        run.evaluate()
    matched = {
        int(d): int(g)
        for image in run.evalImgs
        if image
        for d, g in zip(image["dtIds"], image["dtMatches"][0], strict=True)
    }
    judged = judge(found, truth)
    assert judged.hit.tolist() == [matched[i + 1] - 1 for i in range(len(found))]
    hits = int((judged.hit >= 0).sum())
    assert judged.precision == hits / 12 and judged.recall == hits / 6
    assert sorted([*judged.missed, *judged.hit[judged.hit >= 0]]) == list(range(6))


@pytest.mark.parametrize("seed", range(6))
def test_the_curve_is_that_of_scikit_learn(seed) -> None:
    found, there = drawn(seed, 15), drawn(seed + 100, 8)
    truth = Truth(there.boxes, there.labels)
    made, hits = curve(found, truth), judge(found, truth, rule="voc").hit >= 0
    if not hits.any():
        assert made.average_precision == 0
        return
    precision, recall, thresholds = precision_recall_curve(hits, found.scores)
    at = {
        float(t): (p, r * hits.sum() / 8)
        for t, p, r in zip(thresholds, precision, recall, strict=False)
    }
    for score, p, r in zip(made.scores, made.precision, made.recall, strict=True):
        assert (p, r) == pytest.approx(at[float(score)])
    assert 0 < made.average_precision <= 1


def test_nothing_there_and_nothing_found() -> None:
    none, some = detections([], []), drawn(2, 3)
    empty = Truth(np.zeros((0, 4), np.float32), ())
    assert judge(none, empty).f1 == 1.0
    assert judge(some, empty).precision == 0.0 and judge(some, empty).recall == 1.0
    assert judge(none, Truth(some.boxes, some.labels)).missed.tolist() == [0, 1, 2]
    with pytest.raises(UserError, match="at least one true box"):
        curve(some, empty)


def test_coco_files_and_what_is_none() -> None:
    there = drawn(5, 4)
    data = json.dumps(as_coco(Truth(there.boxes, there.labels))).encode()
    truth = read_coco(data, 200, 50)
    np.testing.assert_allclose(truth.boxes, there.boxes * [2, 0.5, 2, 0.5])
    assert truth.labels == there.labels
    for wrong in (b"no json", b"[]", b'{"images": []}'):
        with pytest.raises(UserError, match="no COCO annotation file"):
            read_coco(wrong, 10, 10)
    two = as_coco(Truth(there.boxes, there.labels))
    two["images"].append({"id": 2, "width": 5, "height": 5, "file_name": "b.png"})
    assert len(read_coco(json.dumps(two).encode(), 5, 5, "b.png").labels) == 0
    with pytest.raises(UserError, match=r"none of them is c\.png"):
        read_coco(json.dumps(two).encode(), 5, 5, "c.png")


def test_oks_is_that_of_pycocotools() -> None:
    from vision_core.inference.pose import JOINTS

    rng = np.random.default_rng(0)
    names = ["nose", "left_eye", "right_eye", "left_ear", "right_ear"] + [
        f"{side}_{part}"
        for part in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
        for side in ("left", "right")
    ]
    a = rng.uniform(0, 100, (1, 17, 2)).astype(np.float32)
    b = (a + rng.normal(0, 4, a.shape)).astype(np.float32)
    area = 4000.0
    made = [Keypoints(v, np.ones((1, 17)), "x", tuple(names)) for v in (a, b)]
    got = compare_joints(made[0], 0, made[1], 0, area)
    flat = [v for x, y in a[0].tolist() for v in (x, y, 2)]
    gt = coco_of(
        {
            "images": [{"id": 1}],
            "categories": [{"id": 1, "name": "person"}],
            "annotations": [
                {
                    "id": 1,
                    "image_id": 1,
                    "category_id": 1,
                    "keypoints": flat,
                    "area": area,
                    "num_keypoints": 17,
                    "bbox": [0, 0, 80, 50],
                    "iscrowd": 0,
                }
            ],
        }
    )
    with contextlib.redirect_stdout(io.StringIO()):
        dt = gt.loadRes(
            [
                {
                    "image_id": 1,
                    "category_id": 1,
                    "score": 1.0,
                    "keypoints": [v for x, y in b[0].tolist() for v in (x, y, 1)],
                }
            ]
        )
        run = COCOeval(gt, dt, "keypoints")
        run.params.imgIds, run.params.catIds = [1], [1]
        run._prepare()
        oks = run.computeOks(1, 1)[0, 0]
    assert got.oks == pytest.approx(oks, abs=1e-5)
    short = Keypoints(a[:, :14], np.ones((1, 14)), "x", JOINTS)
    assert len(compare_joints(made[0], 0, short, 0, area).names) == 12


def test_class_maps_by_name() -> None:
    from types import SimpleNamespace

    rng = np.random.default_rng(1)
    a = SimpleNamespace(
        info=SimpleNamespace(labels=("background", "sofa", "person")),
        class_map=rng.integers(0, 3, (20, 30)),
    )
    b = SimpleNamespace(
        info=SimpleNamespace(labels=("pedestrian", "couch", "background", "sky")),
        class_map=rng.integers(0, 4, (20, 30)),
    )
    made = compare_maps(a, b)
    word_a = np.array(["background", "couch", "person"])[a.class_map]
    word_b = np.array(["person", "couch", "background", "sky"])[b.class_map]
    assert np.array_equal(made.disagree, word_a != word_b)
    for i, x in enumerate(made.labels):
        for j, y in enumerate(made.labels):
            assert made.table[i, j] == ((word_a == x) & (word_b == y)).sum()
    for name in ("background", "couch", "person"):
        inside = (word_a == name) & (word_b == name)
        assert made.iou[name] == inside.sum() / ((word_a == name) | (word_b == name)).sum()
    assert made.alone == {"a": (), "b": ("sky",)} and "sky" not in made.iou


@pytest.mark.parametrize("box", [[1e39, 0, 5, 5], [10**399, 0, 5, 5], [0, 0, 5, -1]])
def test_numbers_that_no_photo_has_are_refused(box) -> None:
    content = as_coco(Truth(np.array([[0, 0, 5, 5]], np.float32), ("cat",)))
    content["annotations"][0]["bbox"] = box
    with pytest.raises(UserError, match="no COCO annotation file"):
        read_coco(json.dumps(content).encode(), 10, 10)


@pytest.mark.parametrize("width", [float("nan"), -5, 0, 10**399, "5"])
def test_image_sizes_that_are_none(width) -> None:
    content = as_coco(Truth(np.array([[0, 0, 5, 5]], np.float32), ("cat",)))
    content["images"][0]["width"] = width
    with pytest.raises(UserError, match="no COCO annotation file"):
        read_coco(json.dumps(content).encode(), 10, 10)


def test_a_wrong_file_name_has_its_own_sentence() -> None:
    content = as_coco(Truth(np.array([[0, 0, 5, 5]], np.float32), ("cat",)))
    content["images"].append({"id": 2, "width": 5, "height": 5, "file_name": "b.png"})
    with pytest.raises(UserError, match=r"^The file holds 2 images, and none of them is c\.png"):
        read_coco(json.dumps(content).encode(), 5, 5, "c.png")


def test_the_order_of_equal_scores_changes_nothing() -> None:
    boxes = np.array([[0, 0, 10, 10], [50, 50, 60, 60], [0, 0, 10, 9]], np.float32)
    there = Truth(boxes[:1], ("cat",))
    made = []
    for order in ([0, 1, 2], [1, 0, 2], [2, 1, 0]):
        found = detections([tuple(boxes[i]) for i in order], ["cat"] * 3)
        object.__setattr__(found, "scores", np.full(3, 0.5, np.float32))
        made.append(curve(found, there))
    for one in made:
        assert one.average_precision == pytest.approx(1 / 3) and len(one.scores) == 1
