"""DeconvNet projection against a hand-made DeconvNet with unpooling and transposed convolution."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tests.attribution.nets import fixed, question_of
from vision_core.features.projection import project


class Small(nn.Module):
    """Convolution, ReLU, max pooling, convolution; one unit of the last map is the output."""

    def __init__(self, pool: str) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.one, self.two = nn.Conv2d(3, 5, 3, padding=1), nn.Conv2d(5, 4, 3, padding=1)
        self.pool, self.kind = nn.MaxPool2d(2, return_indices=pool == "indices"), pool

    def forward(self, x):
        x = self.one(x).relu()
        if self.kind == "indices":
            x, _ = self.pool(x)
        else:
            x = self.pool(x) if self.kind == "module" else F.max_pool2d(x, 2)
        return self.two(x)[:, :, 3, 4]


@pytest.mark.parametrize("kind", ["module", "function", "indices"])
def test_it_is_the_deconvnet_of_the_paper(kind) -> None:
    net, x, unit = Small(kind).double().eval(), fixed(12, 16, dtype=torch.float64), 2
    got = project(question_of(net, x, unit))
    with torch.no_grad():
        first = net.one(x)
        pooled, switches = F.max_pool2d(first.relu(), 2, return_indices=True)
        value = net.two(pooled)[0, unit, 3, 4]
        alone = torch.zeros(1, 4, 6, 8, dtype=torch.float64)
        alone[0, unit, 3, 4] = value
        # down again: transposed convolution, unpooling, ReLU, transposed convolution
        down = F.conv_transpose2d(alone / value, net.two.weight, padding=1)
        down = F.max_unpool2d(down, switches, 2).clamp(min=0)
        expected = F.conv_transpose2d(down, net.one.weight, padding=1)[0] * value
    assert got.activation == pytest.approx(float(value))
    torch.testing.assert_close(got.values, expected)
    [pooling] = got.poolings
    assert np.allclose(pooling.values, first.relu()[0, pooling.channel])
    flat = torch.zeros(12 * 16, dtype=torch.bool)
    used = F.conv_transpose2d(alone / value, net.two.weight, padding=1)[0, pooling.channel] != 0
    flat[switches[0, pooling.channel][used]] = True
    assert np.array_equal(pooling.switches, flat.reshape(12, 16).numpy())
    assert 0 < pooling.switches.sum() <= 9
