"""Transposed convolution against PyTorch in float64, and its two views against each other."""

from __future__ import annotations

import numpy as np
import pytest
import torch.nn.functional as F
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.walkthroughs.checks import PROPERTY, TOLERANCE, check
from tests.walkthroughs.test_convolution import CONV, tensor
from vision_core.walkthroughs.transposed import transposed_convolution

TRANSPOSED = {1: F.conv_transpose1d, 2: F.conv_transpose2d}


@st.composite
def layers(draw, axes):
    small = st.tuples(*[st.integers(1, 3)] * axes)
    groups = draw(st.sampled_from([1, 1, 2]))
    ins, outs = groups * draw(st.integers(1, 2)), draw(st.integers(1, 2))
    stride, dilation = draw(small), draw(small)
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    most = [max(s, d) - 1 for s, d in zip(stride, dilation, strict=True)]
    return {
        "input": rng.normal(size=(ins, *rng.integers(1, 4, axes))),
        "weight": rng.normal(size=(ins, outs, *draw(small))),
        "bias": rng.normal(size=outs * groups) if draw(st.booleans()) else None,
        "stride": stride,
        "dilation": dilation,
        "groups": groups,
        "padding": draw(st.tuples(*[st.integers(0, 3)] * axes)),
        "output_padding": draw(st.tuples(*[st.integers(0, m) for m in most])),
    }


def left_over(p):
    """Output size without channels."""
    found = zip(
        p["input"].shape[1:],
        p["weight"].shape[2:],
        p["stride"],
        p["padding"],
        p["output_padding"],
        p["dilation"],
        strict=True,
    )
    return [(n - 1) * s - 2 * q + d * (k - 1) + o + 1 for n, k, s, q, o, d in found]


@pytest.mark.parametrize("axes", [1, 2])
def test_both_views_equal_pytorch_and_each_other(axes):
    @PROPERTY
    @given(layers(axes))
    def run(p):
        size = left_over(p)
        assume(min(size) >= 1)
        bias = None if p["bias"] is None else tensor(p["bias"])
        expected = TRANSPOSED[axes](
            tensor(p["input"])[None],
            tensor(p["weight"]),
            bias,
            p["stride"],
            p["padding"],
            p["output_padding"],
            p["groups"],
            p["dilation"],
        )[0]
        scatter = transposed_convolution(**p)
        gather = transposed_convolution(**p, view="gather")
        check(scatter, expected)
        check(gather, expected)
        same_at_every_step(scatter, gather)
        convolved(p, gather, expected, axes)
        overlap = TRANSPOSED[axes](
            tensor(np.ones((1, 1, *p["input"].shape[1:]))),
            tensor(np.ones((1, 1, *p["weight"].shape[2:]))),
            None,
            p["stride"],
            p["padding"],
            p["output_padding"],
            1,
            p["dilation"],
        )
        assert scatter.facts["overlap"] == overlap[0, 0].long().tolist()

    run()


def same_at_every_step(scatter, gather):
    """What the gather view has written, the scatter view has completed, and it changes no more."""
    assert len(scatter.steps) == len(gather.steps)
    written = np.zeros(scatter.result.shape, dtype=int)
    for k, step in enumerate(gather.steps):
        shown = scatter.frame(k)
        for write in step.writes:
            written[write.cell] += 1
            np.testing.assert_allclose(shown[write.cell], write.value, **TOLERANCE)
        later = {w.cell for s in scatter.steps[k + 1 :] for w in s.writes}
        assert not later & {w.cell for w in step.writes}
    assert (written == 1).all()


def convolved(p, gather, expected, axes):
    """An ordinary stride-1 convolution of the stretched input with the kernel turned round."""
    groups, weight = p["groups"], tensor(p["weight"])
    parts = weight.flip(list(range(2, 2 + axes))).chunk(groups)
    turned = np.concatenate([part.transpose(0, 1).numpy() for part in parts])
    found = CONV[axes](
        tensor(gather.operands["stretched"].array)[None],
        tensor(turned),
        None if p["bias"] is None else tensor(p["bias"]),
        1,
        0,
        p["dilation"],
        groups,
    )[0]
    np.testing.assert_allclose(found, expected, **TOLERANCE)
    for step in gather.steps:
        for term in step.terms:
            reads = dict(term.reads)
            if "stretched" in reads:
                same = gather.operands["stretched"].array[reads["stretched"]]
                assert same == gather.operands["input"].array[reads["input"]]


def test_one_channel_needs_no_channel_axes():
    x, w = np.arange(1.0, 5).reshape(2, 2), np.arange(9.0).reshape(3, 3)
    expected = F.conv_transpose2d(tensor(x)[None, None], tensor(w)[None, None], stride=2)[0, 0]
    for view in ("scatter", "gather"):
        check(transposed_convolution(x, w, stride=2, view=view), expected)


def test_overlap_of_checkerboards():
    three = transposed_convolution(np.ones((4, 4)), np.ones((3, 3)), stride=2)
    four = transposed_convolution(np.ones((4, 4)), np.ones((4, 4)), stride=2, padding=1)
    inner = np.array(three.facts["overlap"])[2:-2, 2:-2]
    assert sorted(set(inner.ravel().tolist())) == [1, 2, 4]
    assert set(np.array(four.facts["overlap"])[1:-1, 1:-1].ravel().tolist()) == {4}


def test_the_text_of_both_views():
    scatter = transposed_convolution([1, 2], [1, 2, 3], stride=2)
    assert scatter.steps[2].text == "x[1] = 2 times the kernel is added from y[2] to y[4]"
    gather = transposed_convolution([1, 2], [1, 2, 3], stride=2, view="gather")
    assert gather.steps[2].text == "y[2] = 1·3 + 2·1 = 5; y[3] = 2·2 = 4; y[4] = 2·3 = 6"
