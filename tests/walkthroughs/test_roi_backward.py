"""The gradients of RoI pooling and RoI Align against autograd through torchvision, in float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torchvision.ops import roi_align as torch_align
from torchvision.ops import roi_pool as torch_pool

from tests.walkthroughs.checks import PROPERTY, check
from tests.walkthroughs.test_roi import regions, torch_args
from vision_core.errors import UserError
from vision_core.walkthroughs import build
from vision_core.walkthroughs.roi_backward import roi_align_backward, roi_pool_backward


def gradient(operator, p, grad, *more):
    features, *rest = torch_args(p)
    features.requires_grad_(True)
    operator(features, *rest, *more).backward(torch.as_tensor(grad)[None])
    return features.grad[0]


def outputs(p, seed):
    shape = (p["input"].shape[0], *p["output_size"])
    return np.random.default_rng(seed).normal(size=shape)


@PROPERTY
@given(regions(), st.integers(0, 1000))
def test_roi_pool_backward(p, seed):
    grad = outputs(p, seed)
    walk = roi_pool_backward(**p, grad_output=grad)
    check(walk, gradient(torch_pool, p, grad))
    assert len(walk.steps) == 1 + grad[0].size


@PROPERTY
@given(regions(), st.booleans(), st.sampled_from([-1, 0, 1, 2, 3]), st.integers(0, 1000))
def test_roi_align_backward(p, aligned, ratio, seed):
    grad = outputs(p, seed)
    walk = roi_align_backward(**p, sampling_ratio=ratio, aligned=aligned, grad_output=grad)
    check(walk, gradient(torch_align, p, grad, ratio, aligned))


def test_equal_values_give_the_gradient_to_the_first():
    p = {
        "input": np.ones((1, 6, 6)),
        "box": [0, 0, 5, 5],
        "output_size": (2, 2),
        "spatial_scale": 1.0,
    }
    grad = np.array([[[1.0, 2], [3, 4]]])
    walk = roi_pool_backward(**p, grad_output=grad)
    check(walk, gradient(torch_pool, p, grad))
    assert walk.result[0, 0, 0] == 1 and walk.result[0, 3, 3] == 4


def test_one_output_at_a_time():
    # The gradient of one output alone is what the step of its bin adds.
    full = build("roi_align_backward", grad_output=[[1, 0], [0, 0]], **_given())
    assert full.frame(1).sum() == pytest.approx(1)
    np.testing.assert_allclose(full.frame(1), full.result)


def _given():
    from vision_core.walkthroughs.presets import REGION

    return {**REGION, "sampling_ratio": 2, "aligned": True}


def test_a_gradient_of_another_shape_is_refused():
    with pytest.raises(UserError, match="grad_output must have the output's shape"):
        build("roi_pool_backward", "photo-640x480", grad_output=[[1, 2, 3]])
