"""Every download of every page is pressed, and its content read back."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stdout
from typing import Any

import numpy as np
import pytest
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

from tests.pages.conftest import PREDICTIONS, sound
from tests.pages.pressing import pressed
from tests.pages.test_every_page import PAGES
from vision_core import samples
from vision_core.cli import main
from vision_core.inference import trace
from vision_core.models import cards, load

TASKS = ("detection", "instance", "pose", "segmentation", "classification")


@pytest.fixture(scope="module")
def photo_file(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The sample that the pages open with, as a file for the command line."""
    file = samples.info("cat").file
    assert file is not None
    path = tmp_path_factory.mktemp("photo") / "cat.png"
    path.write_bytes(file.read_bytes())
    return str(path)


def said(*words: str) -> Any:
    """What a command writes to standard output, as JSON."""
    out = io.StringIO()
    with redirect_stdout(out):
        assert main([*words, "--json", "-"]) == 0
    return json.loads(out.getvalue())


@pytest.mark.parametrize("task", TASKS)
def test_numbers_are_those_of_the_command_line(task: str, photo_file: str) -> None:
    low = {"score": "0.1", "iou": "0.6"} if task in TASKS[:3] else {}
    app, files = pressed(PREDICTIONS, task=task, **low)
    sound(app)
    options = [word for name, value in low.items() for word in (f"--{name}", value)]
    model = cards(task)[0].name
    theirs = said("predict", photo_file, "--model", model, *options)
    _, ours = files["Numbers"]
    assert ours.pop("timing_ms").keys() == theirs.pop("timing_ms").keys()
    assert ours == theirs
    if task in TASKS[:3]:
        assert ours["detections"]


@pytest.mark.parametrize("task", TASKS[:4])
def test_coco_is_read_by_pycocotools(task: str, tmp_path) -> None:
    low = {"score": "0.1"} if task in TASKS[:3] else {}
    app, files = pressed(PREDICTIONS, task=task, **low)
    sound(app)
    name, content = files["COCO"]
    assert name == "cat_coco.json"
    path = tmp_path / name
    path.write_text(json.dumps(content), "utf-8")
    read = COCO(str(path))
    [image] = read.loadImgs(read.getImgIds())
    rows = read.loadAnns(read.getAnnIds())
    photo = samples.sample("cat")
    assert (image["width"], image["height"]) == (photo.width, photo.height) and rows
    if task != "segmentation":
        boxes = [row["box"] for row in files["Numbers"][1]["detections"]]
        corners = [[x, y, x + w, y + h] for x, y, w, h in (row["bbox"] for row in rows)]
        np.testing.assert_allclose(corners, boxes, rtol=1e-5)
    if task == "instance":
        assert all(read.annToMask(row).sum() == row["area"] for row in rows)
    if task == "pose":
        assert all(len(row["keypoints"]) == 51 for row in rows)


def test_the_class_map_comes_back_from_its_rle() -> None:
    app, files = pressed(PREDICTIONS, task="segmentation")
    sound(app)
    found = trace(load(cards("segmentation")[0].name), samples.sample("cat"))
    back = np.full(found.class_map.shape, 255, np.uint8)
    for row in files["Numbers"][1]["class_map"]:
        code = {**row["mask"], "counts": row["mask"]["counts"].encode()}
        back[coco_mask.decode(code) > 0] = found.info.labels.index(row["label"])
    assert np.array_equal(back, found.class_map)
    assert np.array_equal(np.asarray(files["Class map"][1]), found.class_map)


def test_joints_below_the_threshold_are_left_out_of_coco_too() -> None:
    _, some = pressed(PREDICTIONS, task="pose", score="0.1", joint="0.5")
    _, every = pressed(PREDICTIONS, task="pose", score="0.1", joint="0")
    few, all_of_them = (
        sum(row["num_keypoints"] for row in files["COCO"][1]["annotations"])
        for files in (some, every)
    )
    assert few < all_of_them


@pytest.mark.parametrize("page", PAGES)
def test_every_download_of_every_page_has_what_its_name_promises(page: str) -> None:
    params = {"random": "1"} if page == "attribution" else {}
    app, files = pressed(page, **params)
    sound(app)
    expected = {"predictions": 3, "compare": 2, "attribution": 4}
    assert len(files) >= expected.get(page, 0)
    names = [name for name, _ in files.values()]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("kind", ["segmentation", "classification"])
def test_every_download_of_the_other_comparisons(kind: str) -> None:
    app, files = pressed("compare", kind=kind)
    sound(app)
    assert len(files) == 2
    record = files["Numbers (JSON)"][1]
    assert [m["title"] for m in record["models"]] and len(record["pairs"]) == 1


@pytest.mark.parametrize("task", TASKS[1:])
def test_every_download_of_attribution(task: str) -> None:
    app, files = pressed("attribution", task=task, methods="gradient,gradcam")
    sound(app)
    photo = samples.sample("cat")
    arrays = [value for name, value in files.values() if name.endswith(".npy")]
    assert [a.shape[:2] for a in arrays] == [(photo.height, photo.width)] * 2
    [about] = [value for name, value in files.values() if name.endswith(".json")]
    assert [row["shape"] for row in about["maps"]] == [list(a.shape) for a in arrays]
