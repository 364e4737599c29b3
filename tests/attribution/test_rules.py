"""The three backward rules of ReLUs against Captum, hand-written rules and each other."""

from __future__ import annotations

import threading
from collections import Counter

import pytest
import torch
import torchvision
from captum.attr import Deconvolution, GuidedBackprop, Saliency
from torch import nn
from torch.nn import functional as F

from tests.attribution.nets import (
    Functions,
    Modules,
    calibrated,
    fixed,
    question_of,
    same_state,
    state_of,
)
from vision_core.attribution import explain, relu_rule
from vision_core.attribution.rules import apply_rule, counted_activations
from vision_core.errors import UserError

RULES = ("plain", "deconvnet", "guided")
CAPTUM = {"guided": GuidedBackprop, "deconvnet": Deconvolution}


def gradient_under(rule: str, net, x: torch.Tensor, index: int = 0) -> torch.Tensor:
    x = x.clone().requires_grad_(True)
    with relu_rule(rule):
        out = net(x)
    return torch.autograd.grad(out[:, index].sum(), x)[0]


class Slow(torch.autograd.Function):
    """The rule written once more, with a loop over all values."""

    @staticmethod
    def forward(ctx, x, rule, top):
        ctx.save_for_backward(x)
        ctx.rule, ctx.top = rule, top
        return torch.where(x > 0, torch.minimum(x, torch.tensor(top, dtype=x.dtype)), 0 * x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        out = []
        for value, g in zip(x.flatten().tolist(), grad.flatten().tolist(), strict=True):
            passed, positive = 0 < value < ctx.top, g > 0
            keep = {"plain": passed, "deconvnet": positive, "guided": passed and positive}
            out.append(g if keep[ctx.rule] else 0.0)
        return grad.new_tensor(out).reshape(x.shape), None, None


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("plain", [0, 0, 3, -4]),
        ("deconvnet", [1, 0, 3, 0]),
        ("guided", [0, 0, 3, 0]),
    ],
)
def test_the_four_quadrants(rule, expected) -> None:
    x = torch.tensor([-1.0, -1.0, 2.0, 2.0], requires_grad=True)
    above = torch.tensor([1.0, -2.0, 3.0, -4.0])
    with relu_rule(rule):
        out = F.relu(x)
    assert torch.autograd.grad(out, x, above)[0].tolist() == expected
    assert apply_rule(above, x > 0, rule).tolist() == expected


def test_deconvnet_does_not_look_at_the_sign_of_the_input_and_guided_does() -> None:
    above = torch.tensor([5.0])
    seen = {}
    for rule in ("deconvnet", "guided"):
        for sign in (1.0, -1.0):
            x = torch.tensor([sign], requires_grad=True)
            with relu_rule(rule):
                out = torch.relu(x)
            seen[rule, sign] = torch.autograd.grad(out, x, above)[0].item()
    assert seen["deconvnet", 1.0] == seen["deconvnet", -1.0] == 5.0
    assert seen["guided", 1.0] == 5.0 and seen["guided", -1.0] == 0.0


CALLS = {
    "nn.ReLU": lambda x: nn.ReLU()(x),
    "nn.ReLU in place": lambda x: nn.ReLU(inplace=True)(x * 1),
    "F.relu": F.relu,
    "F.relu in place": lambda x: F.relu(x * 1, inplace=True),
    "F.relu in place, positional": lambda x: F.relu(x * 1, True),
    "torch.relu": torch.relu,
    "torch.relu_": lambda x: torch.relu_(x * 1),
    "Tensor.relu": lambda x: x.relu(),
    "Tensor.relu_": lambda x: (x * 1).relu_(),
    "F.relu6": F.relu6,
    "nn.ReLU6": lambda x: nn.ReLU6()(x),
    "nn.ReLU6 in place": lambda x: nn.ReLU6(inplace=True)(x * 1),
    "F.hardtanh": lambda x: F.hardtanh(x, 0.0, 6.0),
}


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", CALLS)
def test_every_way_to_call_a_relu(name, rule) -> None:
    x = torch.tensor([-3.0, -0.5, 0.0, 0.5, 5.9, 6.0, 7.0], dtype=torch.float64)
    above = torch.tensor([1.0, -2.0, 3.0, -4.0, 5.0, 6.0, -7.0], dtype=torch.float64)
    top = 6.0 if "6" in name or "hardtanh" in name else float("inf")
    results = []
    for call in (CALLS[name], lambda v: Slow.apply(v, rule, top)):
        leaf = x.clone().requires_grad_(True)
        with relu_rule(rule):
            out = call(leaf)
        results.append((out.detach(), torch.autograd.grad(out, leaf, above)[0]))
    assert torch.equal(results[0][0], results[1][0])
    assert torch.equal(results[0][1], results[1][1])


