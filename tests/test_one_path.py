"""Command line, comparison and pages tell the same of a photo, in one format."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from pages.shared import downloads
from vision_core import models, samples
from vision_core.cli import main
from vision_core.comparison.report import column, record
from vision_core.images import decode
from vision_core.inference import PartSource, predict, trace
from vision_core.records import Thresholds

TIMES = ("timing_ms", "device")


@pytest.mark.parametrize("name", ["mask_rcnn_s", "pose_heatmap_s", "fcn_voc_s", "resnet_s"])
def test_one_photo_has_one_record(name, tmp_path, capsys) -> None:
    path = tmp_path / "cat.png"
    Image.fromarray(samples.sample("cat").pixels).save(path)
    photo, model = decode(path.read_bytes(), path.name), models.load(name)
    assert main(["predict", str(path), "--model", name, "--score", "0.3", "--json", "-"]) == 0
    told = json.loads(capsys.readouterr().out)
    found = trace(model, photo)
    boxes = hasattr(found, "defaults")
    thresholds = Thresholds(**{**vars(found.defaults), "score": 0.3}) if boxes else None
    made = predict(found, thresholds, PartSource(model, photo, found) if boxes else None)
    _, numbers, _ = downloads.numbers(photo, made)["Numbers"]
    page = json.loads(numbers())
    [compared] = record(photo, [column(model, photo, {"score": 0.3})], [])["models"]
    for key in (k for k in told if k not in (*TIMES, "model", "image")):
        assert told[key] == page[key] == compared[key], key
    assert told["image"] == page["image"]
    for key in TIMES:
        assert set(told[key]) == set(page[key]) == set(compared[key])


def test_the_models_own_thresholds_and_no_parts_unless_asked() -> None:
    model, photo = models.load("mask_rcnn_s"), samples.sample("cat")
    found = trace(model, photo)
    runs: list[int] = []
    handles = [
        part.register_forward_hook(lambda *_: runs.append(1))
        for part in (model.module.backbone, model.module.roi_heads.mask_head)
    ]
    made = predict(found)
    assert not runs and made.masks is None and made.selection is not None
    expected = found.select(Thresholds.torchvision(model)).detections
    np.testing.assert_array_equal(made.selection.detections.boxes, expected.boxes)
    parts = PartSource(model, photo, found)
    again = predict(found, None, parts, mask_threshold=0.7)
    assert len(runs) == 1, "the mask head alone"
    np.testing.assert_array_equal(again.masks, parts.masks(expected.candidate))
    assert again.mask_threshold == 0.7 and set(again.timing_ms) == {"select", "masks"}
    for handle in handles:
        handle.remove()
