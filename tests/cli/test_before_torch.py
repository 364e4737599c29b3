"""What words, cards and files alone can tell is told before PyTorch is imported.

Each command runs where importing torch raises, so that it would end as a fault of ours. The
mistakes are made one after the other in one process: an import that raised is tried again by the
next command that wants it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from vision_core.models import zoo
from vision_core.models.cards import BUNDLED
from vision_core.training.recipes import RECIPES

ROOT = Path(__file__).resolve().parents[2]
PLACE = ["p.png", "--method"]
OUT = ["--out", "a.npy"]
LAYER = ["--layer", "x", "--out", "o.png"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    made = tmp_path_factory.mktemp("without_torch")
    for name in ("torch", "torchvision"):
        (made / name).mkdir()
        (made / name / "__init__.py").write_text("raise RuntimeError('PyTorch was imported')\n")
    Image.new("RGB", (40, 30), "red").save(made / "p.png")
    (made / "text.png").write_text("this is no picture")
    (made / "truth.json").write_text("[]")
    return made


def run(folder: Path, *words: str, **options: str) -> subprocess.CompletedProcess[str]:
    here = {"PYTHONPATH": f"{folder}{os.pathsep}{ROOT}", "TORCH_HOME": str(folder)}
    return subprocess.run(
        [sys.executable, *words],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, **here},
        **options,
    )


MISTAKES = {
    "model": (["predict", "p.png", "--model", "fcos_x"], "did you mean fcos_s"),
    "device": (["predict", "p.png", "--device", "tpu"], "no device 'tpu'"),
    "weights": (["predict", "p.png", "--model", "resnet18"], "not on this machine"),
    "class": (["predict", "p.png", "--class", "zebra"], "knows no class 'zebra'"),
    "score": (["predict", "p.png", "--score", "2"], "between 0 and 1, not 2.0"),
    "iou": (["why", "p.png", "--spot", "1,2", "--iou", "-1"], "between 0 and 1, not -1.0"),
    "sigma": (["predict", "p.png", "--sigma", "0"], "greater than 0"),
    "nms": (["compare", "p.png", "--models", "fcos_s", "vgg_s", "--nms", "x"], "one of hard"),
    "mask": (["predict", "p.png", "--mask-threshold", "3"], "between 0 and 1, not 3.0"),
    "minutes": (["train", "fcos_s", "--data", ".", "--minutes", "0"], "--minutes must be above 0"),
    "steps": (["train", "fcos_s", "--data", ".", "--steps", "0"], "--steps must be at least 1"),
    "rate": (["train", "fcos_s", "--data", ".", "--rate", "nan"], "--rate must be above 0"),
    "threads": (["train", "fcos_s", "--data", ".", "--threads", "-1"], "must be 0 or more"),
    "init": (["train", "fcos_s", "--data", ".", "--init", "no"], "The weights no do not exist"),
    "system": (["race", "p.png", "--systems", "overfeat"], "no system 'overfeat'"),
    "one photo": (["features", "p.png"], "at least two photos"),
    "nearest": (["features", "p.png", "p.png", "--nearest", "0"], "at least 1, not 0"),
    "perplexity": (["features", "p.png", "p.png", "--perplexity", "0"], "at least 1, not 0"),
    "channel": (["features", "p.png", "p.png", "--channel", "-1"], "so -1 is none"),
    "activation": (["surgery", "p.png", "--activation", "x"], "no activation 'x'"),
    "way": (["teach", "--transfer", "x"], "no way 'x' to transfer"),
    "optimiser": (["teach", "--optimiser", "x"], "no optimiser 'x'"),
    "epochs": (["teach", "--epochs", "0"], "from 1 to 200, not 0"),
    "lesson": (["teach", "--data", "nowhere"], "no data 'nowhere'"),
    "bits": (["surgery", "p.png", "--bits", "1"], "2 to 16 bits, not 1"),
    "noise": (["surgery", "p.png", "--noise", "-1"], "between 0 and 2, not -1"),
    "precision": (["surgery", "p.png", "--precision", "int8"], "no precision 'int8'"),
    "silence": (["surgery", "p.png", "--silence", "a"], "written LAYER:CHANNEL"),
    "amplify": (["surgery", "p.png", "--amplify", "a:1:9"], "between 0 and 4, not 9"),
    "metrics": (["metrics", "p.png", "--truth", "truth.json"], "no COCO annotation file"),
    "metrics task": (
        ["metrics", "p.png", "--truth", "truth.json", "--model", "vgg_s"],
        "neither boxes nor",
    ),
    "coco": (["predict", "p.png", "--model", "vgg_s", "--save-coco", "c"], "is a classifier"),
    "overlay": (["predict", "p.png", "--overlay", "a.txt"], "no picture name"),
    "picture": (["predict", "text.png"], "text.png"),
    "task": (["why", "p.png", "--spot", "1,2", "--model", "vgg_s"], "gives no boxes"),
    "box": (["why", "p.png", "--box", "1,2,3"], "takes 4 numbers"),
    "spot": (["why", "p.png", "--spot", "a,b"], "takes 2 numbers"),
    "inside place": (["inside", "p.png", "--at", "1"], "takes 2 numbers"),
    "inside point": (["inside", "p.png", "--at", "41,2"], "outside the photo of 40 x 30"),
    "inside box": (["inside", "p.png", "--box", "9,9,5,20"], "needs X1 < X2"),
    "inside family": (["inside", "p.png", "--at", "1,2", "--model", "vgg_s"], "has no anchors"),
    "inside limit": (["inside", "p.png", "--at", "1,2", "--high", "2"], "between 0 and 1, not 2"),
    "inside limits": (
        ["inside", "p.png", "--at", "1,2", "--high", "0.3", "--low", "0.5"],
        "--low must not be greater",
    ),
    "inside gamma": (["inside", "p.png", "--at", "1,2", "--gamma", "-1"], "from 0 on, not -1"),
    "inside seed": (["inside", "p.png", "--at", "1,2", "--seed", "-1"], "whole number from 0"),
    "inside truth": (
        ["inside", "p.png", "--at", "1,2", "--truth", "truth.json"],
        "no COCO annotation file",
    ),
    "method": (["explain", *PLACE, "magic"], "no method 'magic'"),
    "setting": (["explain", *PLACE, "gradient", "--steps", "3"], "no setting 'steps'"),
    "patch": (
        ["explain", *PLACE, "occlusion", "--patch", "0"],
        "--patch must be at least 1, not 0",
    ),
    "league steps": (["league", "p.png", "--steps", "3"], "takes 4 to 128 steps, not 3"),
    "league seed": (["league", "p.png", "--seed", "-1"], "seed must be 0 or more, not -1"),
    "league box": (["league", "p.png", "--box", "50,1,60,9"], "no part in the photo of 40 x 30"),
    "dream channel": (["dream", "p.png", *LAYER, "--channel", "-1"], "so -1 is none"),
    "dream side": (["dream", "p.png", *LAYER, "--octaves", "0"], "octaves"),
    "style side": (["style", "p.png", "p.png", "--out", "o.png", "--steps", "0"], "from 1 to 2000"),
    "baseline": (["explain", *PLACE, "occlusion", "--baseline", "red"], "no baseline 'red'"),
    "target": (["explain", *PLACE, "gradient", "--target", "box:x"], "cannot be read"),
    "kind": (["explain", *PLACE, "gradient", "--target", "cat"], "write box:N"),
    "label": (
        ["explain", *PLACE, "gradient", "--model", "vgg_s", "--target", "zebra"],
        "no class 'zebra'",
    ),
    "joint": (
        ["explain", *PLACE, "gradient", "--model", "pose_heatmap_s", "--target", "joint:0:tail"],
        "no joint 'tail'",
    ),
    "layer of": (
        ["activations", "p.png", "--layer", "x", *OUT, "--model", "zz"],
        "no model called 'zz'",
    ),
    "number": (["compare", "p.png", "--models", "fcos_s"], "2 to 4 models, not 1"),
    "names": (["compare", "p.png", "--models", "fcos_s", "fcos_x"], "did you mean fcos_s"),
    "page": (["compare", "p.png", "--models", "fcos_s", "vgg_s", "--html", "a.png"], "no HTML"),
    "truth": (
        ["compare", "p.png", "--models", "fcos_s", "vgg_s", "--truth", "truth.json"],
        "no COCO annotation file",
    ),
    "operator": (["walkthrough", "convolutoin"], "convolution"),
    "preset": (["walkthrough", "convolution", "--preset", "nothing"], "nothing"),
    "parameter": (["walkthrough", "nms", "--iou-threshold", "x"], "takes JSON"),
    "values": (
        ["walkthrough", "convolution", "--input", "[[1]]", "--weight", "[[1]]", "--stride", "0"],
        "stride",
    ),
    "recipe": (["train", "fcos_x", "--data", "."], "no recipe 'fcos_x'"),
    "data": (["train", "fcos_s", "--data", "nowhere"], "does not exist"),
    "network": (["evaluate", "resnet18", "--data", "."], "no bundled network 'resnet18'"),
    "tasks": (["models", "--task", "tracking"], "choose one of detection"),
    "download": (["weights", "download", "resnet-18"], "did you mean resnet18"),
}


EACH = """
import io, json, sys
from contextlib import redirect_stderr, redirect_stdout
from vision_core.cli import main

