"""The command line with networks of one's own: class names, and files of taught networks."""

from __future__ import annotations

import json

import pytest
import torch
import torchvision

from vision_core import samples
from vision_core.cli import main
from vision_core.images import decode
from vision_core.teaching import LearningSettings
from vision_core.teaching.data import digits
from vision_core.teaching.keeping import as_bytes
from vision_core.teaching.run import LearningRun
from vision_core.teaching.taught import load_taught
from vision_core.teaching.transfer import student, whole_network

PHOTO = "assets/samples/cat.png"
NAMES = ("ant", "bee", "cat")


@pytest.fixture
def weights(tmp_path):
    torch.manual_seed(3)
    made = torchvision.models.resnet18(weights=None, num_classes=3)
    torch.save(made.state_dict(), tmp_path / "mine.pth")
    (tmp_path / "names.txt").write_text("\n".join(NAMES))
    return tmp_path / "mine.pth"


def test_class_names_from_a_file(weights, capsys) -> None:
    names = weights.with_name("names.txt")
    given = ["predict", PHOTO, "--model", "resnet18", "--weights", str(weights)]
    assert main([*given, "--labels", str(names), "--json", "-"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {one["label"] for one in told["classes"]} == set(NAMES)
    names.write_text("ant")
    assert main([*given, "--labels", str(names)]) == 2
    assert "1 class name came, and the network has 3 outputs" in capsys.readouterr().err
    names.write_bytes(b"\xff\xfe\xff")
    assert main([*given, "--labels", str(names)]) == 2
    assert "is no text in UTF-8" in capsys.readouterr().err
    assert main(["predict", PHOTO, "--labels", str(names)]) == 2
    assert "give --weights too" in capsys.readouterr().err


@pytest.fixture(scope="module")
def taught() -> LearningRun:
    run = LearningRun(digits(), LearningSettings())
    run.learn(3)
    return run


def test_a_small_network_reads_what_it_was_taught(taught, tmp_path, capsys) -> None:
    """A photo of a digit, written in ink, gets the answer of the network on its own picture."""
    file = tmp_path / "digits.safetensors"
    file.write_bytes(as_bytes(taught))
    model = load_taught(file, device="cpu")
    data = taught.data
    seen = data.validation[:40]
    taught.network.eval()
    with torch.inference_mode():
        expected = taught.network(torch.from_numpy(data.pictures[seen])).argmax(1)
        assert model.preset is not None
        photos = torch.from_numpy(data.pixels[seen]).permute(0, 3, 1, 2)
        got = model.module(torch.stack([model.preset(one) for one in photos])).argmax(1)
    assert torch.equal(got, expected) and model.labels == tuple("0123456789")
    assert main(["predict", PHOTO, "--weights", str(file), "--json", "-"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["model"] == "taught" and told["classes"][0]["label"] in "0123456789"


def test_a_transferred_network_keeps_its_classes_and_the_size_that_it_saw(tmp_path) -> None:
    from vision_core.models import load
    from vision_core.teaching.data import crops

    data = crops({name: samples.sample(name) for name in ("cat", "coffee")}, 96)
    model = load("resnet_s", device="cpu")
    run = student("all", model, data, LearningSettings())
    file = tmp_path / "two.safetensors"
    file.write_bytes(as_bytes(run, whole_network("all", run, model), "all"))
    made = load_taught(file, device="cpu")
    assert made.labels == data.classes
    photo = decode(open(PHOTO, "rb").read())
    x = torch.from_numpy(photo.pixels.transpose(2, 0, 1).copy())
    size = {"crop_size": 96, "resize_size": 96}
    plain = torchvision.transforms._presets.ImageClassification(**size, mean=(0,) * 3, std=(1,) * 3)
    run.network.eval()
    with torch.inference_mode():
        expected = run.network(plain(x)[None])
        assert torch.allclose(made.module(made.preset(x)[None]), expected, atol=1e-4)


def test_a_file_that_was_changed_is_one_sentence(taught, tmp_path, capsys) -> None:
    data = as_bytes(taught)
    (tmp_path / "odd.safetensors").write_bytes(data.replace(b'\\"width\\": 8', b'\\"width\\": 4'))
    assert b'\\"width\\": 8' in data
    assert main(["predict", PHOTO, "--weights", str(tmp_path / "odd.safetensors")]) == 2
    told = capsys.readouterr().err
    assert "was changed since it was kept" in told and told.count("\n") == 1
