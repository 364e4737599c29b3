"""Totals and files against pycocotools, on many made-up photos."""

from __future__ import annotations

import contextlib
import csv
import io
import json
from dataclasses import replace

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from tests.builders import make_trace
from vision_core.comparison.annotations import CocoFile
from vision_core.comparison.column import Column
from vision_core.comparison.truth import Truth
from vision_core.gallery.files import write_coco, write_csv
from vision_core.gallery.html import first
from vision_core.gallery.records import _said
from vision_core.gallery.totals import average_precision, totals
from vision_core.inference import predict
from vision_core.models import card

CLASSES = ("cat", "cow", "dog", "horse")  # the trace knows no horse
PHOTOS = 12


def scenes() -> tuple[dict, list[dict]]:
    """A COCO file of true boxes near some of the detections, and the records."""
    rng = np.random.default_rng(3)
    coco = {
        "categories": [{"id": 10 * i + 7, "name": name} for i, name in enumerate(CLASSES)],
        "images": [],
        "annotations": [],
    }
    rows = []
    for number in range(PHOTOS):
        trace = make_trace(number, 60)
        # no score twice: equal ones count in the order of the photos, which is one of many
        trace = replace(trace, scores=trace.scores + np.float32(number * 1e-4))
        image = {"id": 100 - number, "file_name": f"{number}.jpg", "width": 200, "height": 160}
        coco["images"].append(image)
        chosen = rng.choice(60, 9, replace=False)
        boxes = (trace.boxes[chosen] + rng.normal(0, 3, (9, 4))).round(1)
        boxes[:, 2:] = np.maximum(boxes[:, 2:], boxes[:, :2] + 1)
        labels = [trace.info.labels[trace.label_ids[i]] for i in chosen[:8]] + ["horse"]
        for box, label in zip(boxes.tolist(), labels, strict=True):
            side = [box[0], box[1], box[2] - box[0], box[3] - box[1]]
            coco["annotations"].append(
                {
                    "id": len(coco["annotations"]) + 1,
                    "image_id": image["id"],
                    "category_id": 10 * CLASSES.index(label) + 7,
                    "bbox": side,
                    "area": side[2] * side[3],
                    "iscrowd": 0,
                }
            )
        truth = Truth(boxes.astype(np.float32), tuple(labels))
        said = _said(Column(card("fcos_s"), predict(trace)), truth)
        rows.append(
            {
                "photo": image["file_name"],
                "width": 200,
                "height": 160,
                "truth": [
                    {"label": n, "box": b} for n, b in zip(labels, boxes.tolist(), strict=True)
                ],
                "models": {"fcos_s": json.loads(json.dumps(said))},
                "disagreement": None,
                "doubt": said["doubt"],
                "errors": sum(v for k, v in said["kinds"].items() if k != "correct"),
            }
        )
    return coco, rows


@pytest.fixture(scope="module")
def made() -> tuple[dict, list[dict]]:
    return scenes()


def reference(coco: dict, notes: list[dict]) -> np.ndarray:
    """AP50 of every class by pycocotools, in the order of the categories."""
    true = COCO()
    true.dataset = {"info": {}, **coco}
    with contextlib.redirect_stdout(io.StringIO()):
        true.createIndex()
        scorer = COCOeval(true, true.loadRes(notes), "bbox")
        scorer.evaluate()
        scorer.accumulate()
    return scorer.eval["precision"][0, :, :, 0, -1].mean(0)


def test_ap50_is_that_of_pycocotools(made) -> None:
    coco, rows = made
    stream = io.StringIO()
    write_coco(stream, lambda: rows, "fcos_s", CocoFile(json.dumps(coco).encode()))
    written = json.loads(stream.getvalue())
    assert written["categories"] == [{**c, "supercategory": ""} for c in coco["categories"]]
    expected = reference(coco, written["annotations"])
    [entry] = totals(rows, ["fcos_s"])["models"]
    assert list(entry["AP50_by_class"]) == list(CLASSES)
    assert list(entry["AP50_by_class"].values()) == pytest.approx(expected.tolist(), abs=1e-9)
    assert entry["AP50"] == pytest.approx(expected.mean()) and 0.1 < entry["AP50"] < 0.7
    assert entry["AP50_by_class"]["horse"] == 0


def test_kinds_and_counts_are_the_sums(made) -> None:
    _, rows = made
    told = totals([*rows, {"photo": "x.jpg", "error": "x.jpg is empty"}], ["fcos_s"])
    assert (told["photos"], told["skipped"], told["with_truth"]) == (PHOTOS, 1, PHOTOS)
    [entry] = told["models"]
    wrong = sum(row["errors"] for row in rows)
    assert sum(v for k, v in entry["kinds"].items() if k != "correct") == wrong
    assert sum(v for k, v in entry["kinds"].items() if k != "missed") == entry["boxes"] > 0
    assert sum(entry["true"].values()) == 9 * PHOTOS


@pytest.mark.parametrize(
    ("hits", "true", "area"),
    [([], 3, 0), ([0, 0], 1, 0), ([1], 1, 1), ([1], 2, 51 / 101), ([0, 1], 1, 0.5)],
)
def test_average_precision_by_hand(hits, true, area) -> None:
    scores = np.linspace(0.9, 0.1, len(hits))
    assert average_precision(scores, np.array(hits), true) == pytest.approx(area)


def test_a_file_without_truth_gets_ids_of_its_own(made) -> None:
    _, rows = made
    stream = io.StringIO()
    write_coco(stream, lambda: rows, "fcos_s", None)
    written = json.loads(stream.getvalue())
    assert [image["id"] for image in written["images"]] == list(range(1, PHOTOS + 1))
    assert [c["name"] for c in written["categories"]] == ["cat", "cow", "dog"]
    assert {n["image_id"] for n in written["annotations"]} == set(range(1, PHOTOS + 1))


def test_the_table_has_a_row_for_each_photo_and_no_formulas(made) -> None:
    _, rows = made
    bad = {"photo": "=1+1.jpg", "error": "=1+1.jpg is empty"}
    stream = io.StringIO(newline="")
    write_csv(stream, [*rows, bad], ["fcos_s"])
    stream.seek(0)
    table = list(csv.DictReader(stream))
    assert len(table) == PHOTOS + 1 and table[-1]["photo"] == "'=1+1.jpg"
    assert table[-1]["skipped because"] == "'=1+1.jpg is empty" and None not in table[-1]
    assert [int(row["errors"]) for row in table[:-1]] == [row["errors"] for row in rows]


def test_the_worst_come_first(made) -> None:
    _, rows = made
    names = first(rows, "errors", 5)
    ordered = sorted(rows, key=lambda row: (-row["errors"], row["photo"]))
    assert names == [row["photo"] for row in ordered[:5]]
    assert first(rows, "disagreement") == []