told = []
for words in json.load(sys.stdin):
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        status = main(words)
    told.append([status, out.getvalue(), err.getvalue()])
json.dump(told, sys.stdout)
"""


@pytest.fixture(scope="module")
def told(folder) -> dict[str, tuple[int, str, str]]:
    """Status, output and error output of every mistake, then of a command that needs PyTorch."""
    commands = [words for words, _ in MISTAKES.values()] + [["predict", "p.png"]]
    done = run(folder, "-c", EACH, input=json.dumps(commands))
    assert done.returncode == 0, done.stderr
    return dict(zip([*MISTAKES, "trap"], json.loads(done.stdout), strict=True))


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_sentence_without_pytorch(mistake, told) -> None:
    _, said = MISTAKES[mistake]
    status, out, err = told[mistake]
    assert status == 2, err
    assert said in err and err.count("\n") == 1 and not out


def test_the_trap_works_after_all_those_mistakes(told) -> None:
    status, _, err = told["trap"]
    assert status == 1 and "PyTorch was imported" in err


def test_what_needs_no_network_needs_no_pytorch(folder) -> None:
    for words in (["models"], ["weights", "list"], ["walkthrough", "--list"]):
        assert run(folder, "-m", "vision_core", *words).returncode == 0
    done = run(folder, "-m", "vision_core", "predict", "p.png")
    assert done.returncode == 1 and "PyTorch was imported" in done.stderr, "the trap works"
    done = run(folder, "-m", "vision_core", *MISTAKES["model"][0])
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and not done.stdout


def test_the_names_of_networks_are_those_that_can_be_built_and_trained() -> None:
    assert set(BUNDLED) == set(zoo.NAMES) == set(RECIPES) - {"trunk_s"}