@pytest.mark.parametrize("rule", RULES)
def test_functions_and_modules_give_the_same(rule) -> None:
    x = fixed(dtype=torch.float64)
    maps = [gradient_under(rule, net().double().eval(), x) for net in (Modules, Functions)]
    assert torch.equal(maps[0], maps[1]) and maps[0].abs().sum() > 0
    if rule != "plain":
        assert not torch.equal(maps[0], gradient_under("plain", Modules().double(), x))


@pytest.mark.parametrize("rule", ["deconvnet", "guided"])
@pytest.mark.parametrize("name", ["alexnet", "vgg11", "resnet18", "squeezenet1_1"])
def test_equal_to_captum_where_captum_is_exact(name, rule) -> None:
    torch.manual_seed(0)
    net = torchvision.models.get_model(name, weights=None).double().eval()
    x = fixed(96, 96, dtype=torch.float64)
    expected = CAPTUM[rule](net).attribute(x.clone(), target=3)
    ours = gradient_under(rule, net, x, 3)
    torch.testing.assert_close(ours, expected, rtol=1e-9, atol=1e-12)
    plain = Saliency(net).attribute(x.clone(), target=3, abs=False)
    torch.testing.assert_close(gradient_under("plain", net, x, 3), plain, rtol=1e-9, atol=1e-12)
    assert not torch.allclose(ours, plain)


class Reference(nn.Module):
    def __init__(self, rule: str, top: float) -> None:
        super().__init__()
        self.rule, self.top = rule, top

    def forward(self, x):
        return _reference(x, self.rule, self.top)


def _reference(x, rule: str, top: float):
    """The rule through a tensor hook: the gradient is changed before the plain backward acts."""
    out = torch.clamp_max(torch.threshold(x, 0.0, 0.0), top)
    if rule == "guided" and out.requires_grad:
        out.register_hook(lambda g: g.clamp(min=0))
    return out


