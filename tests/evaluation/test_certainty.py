"""The probability from which a segmenter's pixels count as sure, against a slow second version."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from vision_core.evaluation.segmentation import IGNORED, Certainty


def slow(best: np.ndarray, right: np.ndarray, wanted: float) -> float:
    """Try every hundredth from below, counting one by one."""
    for step in range(100):
        above = [r for b, r in zip(best, right, strict=True) if b >= step / 100]
        if above and sum(above) / len(above) >= wanted:
            return step / 100
    return 1.0


@pytest.mark.parametrize("wanted", [0.5, 0.75, 0.9])
@pytest.mark.parametrize("background", [None, 0])
def test_equal_to_counting_one_by_one(wanted: float, background: int | None) -> None:
    rng = np.random.default_rng(5)
    counter, best, right = Certainty(background), [], []
    for _ in range(3):
        probabilities = torch.from_numpy(rng.dirichlet([0.5] * 4, (9, 11)).transpose(2, 0, 1))
        guess = probabilities.argmax(0)
        # the surer, the more often right
        lucky = torch.from_numpy(rng.random((9, 11))) < probabilities.amax(0)
        truth = torch.where(lucky, guess, (guess + 1) % 4)
        truth[0, :3] = IGNORED
        counter.add(probabilities, truth)
        for p, g, t in zip(
            probabilities.amax(0).ravel().tolist(),
            guess.ravel().tolist(),
            truth.ravel().tolist(),
            strict=True,
        ):
            if t != IGNORED and g != background:
                best.append(p)
                right.append(g == t)
    assert counter.sure_from(wanted) == slow(np.array(best), np.array(right), wanted)
    assert counter.sure_from(wanted) < 1
    assert counter.sure_from(0.9) > counter.sure_from(0.5)


def test_what_is_never_right_is_never_sure() -> None:
    counter = Certainty()
    counter.add(torch.tensor([[[0.9]], [[0.1]]]), torch.tensor([[1]]))
    assert counter.sure_from() == 1.0
