"""The matrix of a convolution: C x is the convolution, C^T g its backward and its transposed."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.walkthroughs.checks import PROPERTY, TOLERANCE, check
from tests.walkthroughs.test_convolution import CONV, tensor
from tests.walkthroughs.test_transposed import TRANSPOSED
from vision_core.errors import UserError
from vision_core.walkthroughs.matrix import convolution_matrix


@st.composite
def layers(draw, axes):
    small = st.tuples(*[st.integers(1, 3)] * axes)
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    return {
        "input": rng.normal(size=tuple(rng.integers(1, 6, axes))),
        "weight": rng.normal(size=draw(small)),
        "stride": draw(small),
        "dilation": draw(small),
        "padding": draw(st.tuples(*[st.integers(0, 2)] * axes)),
    }


def padded(p):
    return np.pad(p["input"], [(q, q) for q in p["padding"]])


def backward(p, axes, gradient):
    """The gradient of the padded input, by autograd."""
    x = tensor(padded(p)).requires_grad_()
    y = CONV[axes](
        x[None, None], tensor(p["weight"])[None, None], None, p["stride"], 0, p["dilation"]
    )
    y.backward(tensor(gradient)[None, None])
    return x.grad


@pytest.mark.parametrize("axes", [1, 2])
def test_three_views(axes):
    @PROPERTY
    @given(layers(axes))
    def run(p):
        x = padded(p)
        spans = [d * (k - 1) + 1 for d, k in zip(p["dilation"], p["weight"].shape, strict=True)]
        assume(all(a <= b for a, b in zip(spans, x.shape, strict=True)))
        y = CONV[axes](
            tensor(x)[None, None],
            tensor(p["weight"])[None, None],
            None,
            p["stride"],
            0,
            p["dilation"],
        )[0, 0].numpy()
        built = convolution_matrix(**p, view="matrix")
        np.testing.assert_allclose(built.result @ x.ravel(), y.ravel(), **TOLERANCE)
        check(built, independent_matrix(p, axes, x.shape))
        check(convolution_matrix(**p, view="forward"), y.ravel())
        gradient = np.random.default_rng(0).normal(size=y.shape)
        walk = convolution_matrix(**p, view="transposed", grad_output=gradient)
        expected = backward(p, axes, gradient)
        check(walk, expected.ravel())
        inner = tuple(slice(q, q + n) for q, n in zip(p["padding"], p["input"].shape, strict=True))
        np.testing.assert_allclose(walk.facts["cropped"], expected[inner], **TOLERANCE)

    run()


def independent_matrix(p, axes, shape):
    """A column of C is the convolution of a picture that is one in a single cell."""
    units = tensor(np.eye(int(np.prod(shape))).reshape(-1, 1, *shape))
    columns = CONV[axes](
        units, tensor(p["weight"])[None, None], None, p["stride"], 0, p["dilation"]
    )
    return columns.flatten(1).T.numpy()


def test_the_transposed_view_is_the_transposed_convolution():
    gradient, w = np.arange(1.0, 5).reshape(2, 2), np.arange(9.0).reshape(3, 3)
    walk = convolution_matrix(np.zeros((4, 4)), w, view="transposed", grad_output=gradient)
    expected = TRANSPOSED[2](tensor(gradient)[None, None], tensor(w)[None, None])[0, 0]
    np.testing.assert_allclose(walk.facts["cropped"], expected, **TOLERANCE)
    assert walk.facts["rows"] == 4 and walk.facts["columns"] == 16
    assert torch.is_tensor(expected) and expected.shape == (4, 4)


def test_a_row_is_built_at_each_step():
    walk = convolution_matrix([1, 2, 3, 4], [7, 8, 9], padding=1)
    first = walk.frame(0)
    assert first[0].tolist() == [7, 8, 9, 0, 0, 0] and np.isnan(first[1:]).all()
    assert walk.facts["nonzero"] == 12


@pytest.mark.parametrize(
    "given",
    [
        {"input": np.ones((2, 3, 3)), "weight": np.ones((2, 2))},
        {"input": np.ones((3, 3)), "weight": np.ones((2, 2)), "grad_output": [[1, 1], [1, 1]]},
        {
            "input": np.ones((3, 3)),
            "weight": np.ones((2, 2)),
            "view": "transposed",
            "grad_output": [[1, 1]],
        },
        {"input": np.ones((3, 3)), "weight": np.ones((2, 2)), "view": "sideways"},
    ],
)
def test_what_does_not_fit_is_said(given):
    with pytest.raises(UserError):
        convolution_matrix(**given)
