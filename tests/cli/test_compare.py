"""``compare`` from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from vision_core import samples
from vision_core.cli import main


@pytest.fixture(scope="module")
def cat(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("photos") / "cat.png"
    Image.fromarray(samples.sample("cat").pixels).save(path)
    return path


def told(capsys, *words: str) -> dict:
    assert main(["compare", *words, "--json", "-"]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_model_agrees_with_itself(cat, capsys) -> None:
    made = told(capsys, str(cat), "--models", "fcos_s", "fcos_s", "--score", "0.3")
    [pair] = made["pairs"]
    count = len(made["models"][0]["detections"])
    assert count > 1 and len(pair["both"]) == count and pair["f1"] == 1.0
    assert not any(pair[k] for k in ("only_a", "only_b", "other_class", "shifted"))
    assert all(row["a"] == row["b"] and row["iou"] == pytest.approx(1) for row in pair["both"])


def test_a_model_without_weights_takes_only_its_own_column_down(cat, capsys, tmp_path,
                                                                monkeypatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    made = told(capsys, str(cat), "--models", "fcos_s", "fasterrcnn_resnet50_fpn")
    assert "detections" in made["models"][0] and "not on this machine" in made["models"][1]["error"]
    assert "gave no result" in made["pairs"][0]["reason"]


def test_three_models_make_three_pairs(cat, capsys) -> None:
    assert main(["compare", str(cat), "--models", "resnet_s", "fcos_s", "resnet_s"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 6
    assert sum("different tasks" in line for line in lines) == 2
    assert sum("the same class first" in line for line in lines) == 1


@pytest.mark.parametrize(("words", "said"), [
    (["fcos_s"], "2 to 4 models, not 1"), (["fcos_s"] * 5, "not 5"),
    (["fcos_s", "fcos_x"], "no model called 'fcos_x'"),
])
def test_mistakes(words, said, cat, capsys) -> None:
    assert main(["compare", str(cat), "--models", *words]) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1
