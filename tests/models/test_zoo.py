"""The bundled networks: sizes, shapes, cards, and what they say about a free sample photo."""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path

import pytest
import torch
from torchvision.models.detection import FCOS

from vision_core import samples
from vision_core.evaluation.score import load
from vision_core.models import zoo
from vision_core.models.cards import ASSETS
from vision_core.models.zoo import fcn_voc_s, fcos_s, streets
from vision_core.models.zoo.everyday import LABELS
from vision_core.models.zoo.pose_regression_s import SpatialSoftmax
from vision_core.models.zoo.trunk import Trunk

ROOT = Path(__file__).resolve().parents[2]
BUDGETS = {
    "alexnet_s": 1.5e6,
    "vgg_s": 1.5e6,
    "resnet_s": 4.5e6,
    "fcos_s": 4.5e6,
    "faster_rcnn_s": 5.5e6,
    "mask_rcnn_s": 5.5e6,
    "yolo_s": 4.5e6,
    "fcn_voc_s": 4.0e6,
    "fcn_s": 2.0e6,
    "fcn_deconv_s": 2.0e6,
    "segnet_s": 2.0e6,
    "pose_heatmap_s": 2.5e6,
    "pose_regression_s": 2.5e6,
}
DETECTORS = ("fcos_s", "faster_rcnn_s", "mask_rcnn_s", "yolo_s")
BUNDLED = [name for name in zoo.NAMES if (ASSETS / f"{name}.json").exists()]
ODD_SIZES = [(1, 1), (33, 65), (10, 333), (127, 64)]
CARD_KEYS = {
    "name",
    "title",
    "task",
    "family",
    "labels",
    "architecture",
    "parameters",
    "bytes",
    "sha256",
    "data",
    "training",
    "scores",
    "speed_ms_640x480",
    "paper",
    "licence",
    "input",
    "limits",
    "history",
}


def call(name: str, network: torch.nn.Module, picture: torch.Tensor) -> torch.Tensor:
    """Run any of the networks; the detector's scores stand for its answer."""
    with torch.inference_mode():
        if name in DETECTORS:
            return network([picture[0]])[0]["scores"]
        out = network(picture)
    return out["out"] if isinstance(out, dict) else out


@pytest.mark.parametrize("name", zoo.NAMES)
def test_budget(name: str) -> None:
    count = sum(p.numel() for p in zoo.build(name).parameters())
    assert count <= BUDGETS[name]


def test_all_together_fit_the_budget() -> None:
    """30 million numbers and 60 MB in float16; what several networks share counts once."""
    largest = {"rcnn_s": "mask_rcnn_s"}
    files = {zoo.stem(name) for name in zoo.NAMES}
    modules = [
        streets.Streets() if stem == "streets_s" else zoo.build(largest.get(stem, stem))
        for stem in files
    ]
    assert sum(p.numel() for module in modules for p in module.parameters()) <= 30e6
    assert sum(file.stat().st_size for file in ASSETS.glob("*.safetensors")) <= 60e6
    assert {file.stem for file in ASSETS.glob("*.safetensors")} <= files


def test_documented_scores_are_the_cards() -> None:
    """Each row of the table in docs/zoo.md says what the card's first score says."""
    rows = (ROOT / "docs" / "zoo.md").read_text("utf-8").splitlines()
    for name in BUNDLED:
        card = json.loads((ASSETS / f"{name}.json").read_text("utf-8"))
        row = next(row for row in rows if row.startswith(f"| `{name}` |"))
        assert f"**{card['scores'][0]['value']:.3f}**" in row, name
        assert f"{card['speed_ms_640x480']:.0f} ms" in row, name
        assert card["speed_ms_640x480"] <= 150


def test_unknown_name() -> None:
    with pytest.raises(KeyError):
        zoo.build("nothing")


@pytest.mark.parametrize("name", zoo.NAMES)
@pytest.mark.parametrize(("height", "width"), ODD_SIZES)
def test_odd_sizes_are_finite(name: str, height: int, width: int) -> None:
    torch.manual_seed(0)
    network = zoo.build(name).eval()
    assert torch.isfinite(call(name, network, torch.rand(1, 3, height, width))).all()


