"""The commands ``style`` and ``dream`` write what the core makes."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from vision_core import models, samples
from vision_core.cli import main
from vision_core.style.dream import DreamSettings, dream
from vision_core.style.patterns import pattern
from vision_core.style.settings import StyleSettings
from vision_core.style.transfer import StyleRun

PHOTO = "assets/samples/cat.png"


def test_style_writes_the_picture_and_the_losses(tmp_path, capsys) -> None:
    out = tmp_path / "out.png"
    given = ["style", PHOTO, "pattern:weave", "--out", str(out), "--steps", "6", "--side", "64"]
    assert main([*given, "--style-weight", "20", "--json", "-"]) == 0
    told = json.loads(capsys.readouterr().out)
    settings = StyleSettings(side=64, style_weight=20)
    model = models.load("vgg_s", device="cpu")
    made = StyleRun(model, samples.sample("cat"), pattern("weave"), settings)
    made.grow(6)
    assert np.array_equal(np.array(Image.open(out)), made.picture)
    assert [s["number"] for s in told["steps"]] == list(range(7)) and told["model"] == "vgg_s"
    assert told["steps"][-1]["style"] == pytest.approx(made.history[-1].style, rel=1e-4)
    assert main([*given, "--optimiser", "adam"]) == 0
    assert "style loss" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--steps", "0"], "--steps must lie from 1"),
        (["--style-layers", "relu9_9"], "no layer 'relu9_9'"),
        (["--optimiser", "sgd"], "no optimiser 'sgd'"),
        (["--model", "resnet_s"], "is no VGG network"),
        (["--out", "x.txt"], "is no picture name"),
    ],
)
def test_what_cannot_be_used_is_one_line(more, words, tmp_path, capsys) -> None:
    assert main(["style", PHOTO, "pattern:dots", "--out", str(tmp_path / "o.png"), *more]) == 2
    told = capsys.readouterr().err
    assert words in told and told.count("\n") == 1
    assert not (tmp_path / "o.png").exists()


def test_an_unknown_pattern_and_a_missing_style(tmp_path, capsys) -> None:
    out = str(tmp_path / "o.png")
    assert main(["style", PHOTO, "pattern:monet", "--out", out]) == 2
    assert "no pattern 'monet'" in capsys.readouterr().err
    assert main(["style", PHOTO, "nowhere.png", "--out", out]) == 2
    assert "nowhere.png" in capsys.readouterr().err


def test_dream_writes_the_last_picture(tmp_path, capsys) -> None:
    out = tmp_path / "out.png"
    given = ["dream", PHOTO, "--layer", "trunk.stacks.3", "--out", str(out), "--side", "96"]
    assert main([*given, "--octaves", "2", "--steps", "3", "--channel", "4", "--json", "-"]) == 0
    told = json.loads(capsys.readouterr().out)
    settings = DreamSettings(side=96, octaves=2, steps=3)
    model = models.load("vgg_s", device="cpu")
    *_, last = dream(model, samples.sample("cat"), "trunk.stacks.3", 4, settings)
    assert np.array_equal(np.array(Image.open(out)), last.picture)
    assert len(told["scores"]) == 7 and told["scores"][-1] > told["scores"][0]
    assert main([*given, "--octaves", "0"]) == 2
    assert "octaves must lie from 1 to 10" in capsys.readouterr().err
