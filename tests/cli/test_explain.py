"""``explain`` and ``activations`` from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vision_core import methods, models, samples
from vision_core.attribution import ask, explain, parse
from vision_core.cli import main
from vision_core.features.activations import activations
from vision_core.images import decode
from vision_core.inference import trace


@pytest.fixture(scope="module")
def cat(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("photos") / "cat.png"
    Image.fromarray(samples.sample("cat").pixels).save(path)
    return path


def test_the_array_is_the_map_and_the_json_names_what_was_explained(cat, tmp_path, capsys) -> None:
    out, picture = tmp_path / "map.npy", tmp_path / "map.png"
    assert (
        main(
            [
                "explain",
                str(cat),
                "--model",
                "resnet_s",
                "--method",
                "smoothgrad",
                "--target",
                "cat",
                "--samples",
                "4",
                "--seed",
                "7",
                "--out",
                str(out),
                "--png",
                str(picture),
                "--json",
                "-",
            ]
        )
        == 0
    )
    told = json.loads(capsys.readouterr().out)
    photo, model = decode(cat.read_bytes()), models.load("resnet_s")
    expected = explain(
        ask(model, photo, trace(model, photo), parse("cat")), "smoothgrad", samples=4, seed=7
    )
    array = np.load(out)
    assert array.dtype == np.float32 and np.array_equal(array, expected.values)
    assert array.shape == (photo.height, photo.width, 3)
    assert told["target"] == "cat" and told["seed"] == 7 and "torch" in told["versions"]
    assert told["score"] == pytest.approx(expected.score)
    assert told["maps"][0]["sum"] == pytest.approx(float(array.sum()), rel=1e-4)
    assert Image.open(picture).size == (photo.width, photo.height)


@pytest.mark.parametrize("method", methods.names())
def test_every_method_on_the_best_box(method, cat, tmp_path, capsys) -> None:
    quick = {
        "smoothgrad": ["--samples", "2"],
        "integrated_gradients": ["--steps", "2"],
        "occlusion": ["--patch", "80", "--stride", "80"],
        "scorecam": ["--layer", "backbone.trunk.stages.0"],  # a pass for each channel: few there
    }
    out = tmp_path / "map"
    assert (
        main(["explain", str(cat), "--method", method, "--out", str(out), *quick.get(method, [])])
        == 0
    )
    shape = np.load(out).shape
    others = ("gradient_abs", "layer_conductance", "occlusion")
    flat = method in others or (method.endswith("cam") and method != "guided_gradcam")
    assert shape[:2] == (300, 451) and len(shape) == (2 if flat else 3)
    assert f"{method}" in capsys.readouterr().out


def test_two_layers_give_two_maps(cat, tmp_path, capsys) -> None:
    out = tmp_path / "maps.npy"
    layers = ["--layer", "trunk.stages.2", "--layer", "trunk.stages.3"]
    assert (
        main(
            [
                "explain",
                str(cat),
                "--model",
                "resnet_s",
                "--method",
                "gradcam",
                *layers,
                "--out",
                str(out),
            ]
        )
        == 0
    )
    assert np.load(out).shape == (2, 300, 451)
    assert capsys.readouterr().out.count("gradcam at trunk.stages") == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--method", "magic"], "no method 'magic'"),
        (["--method", "gradient", "--target", "box:99"], "no detection 99"),
        (["--method", "gradient", "--target", "box:x"], "cannot be read"),
        (["--method", "gradient", "--model", "resnet_s", "--target", "zebra"], "no class 'zebra'"),
        (["--method", "gradient", "--steps", "3"], "has no setting 'steps'"),
        (["--method", "gradcam", "--layer", "nowhere"], "no layer 'nowhere'"),
        (["--method", "gradient", "--out", "/no/such/folder/a.npy"], "cannot be written"),
    ],
)
def test_mistakes_are_one_line_and_status_2(words, said, cat, capsys) -> None:
    assert main(["explain", str(cat), *words]) == 2
    told = capsys.readouterr()
    assert said in told.err and told.err.count("\n") == 1 and told.out == ""


def test_an_edge_on_the_border_is_told_with_what_to_explain_instead(cat, capsys) -> None:
    """The cat's box ends where the photo ends; 300 is the photo's height."""
    command = ["explain", str(cat), "--method", "gradient", "--json", "-", "--target"]
    cut = {}
    for edge, limit in (("x1", 0), ("y1", 0), ("x2", 451), ("y2", 300)):
        assert main([*command, f"box:0:{edge}"]) == 0
        record = json.loads(capsys.readouterr().out)
        cut[edge] = record["score"] == limit
        assert 0 <= record["score"] <= (451 if edge[0] == "x" else 300)
        said = any("lies on the border of the photo" in note for note in record["maps"][0]["notes"])
        assert said == cut[edge] == (record["maps"][0]["max"] == record["maps"][0]["min"] == 0)
    assert any(cut.values()) and not all(cut.values())


def test_activations(cat, tmp_path, capsys) -> None:
    out = tmp_path / "a.npy"
    assert (
        main(
            [
                "activations",
                str(cat),
                "--model",
                "resnet_s",
                "--layer",
                "trunk.stages.1",
                "--out",
                str(out),
                "--json",
                "-",
            ]
        )
        == 0
    )
    told = json.loads(capsys.readouterr().out)
    expected = activations(models.load("resnet_s"), decode(cat.read_bytes()), "trunk.stages.1")
    assert np.array_equal(np.load(out), expected.values) and told["shape"] == [64, 20, 20]
    assert main(["activations", str(cat), "--layer", "x", "--out", str(out)]) == 2