def test_mobilenet_v2_whose_relu6_is_no_relu() -> None:
    torch.manual_seed(0)
    net = calibrated(torchvision.models.mobilenet_v2(weights=None).double())
    x = fixed(64, 64, dtype=torch.float64)
    ours = gradient_under("guided", net, x)
    assert not torch.allclose(ours, gradient_under("plain", net, x))
    for parent in list(net.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.ReLU6):
                setattr(parent, name, Reference("guided", 6.0))
    torch.testing.assert_close(ours, gradient_under("plain", net, x), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", ["googlenet", "densenet121"])
def test_networks_that_call_functions(name, monkeypatch) -> None:
    torch.manual_seed(0)
    extra = {"init_weights": False, "aux_logits": False} if name == "googlenet" else {}
    net = calibrated(torchvision.models.get_model(name, weights=None, **extra).double())
    x = fixed(64, 64, dtype=torch.float64)
    ours = gradient_under("guided", net, x)
    assert not torch.allclose(ours, gradient_under("plain", net, x))
    for parent in list(net.modules()):
        for child_name, child in list(parent.named_children()):
            if isinstance(child, nn.ReLU):
                setattr(parent, child_name, Reference("guided", float("inf")))
    monkeypatch.setattr(F, "relu", lambda x, inplace=False: _reference(x, "guided", float("inf")))
    torch.testing.assert_close(ours, gradient_under("plain", net, x), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    "name", ["resnet18", "mobilenet_v2", "convnext_tiny", "efficientnet_b0", "mobilenet_v3_small"]
)
def test_activations_are_counted(name) -> None:
    net = torchvision.models.get_model(name, weights=None).eval()
    kinds = (nn.ReLU, nn.ReLU6, nn.GELU, nn.SiLU, nn.Hardswish)
    ran: Counter[str] = Counter()
    for module in net.modules():
        if isinstance(module, kinds):
            module.register_forward_hook(lambda m, *_: ran.update([type(m).__name__]))
    with torch.no_grad(), counted_activations() as calls:
        net(fixed(64, 64))
    assert calls == ran and ran.total() > 10
    assert ("ReLU" in calls or "ReLU6" in calls) == (
        name not in ("convnext_tiny", "efficientnet_b0")
    )


def test_a_network_without_relu_is_refused_and_one_with_some_is_told() -> None:
    none = nn.Sequential(nn.Conv2d(3, 4, 3), nn.GELU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    with pytest.raises(UserError, match=r"calls none .*1 GELU"):
        explain(question_of(none, fixed()), "guided_backprop")
    some = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Hardswish(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
    )
    [note] = explain(question_of(some, fixed()), "deconvnet").notes
    assert "1 ReLUs" in note and "1 Hardswish" in note


def test_relu_in_place_equals_relu_not_in_place() -> None:
    torch.manual_seed(0)
    net = torchvision.models.resnet18(weights=None).eval()
    twin = torchvision.models.resnet18(weights=None).eval()
    twin.load_state_dict(net.state_dict())
    for module in twin.modules():
        if isinstance(module, nn.ReLU):
            module.inplace = False
    x = fixed(64, 64)
    for method in ("gradient", "guided_backprop", "deconvnet"):
        a, b = (explain(question_of(n, x), method).values for n in (net, twin))
        assert (a == b).all() and abs(a).sum() > 0


@pytest.mark.parametrize("method", ["gradient", "guided_backprop", "gradcam", "occlusion"])
def test_the_network_is_as_it_was(method) -> None:
    net = Modules().eval()
    before = state_of(net)
    settings = {"patch": 4, "stride": 4} if method == "occlusion" else {}
    if method == "gradcam":
        settings = {"layers": ("two",)}
    explain(question_of(net, fixed()), method, **settings)
    assert same_state(before, state_of(net))


def test_also_after_a_failure() -> None:
    net = Modules().eval()
    before = state_of(net)
    question = question_of(net, fixed())
    with pytest.raises(UserError):
        explain(question, "gradcam", layers=("no such layer",))

    class Broken(Modules):
        def forward(self, x):
            super().forward(x)
            raise RuntimeError("half way")

    broken = Broken().eval()
    untouched = state_of(broken)
    question = question_of(Modules(), fixed())
    failing = type(question)(**{**vars(question), "module": broken})
    with pytest.raises(RuntimeError, match="half way"):
        explain(failing, "guided_backprop")
    assert same_state(before, state_of(net)) and same_state(untouched, state_of(broken))
    x = torch.tensor([1.0], requires_grad=True)
    assert torch.autograd.grad(F.relu(x), x, torch.tensor([-1.0]))[0].item() == -1.0


def test_two_threads_one_network_guided_beside_plain() -> None:
    torch.manual_seed(0)
    net = torchvision.models.resnet18(weights=None).eval()
    x = fixed(64, 64)
    expected = {m: explain(question_of(net, x), m).values for m in ("gradient", "guided_backprop")}
    assert abs(expected["gradient"] - expected["guided_backprop"]).max() > 0
    wrong: list[str] = []

    def work(method: str) -> None:
        for _ in range(30):
            if not (explain(question_of(net, x), method).values == expected[method]).all():
                wrong.append(method)

    threads = [threading.Thread(target=work, args=(m,)) for m in expected]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_an_unknown_rule_is_refused() -> None:
    with pytest.raises(UserError, match="no ReLU rule"), relu_rule("best"):
        pass
