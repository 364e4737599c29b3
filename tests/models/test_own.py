"""A network of one's own: it predicts what torchvision's does, and what does not fit is listed."""

from __future__ import annotations

import zipfile

import numpy as np
import pytest
import torch
import torchvision
from safetensors.torch import save_file

from vision_core import samples
from vision_core.errors import UserError
from vision_core.inference import predict, trace
from vision_core.models import build, card
from vision_core.models.anatomy import anatomy
from vision_core.models.checkpoints import DoesNotFit, read, without_prefix
from vision_core.models.class_names import BACKGROUND, named, read_names
from vision_core.models.loading import untrained
from vision_core.models.own import own_network
from vision_core.models.own_file import guess, metadata, own_name, own_title

SEVEN = ("ant", "bee", "cat", "dog", "eel", "fly", "gnu")


@pytest.fixture
def resnet() -> torch.nn.Module:
    torch.manual_seed(3)
    return torchvision.models.resnet18(weights=None, num_classes=7).eval()


def test_a_classifier_with_seven_classes_predicts_as_torchvision_does(tmp_path, resnet) -> None:
    file = tmp_path / "mine.safetensors"
    save_file(resnet.state_dict(), file)
    model = own_network(file, "resnet18", "my <b>ants</b>", SEVEN, "cpu")
    photo = samples.sample("cat")
    preset = torchvision.models.ResNet18_Weights.DEFAULT.transforms()
    with torch.inference_mode():
        x = preset(torch.from_numpy(photo.pixels.transpose(2, 0, 1).copy()))
        expected = resnet(x[None])[0].softmax(0)
    made = trace(model, photo)
    assert np.allclose(made.probabilities, expected.numpy(), atol=1e-6)
    assert made.top(1)[0][0] == SEVEN[int(expected.argmax())]
    assert model.card.title == "yours: my b ants b" and model.card.own
    assert model.card.parameters == sum(p.numel() for p in resnet.parameters())
    assert anatomy(model.card).layers[-1].text == "512 to 7"
    assert own_network(file, "resnet18", "x", SEVEN, "cpu").fingerprint != model.fingerprint


def test_a_detector_predicts_as_torchvision_does(tmp_path) -> None:
    torch.manual_seed(1)
    other = torchvision.models.detection.fasterrcnn_mobilenet_v3_large_320_fpn(
        weights=None, weights_backbone=None, num_classes=4, box_score_thresh=0.0
    ).eval()
    torch.save({"state_dict": other.state_dict()}, tmp_path / "boxes.pth")
    name = "fasterrcnn_mobilenet_v3_large_320_fpn"
    model = own_network(tmp_path / "boxes.pth", name, "boxes", ("a", "b", "c"), "cpu")
    assert model.labels == (BACKGROUND, "a", "b", "c")
    photo = samples.sample("cat")
    given = predict(trace(model, photo)).trace.defaults
    made = predict(trace(model, photo), given).selection.detections
    other.roi_heads.score_thresh = given.score
    with torch.inference_mode():
        expected = other([torchvision.transforms.functional.to_tensor(photo.pixels)])[0]
    assert len(made) == len(expected["boxes"]) > 0
    assert np.allclose(made.boxes, expected["boxes"].numpy(), atol=1e-2)
    assert list(made.labels) == [model.labels[i] for i in expected["labels"].tolist()]


@pytest.mark.parametrize("name", ["alexnet_s", "vgg_s", "resnet_s", "fcn_voc_s"])
def test_a_bundled_architecture_may_have_other_classes(name, tmp_path) -> None:
    made = build.build_bundled(name, 5, 3).eval()
    save_file(made.state_dict(), tmp_path / "own.safetensors")
    model = own_network(tmp_path / "own.safetensors", name, "mine", device="cpu")
    assert len(model.labels) == 3 and not model.card.bundled and model.card.scores == ()
    x = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        a, b = model.module(x), made(x)
    assert torch.equal(*((a, b) if torch.is_tensor(a) else (a["out"], b["out"])))
    twin = untrained(model.card, "cpu")
    assert twin.labels == model.labels and not twin.module.training


def test_half_precision_becomes_float32_and_wrappers_go(tmp_path, resnet) -> None:
    half = {
        f"module._orig_mod.{k}": v.half() if v.is_floating_point() else v
        for k, v in resnet.state_dict().items()
    }
    torch.save({"model": {**half, "n_averaged": torch.tensor(4)}}, tmp_path / "half.pth")
    model = own_network(tmp_path / "half.pth", "resnet18", "half", device="cpu")
    assert {p.dtype for p in model.module.parameters()} == {torch.float32}
    assert torch.equal(model.module.fc.weight, resnet.fc.weight.half().float())
    assert not any(m.training for m in model.module.modules())


