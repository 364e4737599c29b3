"""Convolution against PyTorch in float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.walkthroughs.checks import PROPERTY, check
from vision_core.walkthroughs.convolution import convolution
from vision_core.walkthroughs.counts import bottleneck_counts, convolution_counts

CONV = {1: F.conv1d, 2: F.conv2d}


def tensor(array):
    return torch.as_tensor(np.array(array), dtype=torch.float64)


@st.composite
def layers(draw, axes):
    """Parameters of a convolution, among them strides that floor the size."""
    small = st.tuples(*[st.integers(1, 3)] * axes)
    groups = draw(st.sampled_from([1, 1, 2]))
    ins, outs = groups * draw(st.integers(1, 2)), groups * draw(st.integers(1, 2))
    kernel = draw(small)
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    size = tuple(rng.integers(1, 6, axes))
    return {
        "input": rng.normal(size=(ins, *size)),
        "weight": rng.normal(size=(outs, ins // groups, *kernel)),
        "bias": rng.normal(size=outs) if draw(st.booleans()) else None,
        "stride": draw(small),
        "dilation": draw(small),
        "groups": groups,
        "padding": draw(st.tuples(*[st.integers(0, 3)] * axes)),
    }


@pytest.mark.parametrize("axes", [1, 2])
@pytest.mark.parametrize("flip", [False, True])
def test_equals_pytorch(axes, flip):
    @PROPERTY
    @given(layers(axes))
    def run(p):
        spans = [d * (k - 1) + 1 for d, k in zip(p["dilation"], p["weight"].shape[2:], strict=True)]
        room = [n + 2 * q for n, q in zip(p["input"].shape[1:], p["padding"], strict=True)]
        assume(all(a <= b for a, b in zip(spans, room, strict=True)))
        weight = tensor(p["weight"])
        weight = weight.flip(list(range(2, 2 + axes))) if flip else weight
        bias = None if p["bias"] is None else tensor(p["bias"])
        expected = CONV[axes](
            tensor(p["input"])[None],
            weight,
            bias,
            p["stride"],
            p["padding"],
            p["dilation"],
            p["groups"],
        )[0]
        walk = convolution(**p, flip=flip)
        check(walk, expected)
        assert walk.facts["output_size"] == list(expected.shape[1:])
        assert walk.facts["neurons"] == expected.numel()
        assert len(walk.steps) == expected.numel()

    run()


def test_one_channel_needs_no_channel_axes():
    x, w = np.arange(12.0).reshape(3, 4), np.array([[1.0, -2.0], [3.0, 0.5]])
    check(convolution(x, w), F.conv2d(tensor(x)[None, None], tensor(w)[None, None])[0, 0])
    check(convolution(x[0], w[0]), np.convolve(x[0], w[0][::-1], "valid"))
    assert convolution(x[None], w).result.shape == (1, 2, 3)


def test_flip_is_the_convolution_of_mathematics():
    x, w = np.arange(1.0, 6), np.array([1.0, 2.0, 4.0])
    check(convolution(x, w, flip=True), np.convolve(x, w, "valid"))
    assert not np.allclose(convolution(x, w).result, np.convolve(x, w, "valid"))


def test_a_floored_size_is_said():
    floored = convolution(np.ones((6, 7)), np.ones((3, 3)), stride=2)
    assert "floored to 2" in floored.formula[0] and "2.5" in floored.formula[0]
    assert "floored" not in floored.formula[1] and floored.formula[1].endswith("= 3")
    assert floored.facts["unreached"] == [1, 0]


def test_the_text_is_the_sum():
    step = convolution([1, 2, 3], [1, -1], bias=[10]).steps[0]
    assert step.text == "y[0] = 1·1 + 2·(-1) + 10 = 9"
    assert step.reads == {"input": ((0,), (1,)), "weight": ((0,), (1,)), "bias": ((0,),)}


def test_counts_are_those_of_pytorchs_modules():
    layer = torch.nn.Conv2d(6, 4, (3, 2), groups=2)
    counts = convolution_counts(6, 4, (3, 2), (5, 5), groups=2)
    assert counts["weights"] == layer.weight.numel() and counts["biases"] == layer.bias.numel()
    walk = convolution(np.ones((6, 7, 6)), layer.weight.detach().numpy(), groups=2)
    # Without padding every multiplication is one term.
    assert walk.facts["multiplications"] == sum(len(s.terms) for s in walk.steps)


def test_counts_of_the_lecture():
    assert convolution_counts(3, 10, (5, 5), (32, 32))["weights_per_filter"] == 76
    assert convolution_counts(3, 10, (5, 5), (32, 32))["neurons"] == 32 * 32 * 10
    assert bottleneck_counts() == {"plain": 589_824, "bottleneck": 69_632}
