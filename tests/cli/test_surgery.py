"""``surgery``: before, after and what differs are what the core says."""

from __future__ import annotations

import json

import pytest
from PIL import Image

from vision_core import models, samples
from vision_core.cli import main
from vision_core.images import decode
from vision_core.inference import trace
from vision_core.surgery import Plan, Quantise, Scale, Skip, Swap
from vision_core.surgery.operate import operate


@pytest.fixture(scope="module")
def photo(tmp_path_factory):
    path = tmp_path_factory.mktemp("surgery") / "cat.png"
    Image.fromarray(samples.sample("cat").pixels[::2, ::2]).save(path)
    return path


def told(photo, tmp_path, *words: str) -> dict:
    out = tmp_path / "surgery.json"
    assert main(["surgery", str(photo), *words, "--json", str(out)]) == 0
    return json.loads(out.read_text())


def test_before_and_after_are_those_of_the_core(photo, tmp_path, capsys) -> None:
    layer = "trunk.stem.2"
    words = ["--model", "resnet_s", "--skip", "trunk.stages.1.1", "--silence", f"{layer}:0-3"]
    words += [f"{layer}:9", "--amplify", f"{layer}:7:2.5", "--activation", "gelu", "--bits", "6"]
    made = told(photo, tmp_path, *words)
    scales = (Scale(layer, 0, 3), Scale(layer, 9, 9), Scale(layer, 7, 7, 2.5))
    plan = Plan((Skip("trunk.stages.1.1"), *scales, Swap("gelu"), Quantise(6)))
    assert made["operations"] == plan.record()
    model, picture = models.load("resnet_s"), decode(photo.read_bytes(), "cat.png")
    for key, one in (("before", model), ("after", operate(model, plan))):
        own = trace(one, picture)
        first = made[key]["classes"][0]
        label, probability = own.top(1)[0]
        assert first["label"] == label
        assert first["probability"] == pytest.approx(probability, rel=1e-6)
    assert not made["differs"]["same"] and 0 < made["differs"]["moved"] <= 1
    said = capsys.readouterr().out
    assert "skip block trunk.stages.1.1" in said and made["differs"]["text"] in said
    assert "paths" not in made


def test_without_operations_nothing_differs(photo, tmp_path) -> None:
    made = told(photo, tmp_path, "--model", "mask_rcnn_s")
    assert made["differs"]["same"] and made["operations"] == []
    assert (
        made["before"]["detections"] and made["before"]["detections"] == made["after"]["detections"]
    )


def test_thresholds_and_noise_count_for_a_detector(photo, tmp_path) -> None:
    words = ["--model", "fcos_s", "--noise", "0.1", "--seed", "4", "--score", "0.05"]
    made = told(photo, tmp_path, *words)
    counts = {
        k: len(made["differs"][k]) for k in ("both", "other_class", "shifted", "only_a", "only_b")
    }
    pairs = counts["both"] + counts["other_class"] + counts["shifted"]
    assert pairs + counts["only_a"] == len(made["before"]["detections"]) > 1
    assert pairs + counts["only_b"] == len(made["after"]["detections"])
    assert made["after"]["thresholds"]["score"] == 0.05


def test_all_subsets_are_ranked(photo, tmp_path, capsys) -> None:
    made = told(photo, tmp_path, "--model", "resnet_s", "--paths")
    values = [one["value"] for one in made["paths"]]
    assert len(values) == 32 == len({tuple(one["skipped"]) for one in made["paths"]})
    assert values == sorted(values, reverse=True)
    (whole,) = (one for one in made["paths"] if not one["skipped"])
    assert whole["value"] == made["before"]["classes"][0]["probability"]
    assert "5 blocks: 32 passes." in capsys.readouterr().err
    words = ["--paths", "trunk.stages.1.0", "trunk.stages.2.0", "--label", "dog"]
    assert len(told(photo, tmp_path, "--model", "resnet_s", *words)["paths"]) == 4


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--model", "vgg_s", "--skip", "a"], "no residual block to skip"),
        (["--model", "vgg_s", "--paths"], "no residual block to skip"),
        (["--model", "resnet_s", "--paths", "a"], "no residual block 'a'"),
        (["--model", "resnet_s", "--paths", "--label", "zebra"], "no class 'zebra'"),
        (["--model", "resnet_s", "--silence", "trunk.stem:99"], "no channel 99"),
    ],
)
def test_a_mistake_is_one_sentence(photo, words, said, capsys) -> None:
    assert main(["surgery", str(photo), *words]) == 2
    err = capsys.readouterr().err
    assert said in err.splitlines()[-1]