def test_shapes() -> None:
    picture = torch.rand(2, 3, 96, 72)
    with torch.inference_mode():
        assert zoo.build("resnet_s").eval()(picture).shape == (2, len(LABELS))
        out = zoo.build("fcn_voc_s").eval()(picture)["out"]
        assert out.shape == (2, len(fcn_voc_s.LABELS), 96, 72)
        assert zoo.build("pose_heatmap_s").eval()(picture).shape == (2, 14, 24, 18)
        for name in streets.DECODERS:
            out = zoo.build(name).eval()(picture)["out"]
            assert out.shape == (2, len(streets.LABELS), 96, 72)
        for name in zoo.CLASSIFIERS:
            assert zoo.build(name).eval()(picture).shape == (2, len(LABELS))
        assert zoo.build("pose_regression_s").eval()(picture).shape == (2, 14, 2)
        strides = [96 // m.shape[2] for m in Trunk()(picture)]
    assert strides == [4, 8, 16, 32]


def test_the_points_of_a_spatial_softmax_are_means_over_the_cells() -> None:
    maps = torch.randn(2, 3, 5, 7, dtype=torch.float64)
    points = SpatialSoftmax()(maps)
    for photo in range(2):
        for channel in range(3):
            cells = maps[photo, channel].tolist()
            total = sum(math.exp(v) for row in cells for v in row)
            x = y = value = 0.0
            for i, row in enumerate(cells):
                for j, v in enumerate(row):
                    share = math.exp(v) / total
                    x, y = x + share * (j + 0.5) / 7, y + share * (i + 0.5) / 5
                    value += share * v
            assert points[photo, channel::3].tolist() == pytest.approx([x, y, value])


def test_detector_is_torchvisions() -> None:
    network = zoo.build("fcos_s")
    assert isinstance(network, FCOS)
    assert len(network.anchor_generator.sizes) == len(fcos_s.STRIDES)


@pytest.mark.parametrize("name", zoo.NAMES)
def test_activations_are_relu(name: str) -> None:
    """Guided backpropagation needs ReLU modules and no other non-linearity."""
    kinds = {type(m).__name__ for m in zoo.build(name).modules()}
    assert "ReLU" in kinds
    assert not kinds & {"SiLU", "GELU", "Hardswish", "LeakyReLU", "ELU", "ReLU6"}


@pytest.mark.parametrize("name", BUNDLED)
def test_card_belongs_to_weights(name: str) -> None:
    card = json.loads((ASSETS / f"{name}.json").read_text("utf-8"))
    content = (ASSETS / f"{zoo.stem(name)}.safetensors").read_bytes()
    assert CARD_KEYS <= card.keys()
    assert card["name"] == name
    assert card["sha256"] == hashlib.sha256(content).hexdigest()
    assert card["bytes"] == len(content)
    assert card["parameters"] == sum(p.numel() for p in zoo.build(name).parameters())


@pytest.mark.parametrize("name", BUNDLED)
def test_weights_fit_and_are_finite(name: str) -> None:
    network = load(name, ASSETS / f"{zoo.stem(name)}.safetensors")
    assert all(torch.isfinite(value).all() for value in network.state_dict().values())


def cat_photo() -> torch.Tensor:
    return torch.tensor(samples.sample("cat").pixels).permute(2, 0, 1)


def test_classifier_says_cat() -> None:
    preset = zoo.preprocessing("resnet_s")
    assert preset is not None
    network = load("resnet_s", ASSETS / "resnet_s.safetensors")
    logits = call("resnet_s", network, preset(cat_photo())[None])
    assert LABELS[int(logits[0].argmax())] == "cat"


def test_detector_says_cat() -> None:
    network = load("fcos_s", ASSETS / "fcos_s.safetensors")
    with torch.inference_mode():
        found = network([cat_photo() / 255])[0]
    assert fcos_s.LABELS[int(found["labels"][0])] == "cat"
    assert found["scores"][0] > 0.4
    x1, y1, x2, y2 = found["boxes"][0].tolist()
    assert x1 < 190 < 280 < x2 and y1 < 60 < 250 < y2  # the face fills this part


def test_segmenter_paints_cat() -> None:
    preset = zoo.preprocessing("fcn_voc_s")
    assert preset is not None
    network = load("fcn_voc_s", ASSETS / "fcn_voc_s.safetensors")
    classes = call("fcn_voc_s", network, preset(cat_photo())[None])[0].argmax(0)
    counts = torch.bincount(classes.flatten(), minlength=len(fcn_voc_s.LABELS))
    assert fcn_voc_s.LABELS[int(counts[1:].argmax()) + 1] == "cat"
    assert counts[1] > 0.2 * counts.sum()