def test_prefixes_inside_each_other() -> None:
    one = torch.zeros(1)
    assert list(
        without_prefix({"module._orig_mod.model.a": one, "module._orig_mod.model.b": one})
    ) == [
        "a",
        "b",
    ]
    assert list(without_prefix({"module.a": one, "b": one})) == ["module.a", "b"]


def test_the_wrong_architecture_lists_all_that_does_not_match(tmp_path, resnet) -> None:
    state = resnet.state_dict()
    torch.save(state, tmp_path / "mine.pth")
    with pytest.raises(DoesNotFit) as caught:
        own_network(tmp_path / "mine.pth", "resnet34", "x", device="cpu")
    deep = set(torchvision.models.resnet34(num_classes=7).state_dict())
    counters = {k for k in deep if k.endswith("num_batches_tracked")}
    assert set(caught.value.missing) == deep - set(state) - counters
    assert caught.value.unknown == [] and caught.value.shapes == []
    with pytest.raises(DoesNotFit) as caught:
        own_network(tmp_path / "mine.pth", "resnet50", "x", device="cpu")
    assert ("layer1.0.conv1.weight", "64x64x3x3", "64x64x1x1") in caught.value.shapes


def test_a_file_that_is_too_large_in_memory_is_refused_before_it_is_there(tmp_path, resnet) -> None:
    torch.save(resnet.state_dict(), tmp_path / "mine.pth")
    with pytest.raises(UserError, match=r"mine.pth holds 4\d MB of numbers, .* may take 20 MB"):
        own_network(tmp_path / "mine.pth", "resnet18", "x", device="cpu", most=20 * 2**20)
    # one number that claims to be a billion
    torch.save({"a": torch.zeros(1, dtype=torch.half).expand(10**9)}, tmp_path / "wide.pth")
    with pytest.raises(UserError, match="may take 100 MB"):
        read(tmp_path / "wide.pth", 100 * 2**20)
    with zipfile.ZipFile(tmp_path / "packed.pth", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("archive/data/0", bytes(30 * 2**20))
    with pytest.raises(UserError, match="may take 20 MB"):
        read(tmp_path / "packed.pth", 20 * 2**20)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("cat\n dog \n\n", ("cat", "dog")),
        ('["cat", "dog"]', ("cat", "dog")),
        ('{"1": "dog", "0": "cat"}', ("cat", "dog")),
        ('{"0": ["n1", "cat"], "1": ["n2", "dog"]}', ("cat", "dog")),
        ("\ufeffcat\r\ndog", ("cat", "dog")),
    ],
)
def test_class_names_of_several_forms(text, names) -> None:
    assert read_names(text) == names


@pytest.mark.parametrize("text", ["", " \n", "{", "[1, 2]", '{"0": "a", "2": "b"}', "x" * 101])
def test_class_names_that_are_none_are_one_sentence(text) -> None:
    with pytest.raises(UserError, match="class name"):
        read_names(text)


def test_another_number_of_names_is_told() -> None:
    with pytest.raises(UserError, match="2 class names came, and the network has 1000 outputs"):
        named(card("resnet18"), ("a", "b"))
    with pytest.raises(UserError, match="give 20, or 21 with that of the background first"):
        named(card("fcn_resnet50"), ("a",))
    assert named(card("fcn_resnet50"), [str(i) for i in range(21)]).labels[0] == "0"


def test_titles_names_and_guesses() -> None:
    assert own_title("  <i>*x*_y\n") == "i x y" and own_title("///") == "my network"
    assert own_name("My Net", "abcdef0123456789") == "own-my-net-abcdef0123"
    assert guess("run3-ResNet50-best.pth") is card("resnet50")
    assert guess("fasterrcnn_resnet50_fpn_v2_epoch.pth") is card("fasterrcnn_resnet50_fpn_v2")
    assert guess("weights.pth") is None


def test_metadata_of_odd_files_is_empty(tmp_path, resnet) -> None:
    for body in (b"", b"\x02\0\0\0\0\0\0\0[]", b"\x02\0\0\0\0\0\0\0{}", b"\xff" * 20, b"PK" * 40):
        (tmp_path / "odd").write_bytes(body)
        assert metadata(tmp_path / "odd") == {}
