"""Pooling and unpooling against PyTorch in float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.walkthroughs.checks import PROPERTY, check
from tests.walkthroughs.test_convolution import tensor
from vision_core.errors import UserError
from vision_core.walkthroughs.pooling import avg_pool, max_pool, max_pool_backward
from vision_core.walkthroughs.unpooling import bed_of_nails, max_unpool, nearest_unpool

MAX = {1: F.max_pool1d, 2: F.max_pool2d}
AVERAGE = {1: F.avg_pool1d, 2: F.avg_pool2d}
UNPOOL = {1: F.max_unpool1d, 2: F.max_unpool2d}


@st.composite
def pools(draw, axes, dilated=True):
    """Parameters of a pooling; some inputs are whole numbers, so that maxima are shared."""
    kernel = draw(st.tuples(*[st.integers(1, 3)] * axes))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    shape = tuple(rng.integers(1, 7, axes))
    shape = (draw(st.integers(1, 2)), *shape) if axes == 2 else shape
    x = rng.integers(-3, 3, shape).astype(float) if draw(st.booleans()) else rng.normal(size=shape)
    found = {
        "input": x,
        "kernel_size": kernel,
        "stride": draw(st.none() | st.tuples(*[st.integers(1, 3)] * axes)),
        "padding": draw(st.tuples(*[st.integers(0, k // 2) for k in kernel])),
        "ceil_mode": draw(st.booleans()),
    }
    if dilated:
        found["dilation"] = draw(st.tuples(*[st.integers(1, 2)] * axes))
    return found


def fits(p):
    """Whether PyTorch computes it."""
    axes = len(p["kernel_size"])
    try:
        torch_max({"dilation": (1,) * axes, **p}, axes)
    except RuntimeError:
        return False
    return True


def batched(x, axes):
    return tensor(x).reshape(1, -1 if x.ndim > axes else 1, *x.shape[-axes:])


def torch_max(p, axes, x=None):
    x = batched(p["input"], axes) if x is None else x
    return MAX[axes](
        x,
        p["kernel_size"],
        p["stride"],
        p["padding"],
        p["dilation"],
        p["ceil_mode"],
        return_indices=True,
    )


@pytest.mark.parametrize("axes", [1, 2])
def test_max_pool_and_its_switches(axes):
    @PROPERTY
    @given(pools(axes))
    def run(p):
        assume(fits(p))
        expected, indices = torch_max(p, axes)
        if expected.isinf().any():  # a dilated window wholly on the padding
            with pytest.raises(UserError, match="wholly on the padding"):
                max_pool(**p)
            return
        walk = max_pool(**p)
        check(walk, expected.reshape(walk.result.shape))
        assert np.array_equal(walk.facts["switches"], indices.reshape(walk.result.shape))

    run()


@pytest.mark.parametrize("axes", [1, 2])
def test_backward_of_max_pool_is_autograds(axes):
    @PROPERTY
    @given(pools(axes))
    def run(p):
        assume(fits(p))
        x = batched(p["input"], axes).requires_grad_()
        y, _ = torch_max(p, axes, x)
        assume(not y.isinf().any())
        gradient = torch.randn(y.shape, dtype=torch.float64)
        y.backward(gradient)
        shape = max_pool(**p).result.shape
        walk = max_pool_backward(**p, grad_output=gradient.reshape(shape).numpy())
        check(walk, x.grad.reshape(p["input"].shape))

    run()


def test_a_window_larger_than_the_input_with_ceil_mode():
    x = np.array([[1.0, 5.0], [2.0, 3.0]])
    walk = max_pool(x, 3, ceil_mode=True)
    assert np.array_equal(walk.result, F.max_pool2d(tensor(x)[None], 3, ceil_mode=True)[0])
    assert "rounded up to 1" in walk.formula[0]
    for padded in (False, True):
        mean = avg_pool(x, 3, ceil_mode=True, count_include_pad=padded)
        expected = F.avg_pool2d(tensor(x)[None], 3, None, 0, True, padded)[0]
        assert np.allclose(mean.result, expected)
    for refused in ({"ceil_mode": False}, {"ceil_mode": True, "stride": 1}):
        with pytest.raises(RuntimeError):
            F.max_pool2d(tensor(x)[None], 3, **refused)
        with pytest.raises(UserError, match="make the window smaller"):
            max_pool(x, 3, **refused)


@pytest.mark.parametrize("axes", [1, 2])
@pytest.mark.parametrize("counted", [False, True])
def test_avg_pool(axes, counted):
    @PROPERTY
    @given(pools(axes, dilated=False))
    def run(p):
        assume(fits(p))
        expected = AVERAGE[axes](
            batched(p["input"], axes),
            p["kernel_size"],
            p["stride"],
            p["padding"],
            p["ceil_mode"],
            counted,
        )
        walk = avg_pool(**p, count_include_pad=counted)
        check(walk, expected.reshape(walk.result.shape))

    run()


@pytest.mark.parametrize("axes", [1, 2])
def test_max_unpool(axes):
    @PROPERTY
    @given(pools(axes), st.booleans())
    def run(p, sized):
        # Overlapping windows give equal switches, whose order PyTorch leaves open.
        p.update(stride=None, dilation=(1,) * axes, ceil_mode=False)
        assume(fits(p))
        values, indices = torch_max(p, axes)
        size = p["input"].shape[-axes:] if sized else None
        if not sized:
            rows = zip(values.shape[2:], p["kernel_size"], p["padding"], strict=True)
            size_now = [n * k - 2 * q for n, k, q in rows]
            assume(min(size_now) >= 1 and indices.max() < np.prod(size_now))
        expected = UNPOOL[axes](values, indices, p["kernel_size"], None, p["padding"], size)
        shape = max_pool(**p).result.shape
        walk = max_unpool(
            values.reshape(shape).numpy(),
            indices.reshape(shape).numpy(),
            p["kernel_size"],
            padding=p["padding"],
            output_size=size,
        )
        check(walk, expected.reshape(walk.result.shape))

    run()


@pytest.mark.parametrize("shape", [(3,), (2, 3), (2, 2, 3)])
@pytest.mark.parametrize("scale", [1, 2, 3])
def test_blocks(shape, scale):
    x = np.random.default_rng(0).normal(size=shape)
    axes = min(len(shape), 2)
    expected = F.interpolate(batched(x, axes), scale_factor=scale)
    walk = nearest_unpool(x, scale)
    check(walk, expected.reshape(walk.result.shape))
    nail = np.zeros((scale,) * axes)
    nail[(0,) * axes] = 1
    check(bed_of_nails(x, scale), np.kron(x, nail if x.ndim == axes else nail[None]))


@pytest.mark.parametrize(
    ("function", "given"),
    [
        (max_pool, {"input": [1, 2], "kernel_size": 3}),
        (max_pool, {"input": [1, 2, 3], "kernel_size": 2, "padding": 2}),
        (max_pool, {"input": [1, 2, 3], "kernel_size": 0}),
        (max_pool_backward, {"input": [1, 2, 3, 4], "kernel_size": 2, "grad_output": [1]}),
        (max_unpool, {"input": [1, 2], "indices": [0, 4]}),
        (max_unpool, {"input": [1, 2], "indices": [0, 0.5]}),
        (max_unpool, {"input": [1, 2], "indices": [0]}),
        (max_unpool, {"input": [1, 2], "indices": [0, 1], "output_size": 9}),
        (max_unpool, {"input": [1], "indices": [0], "padding": 1}),
        (nearest_unpool, {"input": [[1, 2]], "scale_factor": 1000}),
    ],
)
def test_what_does_not_fit_is_said(function, given):
    with pytest.raises(UserError):
        function(**given)
