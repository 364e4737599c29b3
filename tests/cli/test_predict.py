from __future__ import annotations

import io
import json
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from pycocotools.coco import COCO

from tests import picture_files as files
from vision_core import samples
from vision_core.cli import main
from vision_core.images import decode
from vision_core.inference import trace
from vision_core.models import load


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A cat, the same cat turned by EXIF data, and a file that is no picture."""
    place = tmp_path_factory.mktemp("photos")
    cat = Image.fromarray(samples.sample("cat").pixels)
    (place / "cat.png").write_bytes(files.saved(cat, "PNG"))
    turned = cat.transpose(Image.Transpose.ROTATE_90)
    (place / "turned.png").write_bytes(files.with_orientation(turned, 6))
    (place / "bad.jpg").write_text("no picture")
    return place


def lines(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines()]


LOW = ["--score", "0.02", "--max", "7"]


def test_standard_output_holds_the_json_alone(folder, capsys):
    assert main(["predict", str(folder / "cat.png"), "--json", "-", *LOW]) == 0
    out, err = capsys.readouterr()
    (record,) = lines(out)
    assert err == "" and record["model"] == "fcos_s" and record["image"]["name"] == "cat.png"
    photo = decode((folder / "cat.png").read_bytes(), "cat.png")
    assert record["image"]["sha256"] == photo.sha256
    assert record["thresholds"]["score"] == 0.02 and record["thresholds"]["max_detections"] == 7
    traced = trace(load("fcos_s", device="cpu"), photo)
    assert record["thresholds"]["iou"] == traced.defaults.iou  # the family's own where left out
    assert [s["name"] for s in record["funnel"]] == [s.name for s in traced.funnel]
    assert len(record["detections"]) <= 7 and record["timing_ms"]["select"] > 0


def test_what_is_printed_is_what_the_library_selects(folder, tmp_path, capsys):
    from dataclasses import replace

    out = tmp_path / "out.json"
    argv = [
        "--score",
        "0.01",
        "--iou",
        "0.3",
        "--nms",
        "soft-gaussian",
        "--sigma",
        "0.7",
        "--agnostic",
        "--max",
        "20",
        "--class",
        "cat",
        "--class",
        "dog",
    ]
    assert main(["predict", str(folder / "cat.png"), "--json", str(out), *argv]) == 0
    record = json.loads(out.read_text())
    photo = decode((folder / "cat.png").read_bytes())
    traced = trace(load("fcos_s", device="cpu"), photo)
    thresholds = replace(
        traced.defaults,
        score=0.01,
        iou=0.3,
        nms="soft-gaussian",
        sigma=0.7,
        agnostic=True,
        max_detections=20,
        classes=frozenset(("cat", "dog")),
    )
    found = traced.select(thresholds).detections
    assert record["thresholds"] == thresholds.as_dict()
    assert [d["label"] for d in record["detections"]] == list(found.labels)
    assert np.allclose([d["score"] for d in record["detections"]], found.scores, atol=1e-5)
    assert "cat.png (451 x 300), fcos_s" in capsys.readouterr().out


def test_several_images_are_json_lines_and_a_bad_one_stops_nothing(folder, capsys):
    names = [str(folder / n) for n in ("cat.png", "bad.jpg", "gone.png", "turned.png")]
    assert main(["predict", *names, "--json", "-", *LOW]) == 2
    out, err = capsys.readouterr()
    first, bad, gone, last = lines(out)
    assert "text file" in bad["error"] and bad["name"] == "bad.jpg"
    assert "cannot be read" in gone["error"] and gone["name"] == "gone.png"
    assert err.splitlines() == [bad["error"], gone["error"]]
    assert first["detections"] == last["detections"]  # the same upright pixels
    assert (last["image"]["width"], last["image"]["height"]) == (451, 300)


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["bad.jpg"], "text file"),
        (["gone.png"], "cannot be read"),
        (["."], "cannot be read"),
        (["cat.png", "--score", "2"], "between 0 and 1"),
        (["cat.png", "--score", "nan"], "between 0 and 1"),
        (["cat.png", "--sigma", "0"], "greater than 0"),
        (["cat.png", "--max", "0"], "1 or more"),
        (["cat.png", "--nms", "soft"], "soft-linear"),
        (["cat.png", "--mask-threshold", "7"], "mask threshold"),
        (["cat.png", "--class", "Cat"], "it knows cat"),
        (["cat.png", "--model", "fcos"], "did you mean fcos_s"),
        (["cat.png", "--device", "gpu"], "choose one of auto"),
        (["cat.png", "--weights", "none.pth"], "cannot be read"),
        (["cat.png", "--overlay", "out.doc"], "no picture name"),
        (["cat.png", "--overlay", "/dev/null/out.png"], "cannot be written"),
        (["cat.png", "--json", "cat.png"], "would overwrite"),
        (["cat.png", "--json", "/dev/null/x.json"], "cannot be written"),
        (["cat.png", "--save-coco", "/dev/null/x.json"], "cannot be written"),
        (["cat.png", "--model", "resnet_s", "--save-coco", "x.json"], "is a classifier"),
    ],
)
def test_mistakes_are_one_line_and_status_2(folder, monkeypatch, capsys, argv, words):
    monkeypatch.chdir(folder)
    before = (folder / "cat.png").read_bytes()
    assert main(["predict", *argv]) == 2
    err = capsys.readouterr().err
    assert words in err and err.count("\n") == 1
    assert (folder / "cat.png").read_bytes() == before


def test_missing_weights_offer_the_bundled_model(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    assert main(["predict", str(folder / "cat.png"), "--model", "maskrcnn_resnet50_fpn"]) == 2
    err = capsys.readouterr().err
    assert "weights download maskrcnn_resnet50_fpn" in err and "bundled mask_rcnn_s" in err


def test_ones_own_checkpoint(folder, tmp_path, capsys):
    name = "ssdlite320_mobilenet_v3_large"
    file = tmp_path / "own.pth"
    torch.save(load(name, device="cpu", random_seed=1).module.state_dict(), file)
    argv = ["predict", str(folder / "cat.png"), "--model", name, "--json", "-"]
    assert main([*argv, "--weights", str(file)]) == 0
    assert json.loads(capsys.readouterr().out)["model"] == name
    assert main([*argv, "--weights", str(file), "--model", "resnet_s"]) == 2
    assert "own.pth does not fit resnet_s" in capsys.readouterr().err


@pytest.mark.parametrize("model", ["fcos_s", "fcn_voc_s", "resnet_s", "pose_heatmap_s"])
def test_each_task_gives_its_record_and_an_overlay(folder, tmp_path, capsys, model):
    overlay = tmp_path / "out.png"
    argv = ["predict", str(folder / "turned.png"), "--model", model, "--json", "-"]
    assert main([*argv, "--overlay", str(overlay)]) == 0
    (record,) = lines(capsys.readouterr().out)
    part = {"fcn_voc_s": "class_map", "resnet_s": "classes"}.get(model, "detections")
    assert part in record
    drawn = np.asarray(Image.open(overlay))
    assert drawn.shape[1] == 451 and drawn.shape[0] >= 300
    if model == "fcn_voc_s":
        assert sum(row["pixels"] for row in record["class_map"]) == 451 * 300
    if model == "resnet_s":
        assert sum(row["probability"] for row in record["classes"]) == pytest.approx(1, abs=1e-5)


def test_overlays_of_several_images(folder, tmp_path):
    names = [str(folder / "cat.png"), str(folder / "turned.png")]
    assert main(["predict", *names, "--overlay", str(tmp_path / "out.png")]) == 0
    assert {p.name for p in tmp_path.iterdir()} == {"out-1.png", "out-2.png"}
    assert main(["predict", *names, "--overlay", str(tmp_path / "all")]) == 0
    assert {p.name for p in (tmp_path / "all").iterdir()} == {"1-cat.png", "2-turned.png"}


def test_coco_of_several_images(folder, tmp_path):
    out = tmp_path / "coco.json"
    names = [str(folder / "cat.png"), str(folder / "turned.png")]
    assert main(["predict", *names, "--save-coco", str(out), *LOW]) == 0
    coco = COCO(str(out))
    assert [i["file_name"] for i in coco.loadImgs(coco.getImgIds())] == ["cat.png", "turned.png"]
    assert {c["name"] for c in coco.loadCats(coco.getCatIds())} >= {"cat", "person"}


def test_a_photo_from_standard_input(folder, capsys, monkeypatch):
    data = (folder / "cat.png").read_bytes()
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(data)))
    assert main(["predict", "-", "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["image"]["name"] == "standard input"


def test_thresholds_for_a_classifier_are_told_to_do_nothing(folder, capsys):
    argv = ["predict", str(folder / "cat.png"), "--model", "resnet_s", "--score", "0.1"]
    assert main([*argv, "--json", "-"]) == 0
    out, err = capsys.readouterr()
    assert "resnet_s gives no boxes" in err and len(lines(out)) == 1
