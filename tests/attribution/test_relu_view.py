"""One ReLU of a network: its input, the gradient from above, and what the rules pass."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from tests.attribution.nets import Functions, Modules, fixed, question_of, same_state, state_of
from vision_core.attribution.relu_view import relu_view
from vision_core.errors import UserError


@pytest.mark.parametrize("kind", [Modules, Functions])
def test_a_relu_of_a_network_worked_out_by_hand(kind) -> None:
    net, x = kind().eval(), fixed()
    before = state_of(net)
    views = [relu_view(question_of(net, x, 1), i) for i in (0, 1)]
    assert same_state(before, state_of(net))
    one = net.one(x).detach()
    middle = one.relu().requires_grad_(True)
    two = net.two(middle).detach().requires_grad_(True)
    last = two.relu().detach().requires_grad_(True)
    (above,) = torch.autograd.grad(net.fc(last.mean((2, 3)))[0, 1], last)
    assert np.allclose(views[0].forward, one[0]) and views[0].count == 2
    assert np.allclose(views[1].forward, two[0].detach(), atol=1e-6)
    assert np.allclose(views[1].above, above[0])
    g, x2 = above[0].numpy(), two[0].detach().numpy()
    assert np.allclose(views[1].passed["plain"], g * (x2 > 0))
    assert np.allclose(views[1].passed["deconvnet"], np.maximum(g, 0))
    assert np.allclose(views[1].passed["guided"], np.maximum(g, 0) * (x2 > 0))
    assert relu_view(question_of(net, x, 1), -1).index == 1
    assert 0 <= views[1].liveliest() < 8


def test_networks_without_one_and_numbers_too_large() -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.GELU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    with pytest.raises(UserError, match="calls no ReLU"):
        relu_view(question_of(net, fixed()), 0)
    with pytest.raises(UserError, match="2 are called"):
        relu_view(question_of(Modules(), fixed()), 5)
