"""Captum's methods through our door against Captum called by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torchvision
from captum.attr import DeepLift, LayerConductance
from torch import Tensor, nn

from tests.attribution.nets import Functions, Modules, fixed, question_of, state_of
from vision_core import models
from vision_core.attribution import ask, default_target, explain, explained
from vision_core.errors import UserError
from vision_core.inference import trace
from vision_core.samples import sample

pytestmark = pytest.mark.filterwarnings("ignore:Setting forward", "ignore:Input Tensor")


class Unrolled(Modules):
    """``Modules`` with a ReLU of its own at each place, as Captum asks for."""

    def __init__(self) -> None:
        super().__init__(inplace=False)
        self.second = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        x = self.second(self.two(self.act(self.one(x))))
        return self.fc(x.mean((2, 3)))


class Positions(Modules):
    """Max pooling, by hand without and in our network with its positions."""

    def __init__(self, told: bool) -> None:
        super().__init__(inplace=False)
        self.pool, self.told = nn.MaxPool2d(2, return_indices=told), told

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(self.act(self.one(x)))
        return self.fc(self.two(x[0] if self.told else x).mean((2, 3)))


def black(x: Tensor) -> Tensor:
    return torch.zeros_like(x)


@pytest.mark.parametrize(
    ("ours", "by_hand"),
    [(Modules(), Unrolled()), (Positions(True), Positions(False))],
    ids=["a ReLU that runs twice, in place", "pooling that tells positions"],
)
def test_deep_lift_is_captums(ours, by_hand) -> None:
    x = fixed()
    before = state_of(ours)
    got = explain(question_of(ours, x, 2), "deep_lift")
    expected, delta = DeepLift(by_hand).attribute(
        x.clone(), black(x), target=2, return_convergence_delta=True
    )
    np.testing.assert_allclose(got.values, expected[0].permute(1, 2, 0).detach(), atol=1e-6)
    assert got.gap == pytest.approx(float(delta), abs=1e-5) and abs(got.values).sum() > 1e-3
    after = state_of(ours)
    assert before["modules"] == after["modules"] and before["grads"] == after["grads"]
    assert all(torch.equal(a, b) for a, b in zip(before["values"], after["values"], strict=True))


def test_deep_lift_of_torchvisions_alexnet() -> None:
    torch.manual_seed(0)
    net, x = torchvision.models.alexnet(weights=None).eval(), fixed(64, 64)
    got = explain(question_of(net, x, 3), "deep_lift", baseline="white")
    for module in net.modules():
        if isinstance(module, nn.ReLU):
            module.inplace = False
    expected = DeepLift(net).attribute(x.clone(), torch.ones_like(x), target=3)
    np.testing.assert_allclose(got.values, expected[0].permute(1, 2, 0).detach(), atol=1e-7)


def test_conductance_is_captums() -> None:
    net, x = Unrolled(), fixed()
    before = state_of(net)
    got = list(explained(question_of(net, x, 1), "layer_conductance", layers=("one", "two")))
    assert [a.settings["layer"] for a in got] == ["one", "two"]
    for answer, layer in zip(got, (net.one, net.two), strict=True):
        parts = LayerConductance(net, layer).attribute(x.clone(), black(x), target=1, n_steps=16)
        expected = question_of(net, x).on_photo(parts[0].sum(0, keepdim=True).detach())
        np.testing.assert_allclose(answer.values, expected, atol=1e-6)
        assert abs(expected).sum() > 1e-3
    assert state_of(net)["modules"] == before["modules"]


def test_conductance_of_a_whole_layer_is_the_rise_of_the_score() -> None:
    net, x = Unrolled(), fixed()
    (got,) = explained(question_of(net, x), "layer_conductance", layers=("one",), steps=256)
    with torch.no_grad():
        rise = float((net(x) - net(black(x)))[0, 0])
    parts = LayerConductance(net, net.one).attribute(x.clone(), black(x), target=0, n_steps=256)
    assert float(got.signed.sum()) == pytest.approx(float(parts.detach().sum()), abs=1e-4)
    assert float(parts.detach().sum()) == pytest.approx(rise, rel=0.05)


@pytest.mark.parametrize(
    ("net", "method", "settings", "words"),
    [
        (Functions(), "deep_lift", {}, "2 ReLU called as a function"),
        (
            nn.Sequential(nn.Conv2d(3, 2, 8), nn.SiLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()),
            "deep_lift",
            {},
            "1 SiLU",
        ),
        (Modules(), "layer_conductance", {"layers": ("act",)}, "runs 2 times"),
        (Modules(), "layer_conductance", {"layers": ("two",), "steps": 1}, "2 steps or more"),
        (Modules(), "layer_conductance", {"layers": ("three",)}, "no layer 'three'"),
    ],
)
def test_where_they_mean_nothing_a_sentence_says_so(net, method, settings, words) -> None:
    with pytest.raises(UserError, match=words):
        explain(question_of(net, fixed()), method, **settings)


def test_what_has_no_rule_is_told() -> None:
    (note,) = explain(question_of(nn.Sequential(Modules(), nn.SiLU()), fixed()), "deep_lift").notes
    assert note == "The rule acts on 2 ReLU modules; 1 SiLU keep their own gradient."


@pytest.mark.parametrize("name", ["resnet_s", "vgg_s", "fcos_s", "mask_rcnn_s", "segnet_s"])
@pytest.mark.parametrize("method", ["deep_lift", "layer_conductance"])
def test_bundled_networks_stay_as_they_are(name, method) -> None:
    photo, model = sample("cat"), models.load(name)
    before = state_of(model.module)
    found = trace(model, photo)
    answer = explain(ask(model, photo, found, default_target(found)), method)
    assert np.isfinite(answer.values).all() and abs(answer.values).max() > 0
    after = state_of(model.module)
    assert before["modules"] == after["modules"] and before["grads"] == after["grads"]
