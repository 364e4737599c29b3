"""LayerCAM and Score-CAM against slow versions written from their papers."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from captum.attr import LayerGradientXActivation
from torch import Tensor, nn
from torch.nn import functional as F

from tests.attribution.nets import Modules, fixed, question_of, same_state, state_of
from vision_core import models
from vision_core.attribution import ask, default_target, every_map, explain, in_steps
from vision_core.cli import main
from vision_core.errors import UserError
from vision_core.inference import trace
from vision_core.samples import sample


def by_places(net: nn.Module, layer: nn.Module, x: Tensor, index: int, relu: bool) -> Tensor:
    """LayerCAM (Jiang et al. 2021, equations 5 to 7), place by place and channel by channel."""
    kept: list[Tensor] = []
    hook = layer.register_forward_hook(lambda _m, _i, out: kept.append(out) or out.clone())
    score = net(x)[0, index]
    hook.remove()
    (grad,) = torch.autograd.grad(score, kept[0])
    channels, height, width = kept[0].shape[1:]
    out = torch.zeros(1, height, width)
    for i in range(height):
        for j in range(width):
            for k in range(channels):
                weight = max(float(grad[0, k, i, j]), 0.0)
                out[0, i, j] += weight * float(kept[0][0, k, i, j].detach())
    return out.clamp(min=0) if relu else out


@pytest.mark.parametrize("relu", [True, False])
@pytest.mark.parametrize("layer", ["one", "two"])
def test_layercam_is_the_papers(layer, relu) -> None:
    net, x = Modules(inplace=False), fixed()
    question = question_of(net, x, 2)
    (got,) = every_map(question, "layercam", layers=(layer,), relu=relu)
    expected = question.on_photo(by_places(net, getattr(net, layer), x, 2, relu))
    np.testing.assert_allclose(got.values, expected, atol=1e-6)
    assert np.abs(expected).max() > 1e-3


def test_without_its_clipping_layercam_would_be_gradient_times_activation() -> None:
    """Where no gradient is negative, Captum's layer method summed over channels is the same."""
    net, x = Modules(inplace=False), fixed()
    with torch.no_grad():
        for weights in (net.two.weight, net.fc.weight):
            weights.abs_()
    question = question_of(net, x, 1)
    parts = LayerGradientXActivation(net, net.one).attribute(x.clone(), target=1)
    expected = question.on_photo(parts.detach().sum(1))
    (got,) = every_map(question, "layercam", layers=("one",), relu=False)
    np.testing.assert_allclose(got.values, expected, atol=1e-6)


def channel_by_channel(net: nn.Module, maps: Tensor, x: Tensor, index: int) -> Tensor:
    """Score-CAM (Wang et al. 2020, algorithm 1), one masked photo at a time.

    Args:
        maps: ``[C, h, w]``.
    """
    with torch.no_grad():
        empty = float(net(torch.zeros_like(x))[0, index])
        scores, used = [], []
        for channel in maps:
            if float(channel.max()) == float(channel.min()):
                continue
            large = F.interpolate(
                channel[None, None], size=x.shape[-2:], mode="bilinear", align_corners=False
            )
            mask = (large - large.min()) / (large.max() - large.min())
            scores.append(float(net(x * mask)[0, index]) - empty)
            used.append(channel)
        total = sum(np.exp(s) for s in scores)
        parts = [np.exp(s) / total * c for s, c in zip(scores, used, strict=True)]
    return torch.stack(parts).sum(0).clamp(min=0)[None]


@pytest.mark.parametrize("dead", [False, True])
def test_scorecam_is_the_papers(dead) -> None:
    net, x = Modules(inplace=False), fixed()
    if dead:  # a channel that is 0 everywhere
        with torch.no_grad():
            net.two.weight[3] = 0
            net.two.bias[3] = -1
    maps = net.act(net.two(net.act(net.one(x))))[0].detach()
    layer = "act" if not dead else "two"
    maps = net.act(net.one(x))[0].detach() if layer == "act" else net.two(net.act(net.one(x)))[0]
    question = question_of(net, x, 2)
    got = explain(question, "scorecam", layers=(layer,))
    expected = channel_by_channel(net, maps.detach(), x, 2)
    np.testing.assert_allclose(got.values, question.on_photo(expected.float()), atol=1e-6)
    assert got.settings["layer"] == layer and got.total == len(maps) - dead


def test_its_cost_is_told_first_and_its_steps_get_better() -> None:
    photo, model = sample("cat"), models.load("resnet_s")
    before = state_of(model.module)
    found = trace(model, photo)
    question = ask(model, photo, found, default_target(found))
    steps = list(in_steps(question, "scorecam"))
    assert steps[0].draw is None and steps[0].done == 0
    assert [s.total for s in steps] == [steps[0].total] * len(steps)
    assert [s.done for s in steps] == sorted(s.done for s in steps)
    assert steps[-1].done == steps[-1].total > 200
    last = steps[-1].draw()
    assert last.values.min() >= 0 and last.values.max() > 0
    assert same_state(before, state_of(model.module))


def test_several_layers_are_asked_one_by_one(tmp_path) -> None:
    net, x = Modules(inplace=False), fixed()
    got = every_map(question_of(net, x), "scorecam", layers=("one", "two"))
    assert [a.settings["layer"] for a in got] == ["one", "two"] and all(
        a.done == a.total for a in got
    )
    with pytest.raises(UserError, match="one layer at a time"):
        explain(question_of(net, x), "scorecam", layers=("one", "two"))


def test_a_layer_that_is_the_same_everywhere_is_refused() -> None:
    net = nn.Sequential(
        nn.Conv2d(3, 2, 3), nn.Conv2d(2, 2, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten()
    )
    with torch.no_grad():
        net[0].weight.zero_()
    with pytest.raises(UserError, match="Every channel of the layer 0 is the same everywhere"):
        explain(question_of(net, fixed()), "scorecam", layers=("0",))


@pytest.mark.parametrize("name", ["fcos_s", "faster_rcnn_s", "fcn_voc_s", "vgg_s"])
@pytest.mark.parametrize("method", ["layercam", "lrp"])
def test_the_bundled_networks_are_explained(name, method) -> None:
    photo, model = sample("cat"), models.load(name)
    before = state_of(model.module)
    found = trace(model, photo)
    answer = explain(ask(model, photo, found, default_target(found)), method)
    assert np.isfinite(answer.values).all() and np.abs(answer.values).max() > 0
    assert same_state(before, state_of(model.module))


def test_the_command_line_takes_the_settings(tmp_path, capsys) -> None:
    from PIL import Image

    path = tmp_path / "cat.png"
    Image.fromarray(sample("cat").pixels).save(path)
    words = ["explain", str(path), "--model", "alexnet_s", "--method", "lrp", "--json", "-"]
    assert main([*words, "--lrp-rule", "zplus", "--lrp-gamma", "0.5"]) == 0
    assert '"lrp_rule": "zplus"' in capsys.readouterr().out
    assert main([*words, "--lrp-rule", "best"]) == 2
    assert "choose one of composite, epsilon, gamma, zplus" in capsys.readouterr().err
