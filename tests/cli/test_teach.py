"""``teach``: what is printed and written is what a run of the core gives."""

from __future__ import annotations

import json

import pytest
from PIL import Image

from vision_core import samples
from vision_core.cli import main
from vision_core.teaching import LearningSettings
from vision_core.teaching.counts import CROPPED
from vision_core.teaching.data import digits
from vision_core.teaching.keeping import opened, record
from vision_core.teaching.run import LearningRun


def told(tmp_path, *words: str) -> dict:
    out = tmp_path / "teach.json"
    assert main(["teach", *words, "--json", str(out)]) == 0
    return json.loads(out.read_text())


def test_digits_with_settings_equal_the_core(tmp_path, capsys) -> None:
    words = ["--epochs", "2", "--optimiser", "adam", "--rate", "0.003", "--width", "4"]
    words += ["--batch-norm", "--augment", "--dropout", "0.2", "--seed", "3"]
    file = tmp_path / "taught.safetensors"
    made = told(tmp_path, *words, "--save", str(file))
    settings = LearningSettings(
        "adam", 0.003, width=4, dropout=0.2, batch_norm=True, augment=True, seed=3
    )
    run = LearningRun(digits(), settings)
    run.learn(2)
    expected = record(run)
    for got, want in zip(made["epochs"], expected["epochs"], strict=True):
        assert {**got, "seconds": 0} == {**want, "seconds": 0}
    assert made["settings"] == expected["settings"] and made["transfer"] is None
    assert len(capsys.readouterr().out.splitlines()) == 5
    network, classes = opened(str(file))
    assert classes == tuple("0123456789")
    assert network.fc.in_features == run.network.fc.in_features


def test_a_folder_of_classes_with_a_frozen_trunk(tmp_path) -> None:
    for name in ("cat", "coffee"):
        folder = tmp_path / "photos" / name
        folder.mkdir(parents=True)
        pixels = samples.sample(name).pixels
        for n in range(6):
            Image.fromarray(pixels[10 * n :: 2, ::2]).save(folder / f"{n}.png")
        (folder / "notes.txt").write_text("no photo")
    where = str(tmp_path / "photos")
    words = ["--data", where, "--transfer", "head", "--epochs", "3", "--decay", "0.01"]
    made = told(tmp_path, *words)
    assert made["classes"] == ["cat", "coffee"] and made["transfer"] == "head"
    assert (made["training"], made["validation"]) == (10, 2)
    assert made["epochs"][-1]["loss"] < made["epochs"][0]["loss"]


def test_crops_are_of_samples(tmp_path) -> None:
    made = told(tmp_path, "--data", "crops", "--epochs", "1")
    assert made["classes"] == list(CROPPED) and set(CROPPED) <= set(samples.names())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--depth", "9"], "depth must lie from 1 to 4"),
        (["--transfer", "head"], "Transfer learning takes photos"),
        (["--data", "/"], "classes, and there are"),
        (["--rate", "10", "--decay", "1", "--epochs", "60"], "no longer a finite number"),
    ],
)
def test_a_mistake_is_one_sentence(words, said, capsys) -> None:
    assert main(["teach", *words]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line


def test_too_few_photos_are_told_before_any_is_read(tmp_path, capsys) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "one.png").write_text("no picture")
    assert main(["teach", "--data", str(tmp_path)]) == 2
    assert "'a' has 1 pictures" in capsys.readouterr().err
