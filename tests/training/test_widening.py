"""A widened trunk computes what the smaller one computes, and its copies learn apart."""

from __future__ import annotations

import pytest
import torch

from vision_core.errors import UserError
from vision_core.models.zoo.trunk import Trunk
from vision_core.training.widening import widen


def trained_like(trunk: Trunk) -> Trunk:
    """Statistics and scales as after training, so that nothing is 0 or 1 by chance."""
    generator = torch.Generator().manual_seed(3)
    for module in trunk.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            for tensor in (module.weight.data, module.bias.data, module.running_mean):
                tensor.copy_(torch.rand(tensor.shape, generator=generator) - 0.3)
            module.running_var.copy_(torch.rand(len(module.weight), generator=generator) + 0.5)
    return trunk.eval()


@pytest.mark.parametrize("widths", [(4, 6, 8), (5, 6, 12), (9, 16, 9)])
@pytest.mark.parametrize("depths", [(1, 2, 1), (2, 2, 3)])
def test_the_function_stays(widths: tuple[int, ...], depths: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    small = trained_like(Trunk((1, 2, 1), (4, 6, 8))).double()
    large = Trunk(depths, widths).double().eval()
    widen(large, small.state_dict())
    picture = torch.randn(2, 3, 41, 53, dtype=torch.float64)
    for ours, theirs in zip(large(picture), small(picture), strict=True):
        assert torch.allclose(ours[:, : theirs.shape[1]], theirs, rtol=1e-9, atol=1e-9)
    assert theirs.std() > 0.05


def test_copies_get_other_gradients() -> None:
    torch.manual_seed(0)
    small = trained_like(Trunk((1, 1), (4, 6)))
    large = Trunk((1, 1), (8, 12))
    widen(large, small.state_dict())
    large(torch.randn(4, 3, 32, 32))[-1].square().sum().backward()
    first = large.stem[0].weight
    twins = [
        (a, b) for a in range(8) for b in range(a) if torch.equal(first.data[a], first.data[b])
    ]
    assert twins
    for a, b in twins:
        assert not torch.allclose(first.grad[a], first.grad[b], rtol=0.01)


def test_what_is_larger_or_no_trunk_is_refused() -> None:
    with pytest.raises(UserError, match=r"narrower at stages\.1"):
        widen(Trunk((1, 1), (8, 8)), Trunk((1, 1), (8, 16)).state_dict())
    with pytest.raises(UserError, match="no trunk"):
        widen(Trunk((1,), (8,)), {"fc.weight": torch.zeros(2, 2)})
