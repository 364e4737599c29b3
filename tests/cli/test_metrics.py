"""``metrics``: what is written is what the parts compute."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image
from sklearn import metrics as sk

from vision_core import models, samples
from vision_core.cli import main
from vision_core.comparison.truth import judge, read_coco
from vision_core.images import decode
from vision_core.inference import predict, trace


@pytest.fixture(scope="module")
def photo(tmp_path_factory):
    path = tmp_path_factory.mktemp("metrics") / "cat.png"
    Image.fromarray(samples.sample("cat").pixels).save(path)
    return path


def test_boxes_against_a_coco_file(photo, tmp_path, capsys) -> None:
    width, height = Image.open(photo).size
    truth = tmp_path / "truth.json"
    notes = [([60, 10, 380, 280], 1), ([0, 0, 20, 20], 2)]
    truth.write_text(
        json.dumps(
            {
                "images": [{"id": 1, "file_name": "cat.png", "width": width, "height": height}],
                "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "horse"}],
                "annotations": [
                    {"id": i, "image_id": 1, "category_id": c, "bbox": b}
                    for i, (b, c) in enumerate(notes)
                ],
            }
        )
    )
    out = tmp_path / "out.json"
    words = ["metrics", str(photo), "--truth", str(truth), "--model", "faster_rcnn_s"]
    assert main([*words, "--json", str(out)]) == 0
    told = json.loads(out.read_text())
    picture = decode(photo.read_bytes(), "cat.png")
    kept = predict(trace(models.load("faster_rcnn_s"), picture)).selection.detections
    judged = judge(kept, read_coco(truth.read_bytes(), width, height, "cat.png"))
    point = told["working_point"]
    assert (point["precision"], point["recall"]) == (judged.precision, judged.recall)
    assert point["f1"] == pytest.approx(judged.f1)
    assert told["kinds_of_error"]["correct"] == int((judged.hit >= 0).sum()) == 1
    assert [m["label"] for m in told["missed"]] == ["horse"]
    areas = told["average_precision"]
    assert areas["cat"]["all_point"] == 1.0 and areas["horse"]["all_point"] == 0.0
    printed = capsys.readouterr().out
    assert "AP of cat: 1.000 (11 points)" in printed and "1 missed" in printed


def test_a_class_map_against_a_png(photo, tmp_path, capsys) -> None:
    width, height = Image.open(photo).size
    values = np.zeros((height, width), np.uint8)
    values[:, 100:300] = 1
    truth = tmp_path / "truth.png"
    Image.fromarray(values).save(truth)
    words = ["metrics", str(photo), "--truth", str(truth), "--model", "fcn_voc_s", "--json", "-"]
    assert main(words) == 0
    told = json.loads(capsys.readouterr().out)
    made = trace(models.load("fcn_voc_s"), decode(photo.read_bytes()))
    a, b = values.ravel(), made.class_map.ravel()
    assert told["scores"]["Pixel accuracy"] == pytest.approx(sk.accuracy_score(a, b))
    size = range(len(told["labels"]))
    np.testing.assert_array_equal(told["confusion"], sk.confusion_matrix(a, b, labels=size))
    assert told["values"] == {"0": "background", "1": "cat"}


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--model", "vgg_s"], "neither boxes nor a class map"),
        (["--iou", "2"], "--iou must lie between 0 and 1"),
        (["--model", "fcn_voc_s"], "must be a PNG"),
        ([], "no COCO annotation file"),
    ],
)
def test_mistakes_are_told_in_one_line(more, said, photo, tmp_path, capsys) -> None:
    file = tmp_path / "truth.json"
    file.write_text("[]")
    assert main(["metrics", str(photo), "--truth", str(file), *more]) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1
