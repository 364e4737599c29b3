"""LRP against zennit, against Captum, and against a slow version with a matrix for each layer."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
import torch
from captum.attr import LRP
from captum.attr._utils.lrp_rules import EpsilonRule, GammaRule
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torchvision.ops import FrozenBatchNorm2d
from zennit.attribution import Gradient
from zennit.canonizers import SequentialMergeBatchNorm
from zennit.composites import EpsilonGammaBox, LayerMapComposite, layer_map_base
from zennit.rules import Epsilon, Gamma, ZPlus
from zennit.torchvision import ResNetCanonizer
from zennit.types import Linear

from tests.attribution.nets import fixed, question_of
from vision_core import models
from vision_core.attribution import ask, default_target
from vision_core.attribution.lrp import RULES, lrp
from vision_core.errors import UserError
from vision_core.inference import trace
from vision_core.samples import sample

DOUBLE = torch.float64


def plain(bias: bool, seed: int = 0) -> nn.Sequential:
    """Convolutions, pooling and linear layers, one after the other."""
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(3, 5, 3, padding=1, bias=bias),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(5, 6, 3, stride=2, bias=bias),
        nn.ReLU(),
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.Linear(6 * 2 * 2, 8, bias=bias),
        nn.ReLU(),
        nn.Linear(8, 4, bias=bias),
    ).to(DOUBLE)


def zennits(net: nn.Module, x: Tensor, index: int, rule: str, canon: list, box: tuple) -> Tensor:
    """What zennit makes of the same logit with the same rules, on the network that it is given."""
    if rule == "composite":
        composite = EpsilonGammaBox(low=box[0], high=box[1], canonizers=canon)
    else:
        one = {"epsilon": Epsilon(), "gamma": Gamma(), "zplus": ZPlus()}[rule]
        layers = [*layer_map_base(), (Linear, one)]
        composite = LayerMapComposite(layer_map=layers, canonizers=canon)
    with Gradient(net, composite) as attributor:
        _, found = attributor(
            x.clone(), lambda out: out * F.one_hot(torch.tensor([index]), out.shape[1])
        )
    return found[0].detach()


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", ["alexnet_s", "vgg_s", "resnet_s"])
def test_our_classifiers_are_explained_as_zennit_does(name, rule) -> None:
    """In double precision; zennit leaves its folded norms a division by sqrt(1 + eps)."""
    photo, model = sample("cat"), models.load(name)
    found = trace(model, photo)
    question = ask(model, photo, found, default_target(found))
    net = copy.deepcopy(model.module).to(DOUBLE)
    for part in net.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.running_var += part.eps
            part.eps = 0.0
    x = question.input.to(DOUBLE)
    ours = lrp(replace(question, module=copy.deepcopy(net), input=x), rule)
    mean, std = (x.new_tensor(v)[None, :, None, None] for v in (question.mean, question.std))
    canon = [ResNetCanonizer()] if name == "resnet_s" else [SequentialMergeBatchNorm()]
    index = question.labels.index(str(question.target))
    theirs = zennits(net, x, index, rule, canon, (-mean / std, (1 - mean) / std))
    assert float(theirs.abs().max()) > 1e-5
    torch.testing.assert_close(
        ours.values, theirs, rtol=1e-6, atol=1e-8 * float(theirs.abs().max())
    )


class FlatByFunction(nn.Sequential):
    """The same without a module that changes shapes, for which Captum has no rule."""

    def __init__(self, net: nn.Sequential) -> None:
        super().__init__(*(layer for layer in net if not isinstance(layer, nn.Flatten)))

    def forward(self, x: Tensor) -> Tensor:
        for layer in self:
            x = layer(x.flatten(1) if isinstance(layer, nn.Linear) else x)
        return x


@pytest.mark.parametrize(("rule", "theirs"), [("epsilon", EpsilonRule), ("gamma", GammaRule)])
def test_a_plain_network_is_explained_as_captum_does(rule, theirs) -> None:
    net, x = plain(bias=False), fixed(dtype=DOUBLE).abs()  # Captum's gamma asks for inputs above 0
    with torch.no_grad():
        highest, best = net(x)[0].max(0)
    assert highest > 0, "and for an output above 0"
    best = int(best)
    got = lrp(question_of(net, x, best), rule, epsilon=1e-9)
    copied = FlatByFunction(copy.deepcopy(net))
    for layer in copied.children():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            layer.rule = theirs()
        elif isinstance(layer, nn.AvgPool2d):
            layer.rule = EpsilonRule(epsilon=1e-6)
    given = x.clone().requires_grad_(True)
    expected = LRP(copied).attribute(given, target=best)[0].detach()
    torch.testing.assert_close(got.values, expected, rtol=1e-4, atol=1e-5 * float(expected.max()))


def matrix(layer: nn.Module, x: Tensor) -> tuple[Tensor, Tensor]:
    """A layer at one input as ``W [inputs, outputs]`` and b, by its Jacobian."""
    zero = layer(torch.zeros_like(x)).flatten()
    jacobian = torch.autograd.functional.jacobian(lambda v: layer(v).flatten(), x)
    return jacobian.flatten(1).T, zero


def slow(layer: nn.Module, x: Tensor, relevance: Tensor, rule: str, box: tuple) -> Tensor:
    """A rule of the papers for one layer, with every input-output pair written out."""
    if isinstance(layer, nn.ReLU | nn.Flatten):
        return relevance.reshape(x.shape)
    if isinstance(layer, nn.MaxPool2d):
        _, at = F.max_pool2d(x, 2, return_indices=True)
        out = torch.zeros_like(x).flatten(2)
        return out.scatter_add(2, at.flatten(2), relevance.flatten(2)).reshape(x.shape)
    w, b = matrix(layer, x)
    v, r = x.flatten(), relevance.flatten()
    terms, added = v[:, None] * w, b
    if rule == "zplus" and not isinstance(layer, nn.AvgPool2d):
        terms, added = terms.clamp(min=0), b.clamp(min=0)
    if rule == "gamma" and not isinstance(layer, nn.AvgPool2d):
        z = terms.sum(0) + b
        up, down = terms + 0.25 * terms.clamp(min=0), terms + 0.25 * terms.clamp(max=0)
        terms = torch.where(z > 0, up, down)
        added = torch.where(z > 0, b + 0.25 * b.clamp(min=0), b + 0.25 * b.clamp(max=0))
    if rule == "box":
        low, high = (torch.full_like(v, end)[:, None] for end in box)
        terms, added = terms - low * w.clamp(min=0) - high * w.clamp(max=0), torch.zeros_like(b)
    z = terms.sum(0) + added
    share = r / (z + torch.where(z < 0, -1e-6, 1e-6))
    return (terms * share).sum(1).reshape(x.shape)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("seed", [0, 1])
def test_every_pair_written_out_gives_the_same(rule, bias, seed) -> None:
    net, x = plain(bias, seed), fixed(seed=seed, dtype=DOUBLE).clamp(-2, 2)
    question = replace(question_of(net, x, 2), mean=(0.5,) * 3, std=(0.25,) * 3)
    inputs = [x]
    for layer in net:
        inputs.append(layer(inputs[-1]).detach())
    relevance = torch.zeros_like(inputs[-1])
    relevance[0, 2] = inputs[-1][0, 2]
    for at, layer in reversed(list(enumerate(net))):
        chosen = rule
        if rule == "composite":
            chosen = "box" if at == 0 else "gamma" if isinstance(layer, nn.Conv2d) else "epsilon"
        relevance = slow(layer, inputs[at], relevance, chosen, (-2.0, 2.0))
    got = lrp(question, rule)
    torch.testing.assert_close(got.values, relevance[0], rtol=1e-7, atol=1e-10)
    assert got.gap == pytest.approx(float(relevance.sum() - inputs[-1][0, 2]), abs=1e-9)


class Residual(nn.Module):
    """A sum of two ways, without biases; the norms only scale."""

    def __init__(self, in_place: bool = True) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.stem = nn.Conv2d(3, 6, 3, padding=1, bias=False)
        self.conv = nn.Conv2d(6, 6, 3, padding=1, bias=False)
        self.norm, self.fc = nn.BatchNorm2d(6), nn.Linear(6, 4, bias=False)
        self.norm.running_var.uniform_(0.5, 2.0)
        self.in_place = in_place

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.stem(x), inplace=self.in_place)
        out = self.norm(self.conv(x))
        if self.in_place:
            out += x
        else:
            out = out + x
        return self.fc(F.adaptive_avg_pool2d(F.relu(out), 1).flatten(1))


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("net", [plain(False), Residual().to(DOUBLE).eval()])
def test_without_biases_the_relevance_is_the_score(net, rule) -> None:
    x = fixed(dtype=DOUBLE).clamp(-2, 2)
    question = replace(question_of(net, x, 1), mean=(0.5,) * 3, std=(0.25,) * 3)
    got = lrp(question, rule, epsilon=0.0)
    if rule == "zplus":  # where nothing raises an output, its relevance is lost
        assert abs(got.gap) <= abs(got.score)
        return
    assert float(got.values.sum()) == pytest.approx(got.score, rel=2e-3)
    assert float(got.values.abs().max()) > 0


def test_a_bias_takes_its_share() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 1, 4), nn.Flatten()).to(DOUBLE)
    got = lrp(question_of(net, fixed(4, 4, dtype=DOUBLE)), "epsilon", epsilon=0.0)
    assert got.gap == pytest.approx(-float(net[0].bias), rel=1e-9)


def test_a_larger_epsilon_takes_more() -> None:
    question = question_of(plain(False), fixed(dtype=DOUBLE), 1)
    sums = [abs(float(lrp(question, "epsilon", epsilon=e).values.sum())) for e in (0.0, 0.05, 0.5)]
    assert sums[0] > sums[1] > sums[2] > 0


def test_how_a_sum_or_a_relu_is_written_makes_no_difference() -> None:
    x = fixed(dtype=DOUBLE)
    one, two = (lrp(question_of(Residual(p).to(DOUBLE).eval(), x), "gamma") for p in (True, False))
    torch.testing.assert_close(one.values, two.values)


def frozen(norm: nn.BatchNorm2d) -> FrozenBatchNorm2d:
    made = FrozenBatchNorm2d(norm.num_features, norm.eps).to(DOUBLE)
    told = norm.state_dict()
    made.load_state_dict({name: told[name] for name in made.state_dict()})
    return made


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("kind", ["batch", "frozen", "group"])
def test_a_norm_behind_a_convolution_is_folded_into_it(kind, transposed) -> None:
    torch.manual_seed(0)
    if transposed:
        conv: nn.Module = nn.ConvTranspose2d(3, 6, 3, stride=2).to(DOUBLE)
    else:
        conv = nn.Conv2d(3, 6, 3).to(DOUBLE)
    norm = nn.BatchNorm2d(6).to(DOUBLE).eval()
    x, tail = (
        fixed(8, 8, dtype=DOUBLE),
        nn.Sequential(nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()),
    )
    with torch.no_grad():
        for values in (norm.running_var, norm.weight):
            values.uniform_(0.5, 2.0)
        for values in (norm.running_mean, norm.bias):
            values.normal_()
        if kind == "group":  # the same numbers as statistics of running over this input
            parts = conv(x)[0].reshape(3, -1)
            norm.running_mean.copy_(parts.mean(1).repeat_interleave(2))
            norm.running_var.copy_(parts.var(1, correction=0).repeat_interleave(2))
    shown: nn.Module = norm
    if kind == "frozen":
        shown = frozen(norm)
    elif kind == "group":
        shown = nn.GroupNorm(3, 6, eps=norm.eps).to(DOUBLE)
        shown.load_state_dict({n: getattr(norm, n).detach() for n in ("weight", "bias")})
    by_hand = nn.Sequential(fuse_conv_bn_eval(conv.eval(), norm, transpose=transposed), tail)
    for rule in RULES:
        got = lrp(question_of(nn.Sequential(conv, shown, tail), x, 3), rule)
        expected = lrp(question_of(by_hand, x, 3), rule)
        torch.testing.assert_close(got.values, expected.values, rtol=1e-8, atol=1e-10)
        assert any("Group norm" in note for note in got.notes) == (kind == "group")


def test_a_relu_between_keeps_a_norm_from_being_folded() -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(inplace=True), nn.BatchNorm2d(4))
    net = nn.Sequential(*net, nn.AdaptiveAvgPool2d(1), nn.Flatten()).eval()
    with pytest.raises(UserError, match="batch normalisation without a convolution before it"):
        lrp(question_of(net, fixed()))
