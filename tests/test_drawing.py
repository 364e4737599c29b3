"""Weights from the table are as random as the tests of large networks need."""

from __future__ import annotations

import pytest
import torch
from scipy import stats

from tests.drawing import LENGTH, from_a_table


@pytest.mark.parametrize("count", [60_000, LENGTH, 3 * LENGTH + 7])
def test_they_have_the_distribution_that_is_asked_for(count) -> None:
    with from_a_table():
        flat = torch.empty(count).uniform_(-2, 6)[: 2 * LENGTH // 3].double().numpy()
        bell = torch.empty(count).normal_(3, 0.5)[: 2 * LENGTH // 3].double().numpy()
    assert stats.kstest(flat, stats.uniform(-2, 8).cdf).pvalue > 1e-3
    assert stats.kstest(bell, stats.norm(3, 0.5).cdf).pvalue > 1e-3


def test_a_seed_gives_them_again_and_the_next_ones_differ() -> None:
    def drawn() -> torch.Tensor:
        return torch.empty(500, 200).normal_()

    with from_a_table():
        torch.manual_seed(3)
        first, second = drawn(), drawn()
        torch.manual_seed(3)
        assert torch.equal(drawn(), first) and (first != second).float().mean() > 0.99


@pytest.mark.parametrize("count, dtype", [(100, torch.float32), (60_000, torch.float64)])
def test_all_others_are_pytorchs(count, dtype) -> None:
    with from_a_table():
        torch.manual_seed(5)
        drawn = torch.empty(count, dtype=dtype).uniform_(2, 3)
    torch.manual_seed(5)
    torch.testing.assert_close(drawn, 2 + torch.rand(count, dtype=dtype))
