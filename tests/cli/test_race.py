"""``race``: what is printed is what the systems did."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from vision_core import models, samples
from vision_core.cli import main
from vision_core.cli.race import NAMES
from vision_core.images import decode
from vision_core.inference import predict, trace
from vision_core.race import SYSTEMS, proposals, windows


@pytest.fixture(scope="module")
def photo(tmp_path_factory):
    path = tmp_path_factory.mktemp("race") / "cat.png"
    Image.fromarray(samples.sample("cat").pixels[::2, ::2]).save(path)
    return path


def test_the_systems_that_can_be_named_are_those_of_the_race() -> None:
    assert tuple(system.name for system in SYSTEMS) == NAMES


def test_two_systems_as_json(photo, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(proposals, "SCALES", (0.6,))  # few windows, whose number is the same rule's
    out = tmp_path / "race.json"
    words = ["race", str(photo), "--systems", "faster_rcnn", "sliding_window", "--json", str(out)]
    assert main(words) == 0
    told = json.loads(out.read_text())
    slow, fast = told["systems"]
    assert (slow["system"], fast["system"]) == ("sliding_window", "faster_rcnn")
    assert fast["ratio"] == 1 and slow["ratio"] == pytest.approx(slow["seconds"] / fast["seconds"])
    width, height = told["image"]["width"], told["image"]["height"]
    assert slow["boxes_examined"] == len(windows(width, height))
    picture = decode(photo.read_bytes(), "cat.png")
    own = predict(trace(models.load("faster_rcnn_s"), picture)).selection.detections
    assert [d["label"] for d in fast["detections"]] == list(own.labels)
    np.testing.assert_allclose([d["box"] for d in fast["detections"]], own.boxes, rtol=1e-5)


def test_a_table_with_recall_of_true_boxes(photo, tmp_path, capsys, monkeypatch) -> None:
    monkeypatch.setattr(proposals, "SEARCHED", 160)
    width, height = Image.open(photo).size
    truth = {
        "images": [{"id": 1, "file_name": "cat.png", "width": width, "height": height}],
        "categories": [{"id": 1, "name": "cat"}],
        "annotations": [
            {"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 1, width - 2, height - 2]}
        ],
    }
    file = tmp_path / "truth.json"
    file.write_text(json.dumps(truth))
    out = tmp_path / "race.json"
    words = ["race", str(photo), "--systems", "fast_rcnn", "--truth", str(file), "--json", str(out)]
    assert main(words) == 0
    (entry,) = json.loads(out.read_text())["systems"]
    assert entry["recall"] == 1.0 and entry["ratio"] is None
    assert next(iter(entry["stages"])) == "selective search"
    assert "Fast R-CNN" in capsys.readouterr().out
