"""Receptive fields against the support of gradients through positive weights."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
import torchvision
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from vision_core.errors import UserError
from vision_core.features.receptive import Graph, effective, stack
from vision_core.models.zoo.fcos_s import PyramidBackbone
from vision_core.models.zoo.trunk import Trunk


def positive(module: nn.Module) -> nn.Module:
    """All weights 1, no ReLU can shut, the maximum replaced by the sum of its window."""
    module = copy.deepcopy(module).double().eval()
    for name, part in list(module.named_modules()):
        if isinstance(part, nn.MaxPool2d):
            parent = module.get_submodule(name.rpartition(".")[0])
            pool = nn.AvgPool2d(part.kernel_size, part.stride, part.padding)
            setattr(parent, name.rpartition(".")[2], pool)
        if isinstance(part, nn.BatchNorm2d):
            part.reset_parameters()
        elif getattr(part, "weight", None) is not None:
            nn.init.constant_(part.weight, 0.1)
            if getattr(part, "bias", None) is not None:
                nn.init.zeros_(part.bias)
    return module


def support(module, x, layer, row, column):
    """x1, y1, x2, y2 around all pixels with a gradient, by brute force."""
    heat = effective(positive(module), x.double(), layer, row, column)
    ys, xs = np.nonzero(heat)
    return xs.min(), ys.min(), xs.max() + 1, ys.max() + 1


def clipped(box, x):
    height, width = x.shape[-2:]
    return (max(box[0], 0), max(box[1], 0), min(box[2], width), min(box[3], height))


@st.composite
def stacks(draw):
    layers = []
    for _ in range(draw(st.integers(1, 4))):
        kernel, stride = draw(st.integers(1, 4)), draw(st.integers(1, 3))
        dilation = draw(st.integers(1, 2))
        layers.append((kernel, stride, draw(st.integers(0, kernel // 2)), dilation))
    return layers


@settings(max_examples=40, deadline=None, derandomize=True)
@given(stacks(), st.integers(0, 10**6))
def test_plain_stacks(layers, seed):
    parts = [nn.Conv2d(1 if i else 3, 1, k, s, p, d) for i, (k, s, p, d) in enumerate(layers)]
    net, x = nn.Sequential(*parts), torch.ones(1, 3, 70, 90)
    try:
        graph = Graph(net, x)
    except UserError:
        return  # nothing is left of the map
    last = list(graph.layers())[-1]
    _, high, wide = graph.layers()[last]
    row, column = seed % high, seed // 7 % wide
    found = graph.field(last, row, column)
    expected = support(net, x, last, row, column)
    if clipped(found, x) == found:
        assert found == expected
    else:  # between dilated taps or strides there are gaps, which may lie at the border
        inside = clipped(found, x)
        assert all(a <= b for a, b in zip(inside[:2], expected[:2], strict=True))
        assert all(a >= b for a, b in zip(inside[2:], expected[2:], strict=True))
    rows = stack(layers)
    assert found[2] - found[0] == found[3] - found[1] == rows[-1].size
    assert (found[0] + found[2]) / 2 == rows[-1].start + column * rows[-1].jump


class Mixed(nn.Module):
    """A transposed convolution, two ways of resizing, an average pool, a concatenation."""

    def __init__(self, mode: str) -> None:
        super().__init__()
        self.down = nn.Conv2d(3, 4, 3, 2, 1)
        self.pool = nn.AvgPool2d(2)
        self.up = nn.ConvTranspose2d(4, 4, 4, 2, 1)
        self.last = nn.Conv2d(8, 2, 3, padding=1)
        self.mode = mode

    def forward(self, x):
        a = F.relu(self.down(x))
        b = self.up(self.pool(a))
        c = F.interpolate(self.pool(a), size=a.shape[-2:], mode=self.mode)
        return self.last(torch.cat([b, c], 1))


@pytest.mark.parametrize(
    ("module", "layers"),
    [
        (Trunk(), ["stem.3", "stages.0.0.conv2", "stages.1.0", "stages.2.1.conv1"]),
        (PyramidBackbone(), ["fpn.layer_blocks.0.0", "fpn.layer_blocks.2.0"]),
        (torchvision.models.resnet18(weights=None), ["layer1.1.conv2", "layer2.0.conv1"]),
        (Mixed("nearest"), ["up", "last"]),
        (Mixed("bilinear"), ["last"]),
    ],
    ids=["trunk", "pyramid", "resnet18", "mixed-nearest", "mixed-bilinear"],
)
def test_networks_with_branches(module, layers):
    x = torch.ones(1, 3, 96, 128)
    graph = Graph(module.eval(), x)
    for layer in layers:
        name = (
            layer
            if layer in graph.nodes
            else next(n for n in reversed(graph.nodes) if n.startswith(layer + "."))
        )
        _, high, wide = graph.layers()[name]
        for row, column in ((0, 0), (high // 2, wide // 3), (high - 1, wide - 1)):
            found = graph.field(name, row, column)
            assert clipped(found, x) == support(module, x, name, row, column), (name, row, column)


def smooth(module: nn.Module) -> nn.Module:
    """As ``positive``, with weights that keep numbers near 1: many products would leave floats."""
    module = positive(module)
    for name, part in list(module.named_modules()):
        if isinstance(part, (nn.Hardswish, nn.Hardsigmoid, nn.ReLU, nn.SiLU, nn.Sigmoid)):
            parent = module.get_submodule(name.rpartition(".")[0])
            setattr(parent, name.rpartition(".")[2], nn.Identity())
        elif isinstance(part, nn.Conv2d):
            nn.init.constant_(part.weight, 1 / part.weight[0].numel())
    return module


def seen_by(module, x, layer, row, column):
    """x1, y1, x2, y2 around all pixels with a gradient."""
    heat = effective(smooth(module), x.double(), layer, row, column)
    ys, xs = np.nonzero(heat)
    return xs.min(), ys.min(), xs.max() + 1, ys.max() + 1


class Gate(nn.Module):
    """Squeeze-and-excitation with linear layers, or with a mean and a product of maps."""

    def __init__(self, linear: bool) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3, 2, 1)
        self.fc = nn.Linear(4, 4) if linear else nn.Conv2d(4, 4, 1)
        self.last = nn.Conv2d(4, 2, 3, padding=1)
        self.linear = linear

    def forward(self, x):
        x = self.first(x)
        if self.linear:
            gate = self.fc(F.adaptive_avg_pool2d(x, 1).flatten(1)).view(1, 4, 1, 1)
        else:
            gate = self.fc(x.mean((2, 3), keepdim=True))
        return self.last(x * gate)


SMALL = torchvision.models.mobilenet_v3_small(weights=None)
LARGE = torchvision.models.detection.fasterrcnn_mobilenet_v3_large_fpn(
    weights=None, weights_backbone=None
).backbone
GLOBAL = [
    (SMALL, "features.0.0", None),
    (SMALL, "features.1.block.0.2", None),
    (SMALL, "features.1.block.1.fc1", "features.1.block.1.avgpool"),
    (SMALL, "features.1.block.2.0", "features.1.block.1.avgpool"),
    (SMALL, "features.4.block.1.0", "features.1.block.1.avgpool"),
    (SMALL, "features.12.0", "features.11.block.2.avgpool"),
    (LARGE, "body.3.block.0.0", None),
    (LARGE, "body.4.block.1.0", None),
    (LARGE, "body.4.block.3.0", "body.4.block.2.avgpool"),
    (LARGE, "fpn.layer_blocks.0.0", "body.15.block.2.avgpool"),
    (Gate(True), "last", "adaptive_avg_pool2d"),
    (Gate(False), "last", "mean"),
    (Gate(True), "first", None),
]


@pytest.mark.parametrize(("module", "layer", "pooled"), GLOBAL)
def test_what_averages_a_whole_map_sees_the_whole_picture(module, layer, pooled):
    x = torch.ones(1, 3, 160, 224)
    graph = Graph(module.eval(), x)
    assert graph.global_pooling(layer) == pooled
    _, high, wide = graph.layers()[layer]
    for row, column in {(0, 0), (high // 2, wide // 3), (high - 1, wide - 1)}:
        found = graph.field(layer, row, column)
        assert clipped(found, x) == seen_by(module, x, layer, row, column), (row, column)
        assert pooled is None or found == (0, 0, 224, 160)
        assert pooled is not None or found != (0, 0, 224, 160)


def test_no_layer_of_a_gated_network_sees_more_than_the_picture():
    """Units of a pooled map stand for the whole of it, however many windows follow."""
    for module in (SMALL, LARGE):
        graph = Graph(module.eval(), torch.ones(1, 3, 160, 224))
        for layer, (_, high, wide) in graph.layers().items():
            x1, y1, x2, y2 = graph.field(layer, high // 2, wide // 2)
            assert -224 < x1 < x2 < 448 and -160 < y1 < y2 < 320, layer


def test_three_small_layers_see_as_much_as_one_large_one():
    assert stack([(3, 1, 1, 1)] * 3)[-1].size == stack([(7, 1, 3, 1)])[-1].size == 7
    assert [r.size for r in stack([(3, 1, 1, 1), (3, 1, 2, 2), (3, 1, 4, 4)])] == [3, 7, 15]
    assert [r.jump for r in stack([(3, 2, 1, 1)] * 3)] == [2, 4, 8]


def test_the_module_is_left_as_it_was():
    net = Trunk().eval()
    before = {k: v.clone() for k, v in net.state_dict().items()}
    x = torch.rand(1, 3, 64, 64)
    heat = effective(net, x, "stages.1.0.conv1", 3, 3)
    assert heat.shape == (64, 64) and heat.max() > 0
    assert all(torch.equal(v, net.state_dict()[k]) for k, v in before.items())
    assert all(p.grad is None for p in net.parameters())
    assert not any(m._forward_hooks for m in net.modules())


def test_what_cannot_be_followed_is_said():
    class Depends(nn.Module):
        def forward(self, x):
            return x if x.sum() > 0 else -x

    with pytest.raises(UserError, match="cannot be followed layer by layer"):
        Graph(Depends(), torch.ones(1, 3, 8, 8))
    graph = Graph(nn.Sequential(nn.Conv2d(3, 1, 3)), torch.ones(1, 3, 8, 8))
    with pytest.raises(UserError, match="There is no layer"):
        graph.field("other", 0, 0)
    with pytest.raises(UserError, match="units; there is none"):
        graph.field("0", 6, 0)
    with pytest.raises(UserError, match="kernel, stride and dilation"):
        stack([(0, 1, 0, 1)])


def test_a_shuffle_of_channels_moves_no_place() -> None:
    """ShuffleNet splits and shuffles channels; the field is where the gradient is."""
    module = torchvision.models.shufflenet_v2_x0_5(weights=None).eval()
    x = torch.rand(1, 3, 96, 96)
    graph = Graph(module, x)
    for layer in ("stage2.1.branch2.0", "stage2.2.branch2.0"):
        assert graph.global_pooling(layer) is None
        rows, columns = effective(module, x, layer, 6, 6).nonzero()
        x1, y1, x2, y2 = graph.field(layer, 6, 6)
        # a max pooling passes the gradient of one place alone, so that its border may be missing
        assert x1 <= columns.min() <= x1 + 4 and x2 - 5 <= columns.max() < x2
        assert y1 <= rows.min() <= y1 + 4 and y2 - 5 <= rows.max() < y2
