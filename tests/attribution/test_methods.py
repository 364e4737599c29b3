"""Methods against Captum, closed forms and their own limits."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import torchvision
from captum.attr import IntegratedGradients, LayerGradCam, Occlusion
from torch import nn

from tests.attribution.nets import Modules, fixed, question_of
from vision_core import methods
from vision_core.attribution import explain, explained, gradients
from vision_core.attribution.cam import default_layer, gradcam, map_layers
from vision_core.attribution.occlusion import corners_of, sweep
from vision_core.attribution.sanity import similarity
from vision_core.errors import UserError
from vision_core.methods.baselines import BASELINES
from vision_core.samples import sample


@pytest.fixture(scope="module")
def resnet() -> nn.Module:
    torch.manual_seed(0)
    return torchvision.models.resnet18(weights=None).eval()


def test_what_a_layer_puts_out_is_recorded_before_the_relu_in_place() -> None:
    torch.manual_seed(0)
    net = torchvision.models.vgg11(weights=None).eval()
    x = fixed(64, 64)
    with torch.no_grad():
        _, kept = question_of(net, x).run(x, ("features.0",))
        expected = net.features[0](x)
    assert torch.equal(kept["features.0"][0], expected) and expected.min() < 0


def test_a_module_that_runs_twice_is_recorded_twice() -> None:
    net, x = Modules().eval(), fixed()
    with torch.no_grad():
        _, kept = question_of(net, x).run(x, ("act",))
        first = net.one(x).relu()
        second = net.two(first).relu()
    assert [torch.equal(a, b) for a, b in zip(kept["act"], (first, second), strict=True)] == [
        True,
        True,
    ]
    cam = gradcam(question_of(net, x), ["act"])["act"]
    assert cam.shape[1:] == first.shape[2:], "of its first run"


def test_nothing_of_the_callers_is_touched_or_shared() -> None:
    x = fixed()
    question, copy = question_of(Modules(), x), x.clone()
    first = explain(question, "gradient")
    kept = first.values.copy()
    second = explain(question, "gradient")
    assert torch.equal(x, copy) and x.grad is None and not x.requires_grad
    assert (first.values == kept).all() and (second.values == kept).all()
    assert not np.shares_memory(first.values, second.values)
    with pytest.raises(ValueError, match="read-only"):
        first.values[0] = 1


def test_within_inference_mode_and_for_inference_tensors() -> None:
    net = Modules()
    expected = explain(question_of(net, fixed()), "guided_backprop").values
    with torch.inference_mode():
        x = fixed()
        got = explain(question_of(net, x), "guided_backprop").values
        cam = explain(question_of(net, x), "guided_gradcam", layers=("two",)).values
    assert x.is_inference() and (got == expected).all() and abs(cam).sum() > 0


def test_a_saturated_softmax_does_not_blank_the_map() -> None:
    net = Modules()
    with torch.no_grad():
        net.fc.weight.mul_(1e5)
    x = fixed()
    logits = net(x)
    probability = logits.softmax(1).max()
    best = int(logits.argmax())
    assert probability == 1.0
    result = explain(question_of(net, x, best), "gradient")
    assert abs(result.values).max() > 1
    assert result.score == pytest.approx(float(logits[0, best]))


def test_guided_backprop_hardly_depends_on_the_weights_and_the_gradient_does() -> None:
    photo = torch.from_numpy(sample("cat").pixels[:192, :192].copy()).permute(2, 0, 1)[None] / 255
    picture = (photo[:, :, ::2, ::2] - 0.45) / 0.225
    maps: dict[str, list[np.ndarray]] = {"gradient": [], "guided_backprop": []}
    for seed in (0, 1):
        torch.manual_seed(seed)
        net = torchvision.models.vgg11(weights=None).eval()
        for method, found in maps.items():
            found.append(explain(question_of(net, picture), method).values)
    rho = {m: similarity(*found).absolute for m, found in maps.items()}
    assert rho["gradient"] < 0.5 < rho["guided_backprop"]


def test_nothing_is_scaled_and_an_empty_map_says_so() -> None:
    net, x = Modules().double(), fixed(dtype=torch.float64)
    once = explain(question_of(net, x), "gradient")
    with torch.no_grad():
        net.fc.weight.mul_(2)
        net.fc.bias.mul_(2)
    twice = explain(question_of(net, x), "gradient")
    np.testing.assert_allclose(twice.values, 2 * once.values, rtol=1e-5)
    assert (once.values > 0).any() and (once.values < 0).any() and not once.empty
    with torch.no_grad():
        net.fc.weight.zero_()
    nothing = explain(question_of(net, x), "gradient")
    assert nothing.empty and (nothing.values == 0).all()


def test_signs_are_kept_and_smoothgrad_without_noise_is_the_gradient() -> None:
    question = question_of(Modules(), fixed())
    plain = explain(question, "gradient")
    assert plain.values.min() < 0 < plain.values.max()
    one = explain(question, "smoothgrad", samples=1, level=0.0)
    np.testing.assert_allclose(one.values, plain.values, atol=1e-7)
    absolute = explain(question, "gradient_abs").values
    np.testing.assert_allclose(absolute, abs(plain.values).max(2), atol=1e-7)


def test_the_noise_has_the_spread_that_is_asked_for(monkeypatch) -> None:
    question, seen = question_of(Modules(), fixed(64, 64)), []
    monkeypatch.setattr(
        type(question), "gradients", lambda self, x, rule: seen.append(x) or (x[:, 0, 0, 0], x)
    )
    for _ in gradients.smoothgrad(question, samples=32, level=0.2):
        pass
    noise = torch.cat(seen) - question.input
    span = float(question.input.max() - question.input.min())
    assert float(noise.std()) == pytest.approx(0.2 * span, rel=0.01)
    assert len(torch.cat(seen)) == 32 and abs(float(noise.mean())) < 0.01 * span


def test_smoothgrad_repeats_with_its_seed_and_comes_in_parts() -> None:
    question = question_of(Modules(), fixed())
    runs = [
        list(explained(question, "smoothgrad", samples=20, level=0.2, seed=s)) for s in (1, 1, 2)
    ]
    assert [a.done for a in runs[0]] == [8, 16, 20]
    assert (runs[0][-1].values == runs[1][-1].values).all()
    assert not (runs[0][-1].values == runs[2][-1].values).all()


@pytest.mark.parametrize("baseline", BASELINES)
def test_integrated_gradients_are_complete(baseline) -> None:
    net = Modules().double()
    question = question_of(net, fixed(dtype=torch.float64), 2)
    start = gradients.baseline_of(question, baseline)
    with torch.no_grad():
        rise = float(net(question.input)[0, 2] - net(start)[0, 2])
    gaps = []
    for steps in (4, 256):
        result = explain(question, "integrated_gradients", steps=steps, baseline=baseline)
        assert result.gap == pytest.approx(float(result.values.sum()) - rise, abs=1e-5)
        gaps.append(abs(result.gap))
    assert gaps[1] < 1e-3 * abs(result.score) and gaps[1] < gaps[0]


def test_integrated_gradients_equal_captum() -> None:
    net, x = Modules().double().eval(), fixed(dtype=torch.float64)
    question = question_of(net, x, 2)
    expected = IntegratedGradients(net).attribute(x, torch.zeros_like(x), target=2, n_steps=20)
    *_, last = gradients.integrated_gradients(question, 20, "mean")
    torch.testing.assert_close(last.values, expected[0], rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("relu", [True, False])
def test_gradcam_equals_captum_at_several_layers_in_one_pass(resnet, relu) -> None:
    x, names = fixed(64, 96), ("layer1", "layer2.0.conv1", "layer3", "layer4")
    ours = gradcam(question_of(resnet, x, 7), names, relu)
    for name, cam in ours.items():
        layer = resnet.get_submodule(name)
        expected = LayerGradCam(resnet, layer).attribute(x, target=7, relu_attributions=relu)
        torch.testing.assert_close(cam, expected[0].detach(), rtol=1e-4, atol=1e-7)
    assert relu == all(bool((cam >= 0).all()) for cam in ours.values())


def test_gradcam_of_a_network_that_can_be_worked_out_by_hand() -> None:
    net = nn.Sequential(
        nn.Conv2d(3, 1, 1, bias=False),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(1, 1, bias=False),
    )
    with torch.no_grad():
        net[0].weight[:] = 1 / 3
        net[3].weight[:] = -2.0
    x = fixed(4, 6)
    grey = x.mean(1)  # what the convolution puts out; its gradient is -2 / 24 everywhere
    question = question_of(net, x)
    torch.testing.assert_close(gradcam(question, ["0"], False)["0"], -2 / 24 * grey)
    torch.testing.assert_close(gradcam(question, ["0"])["0"], (-2 / 24 * grey).clamp(min=0))


def test_gradcam_says_which_layers_there_are(resnet) -> None:
    question = question_of(resnet, fixed(64, 64))
    names = map_layers(question)
    assert {"conv1", "layer1", "layer4.1.conv2"} <= set(names)
    assert "fc" not in names and "avgpool" not in names
    assert default_layer(question) == "layer4"
    for layer, words in [("fc", "without places"), ("nowhere", "no layer")]:
        with pytest.raises(UserError, match=words):
            gradcam(question, [layer])


def test_occlusion_equals_captum_and_holds_every_class() -> None:
    net, x = Modules().double().eval(), fixed(20, 24, dtype=torch.float64)
    question = question_of(net, x, 1)
    *_, last = sweep(question, patch=4, stride=2)
    for index, label in enumerate(question.labels):
        expected = Occlusion(net).attribute(
            x, (3, 4, 4), strides=(3, 2, 2), target=index, baselines=0
        )[0, :1]
        np.testing.assert_allclose(last.values(label), expected, atol=1e-6)
    got = explain(question, "occlusion", patch=4, stride=2).values
    np.testing.assert_allclose(got, last.values("class 1")[0], atol=1e-6)


def test_occlusion_covers_every_pixel() -> None:
    for height, width, patch, stride in [(10, 10, 4, 3), (7, 13, 7, 1), (9, 8, 3, 3), (5, 5, 5, 5)]:
        seen = torch.zeros(height, width)
        for top, left in corners_of(height, width, patch, stride).tolist():
            assert top + patch <= height and left + patch <= width
            seen[top : top + patch, left : left + patch] += 1
        assert (seen > 0).all()


@pytest.mark.parametrize("method", methods.names())
def test_every_method_gives_a_signed_map_of_the_right_shape(method) -> None:
    settings = {"patch": 6, "stride": 3} if method == "occlusion" else {}
    if methods.method(method).layered:
        settings = {"layers": ("one",)}
    result = explain(question_of(Modules(), fixed(20, 24)), method, **settings)
    cam = method.endswith("cam") and method != "guided_gradcam"
    flat = cam or method in ("gradient_abs", "layer_conductance", "occlusion")
    assert result.values.shape == ((20, 24) if flat else (20, 24, 3))
    assert result.values.dtype == np.float32 and math.isfinite(result.score)
    assert result.signed.shape == (20, 24) and result.done == result.total
    one_sided = cam or method == "gradient_abs"
    assert (result.values.min() < 0) != one_sided


@pytest.mark.parametrize(
    ("method", "settings", "words"),
    [
        ("saliency", {}, "no method"),
        ("gradient", {"steps": 3}, "takes none"),
        ("smoothgrad", {"samples": 0}, "1 sample"),
        ("smoothgrad", {"level": -1}, "noise level"),
        ("smoothgrad", {"steps": 4}, "samples, level, seed"),
        ("integrated_gradients", {"steps": 1}, "2 steps"),
        ("integrated_gradients", {"baseline": "pink"}, "no baseline"),
        ("occlusion", {"patch": 400}, "1 to 20 pixels"),
        ("occlusion", {"patch": 4, "stride": 5}, "stride"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(method, settings, words) -> None:
    with pytest.raises(UserError, match=words):
        explain(question_of(Modules(), fixed(20, 24)), method, **settings)


def test_methods_of_one_rule_share_one_pass() -> None:
    question, runs = question_of(Modules(), fixed()), []
    question.module.register_forward_hook(lambda *_: runs.append(1))
    for method in ("gradient", "gradient_abs", "input_x_gradient", "gradient"):
        explain(question, method)
    assert len(runs) == 1
    explain(question, "guided_backprop")
    assert len(runs) == 2, "a pass of its own, which counts the ReLUs as well"
