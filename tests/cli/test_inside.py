"""``inside``: the numbers of the command are those of the network and of torchvision."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.ops import generalized_box_iou_loss

from vision_core import models, samples
from vision_core.cli import main
from vision_core.inference import trace

BOX = [150.0, 60.0, 330.0, 290.0]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("inside")
    Image.fromarray(samples.sample("cat").pixels).save(made / "cat.png")
    truth = {
        "images": [{"id": 1, "file_name": "cat.png", "width": 451, "height": 300}],
        "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "zebra"}],
        "annotations": [
            {"id": 1, "image_id": 1, "category_id": 1, "bbox": [140, 40, 200, 255]},
            {"id": 2, "image_id": 1, "category_id": 2, "bbox": [10, 10, 60, 80]},
        ],
    }
    (made / "truth.json").write_text(json.dumps(truth))
    return made


def asked(folder: Path, *words: str) -> dict[str, Any]:
    out = folder / "out.json"
    assert main(["inside", str(folder / "cat.png"), *words, "--json", str(out)]) == 0
    told: dict[str, Any] = json.loads(out.read_text())
    return told


def test_a_two_stage_network_tells_all_of_it(folder, capsys):
    box = ",".join(map(str, BOX))
    told = asked(
        folder, "--model", "mask_rcnn_s", "--box", box, "--truth", str(folder / "truth.json")
    )
    model = models.load("mask_rcnn_s", device="cpu")
    field = trace(model, samples.sample("cat")).field
    assert told["place"]["photo"] == [240, 175] and told["box"] == BOX
    for anchor in told["anchors"]:
        assert anchor["score"] == pytest.approx(float(field.scores[anchor["index"]]), rel=1e-4)
    assert len(told["anchors"]) == 3 * 6
    assert told["serves"]["rule"] == "mapper" and len(told["serves"]["levels"]) == 1
    assert told["proposals"]["before"]["count"] > told["proposals"]["after"]["count"]
    assert len(told["proposals"]["after"]["recall"]["first_k"]) == 2
    head = told["head"]
    assert sum(c["score"] for c in head["classes"]) == pytest.approx(1, abs=1e-4)
    assert np.shape(head["sampling_points"]) == (7, 7, 2, 2, 2)
    counts = told["teaching"]["counts"]
    total = counts["positive"] + counts["negative"] + counts["ignored"]
    assert total == len(field.scores) and counts["positive"] == len(told["teaching"]["positive"])
    drawn = told["teaching"]["sampled"]
    assert len(drawn["positive"]) + len(drawn["negative"]) == 64
    assert told["teaching"]["imbalance"]["left_out"] == 0, "an RPN needs no classes"
    giou = next(one for one in told["box_losses"]["losses"] if one["name"] == "GIoU")
    expected = generalized_box_iou_loss(
        torch.tensor([BOX], dtype=torch.float64),
        torch.tensor([[140.0, 40.0, 340.0, 295.0]], dtype=torch.float64),
    )
    assert giou["value"] == pytest.approx(float(expected))
    said = capsys.readouterr().out
    assert "x of the network = 240 * 384 / 451" in said and "positive" in said


def test_a_one_stage_network_at_a_point(folder):
    told = asked(folder, "--at", "240,150", "--truth", str(folder / "truth.json"))
    assert told["model"] == "fcos_s" and told["head"] is told["proposals"] is None
    assert told["serves"]["rule"] == "ranges" and len(told["anchors"]) == 3
    assert set(told["anchors"][0]["code"]) == {"l", "t", "r", "b"}
    assert told["teaching"]["rule"] == "points"
    assert told["teaching"]["imbalance"]["left_out"] >= 0
    best = max(told["anchors"], key=lambda a: a["score"])
    assert told["box"] == best["box"] == told["box_losses"]["predicted"]


def test_limits_and_seed_are_used(folder):
    words = ["--model", "faster_rcnn_s", "--at", "240,150", "--truth", str(folder / "truth.json")]
    usual = asked(folder, *words)["teaching"]
    strict = asked(folder, *words, "--high", "0.9", "--low", "0.1", "--seed", "4")["teaching"]
    assert strict["counts"]["negative"] < usual["counts"]["negative"]
    assert strict["sampled"]["negative"] != usual["sampled"]["negative"]
    again = asked(folder, *words, "--high", "0.9", "--low", "0.1", "--seed", "4")["teaching"]
    assert strict == again


def test_without_a_truth_nothing_is_taught(folder, capsys):
    told = asked(folder, "--at", "0,0")
    assert "teaching" not in told and "box_losses" not in told
    assert main(["inside", str(folder / "cat.png"), "--at", "5,5", "--json", "-"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert json.loads(lines[-1])["place"]["photo"] == [5, 5], "standard output is JSON alone"


def test_a_lower_limit_above_the_networks_own_is_told(folder, capsys):
    words = ["--model", "faster_rcnn_s", "--at", "240,150", "--truth", str(folder / "truth.json")]
    assert main(["inside", str(folder / "cat.png"), *words, "--low", "0.9"]) == 2
    assert "lower IoU limit 0.9" in capsys.readouterr().err


def test_a_true_mask_gives_the_target_of_the_proposal(folder):
    content = json.loads((folder / "truth.json").read_text())
    content["annotations"][0]["segmentation"] = [[150, 50, 330, 60, 320, 290, 160, 280]]
    (folder / "masks.json").write_text(json.dumps(content))
    words = ("--model", "mask_rcnn_s", "--box", ",".join(map(str, BOX)))
    plain = asked(folder, *words, "--truth", str(folder / "truth.json"))
    assert plain["mask_target"] is None
    told = asked(folder, *words, "--truth", str(folder / "masks.json"))["mask_target"]
    target, said = np.array(told["target"]), np.array(told["said"])
    assert target.shape == said.shape == (28, 28) and 0.5 < target.mean() < 1
    loss = -(target * np.log(said) + (1 - target) * np.log1p(-said)).mean()
    assert told["loss"] == pytest.approx(loss, rel=1e-3)
    assert told["true_box"] == 0 and told["positive"] == (told["iou"] >= 0.5)
