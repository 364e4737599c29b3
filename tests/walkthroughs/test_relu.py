"""The ReLU rules step by step end where PyTorch and the backward rules of attribution end."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torch.nn import functional as F

from vision_core.attribution import relu_rule
from vision_core.errors import UserError
from vision_core.walkthroughs import PRESETS, build

NUMBERS = st.integers(-4, 4).map(float)


@given(
    arrays(np.float64, (3, 4), elements=NUMBERS),
    arrays(np.float64, (3, 4), elements=NUMBERS),
    st.sampled_from(["plain", "deconvnet", "guided"]),
)
def test_the_last_frame_is_the_gradient_under_the_rule(x, g, rule) -> None:
    walk = build("relu_backward", input=x.tolist(), grad_output=g.tolist(), rule=rule)
    leaf = torch.tensor(x, requires_grad=True)
    with relu_rule(rule):
        out = F.relu(leaf)
    expected = torch.autograd.grad(out, leaf, torch.tensor(g))[0].numpy()
    assert np.array_equal(walk.result, expected)
    assert np.array_equal(walk.frame(len(walk.steps) - 1), expected)
    for step in walk.steps:
        assert step.writes[0].value == (step.terms[0].value if step.terms else 0.0)


def test_the_first_example_tells_the_three_rules_apart() -> None:
    params = PRESETS["relu_backward"][0].params
    results = [
        build("relu_backward", **{**params, "rule": r}).result.tolist()
        for r in ("plain", "deconvnet", "guided")
    ]
    assert len({str(r) for r in results}) == 3


@pytest.mark.parametrize(
    "wrong", [{"rule": "best"}, {"grad_output": [[1.0]]}, {"grad_output": [1.0, 2.0]}]
)
def test_what_does_not_fit_is_said(wrong) -> None:
    with pytest.raises(UserError):
        build("relu_backward", **{"input": [[1.0, 2.0]], "grad_output": [[1.0, 1.0]], **wrong})
