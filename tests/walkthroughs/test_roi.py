"""RoI pooling and RoI Align against torchvision in float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torchvision.ops import roi_align as torch_align
from torchvision.ops import roi_pool as torch_pool

from tests.walkthroughs.checks import PROPERTY, check
from tests.walkthroughs.test_convolution import tensor
from vision_core.errors import UserError
from vision_core.walkthroughs.roi_align import neighbours, roi_align
from vision_core.walkthroughs.roi_pool import roi_pool, round_half_away


@st.composite
def regions(draw):
    """Boxes partly off the map, without extent, on halves; scales of powers of two are exact."""
    scale = draw(st.sampled_from([1.0, 0.5, 0.25, 1 / 32]))
    channels, height, width = (
        draw(st.integers(1, 2)),
        draw(st.integers(1, 7)),
        draw(st.integers(1, 8)),
    )
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    whole = st.integers(-6, 22).map(lambda v: v / 2)
    any_place = st.floats(-3, 11, allow_nan=False).map(lambda v: round(v, 3))
    xs = sorted(draw(st.lists(whole | any_place, min_size=2, max_size=2)))
    ys = sorted(draw(st.lists(whole | any_place, min_size=2, max_size=2)))
    x1, y1 = min(xs[0], width - 0.5), min(ys[0], height - 0.5)
    box = [v / scale for v in (x1, y1, max(xs[1], 0.0), max(ys[1], 0.0))]
    size = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    x = rng.normal(size=(channels, height, width))
    return {"input": x, "box": box, "output_size": size, "spatial_scale": scale}


def torch_args(p):
    return tensor(p["input"])[None], [tensor([p["box"]])], p["output_size"], p["spatial_scale"]


@PROPERTY
@given(regions())
def test_roi_pool(p):
    expected = torch_pool(*torch_args(p))[0]
    walk = roi_pool(**p)
    check(walk, expected)
    assert not any(step.writes for step in walk.steps[:3])
    for name in ("moved_cells", "moved_pixels"):
        assert len(walk.facts[name]) == 4


@PROPERTY
@given(regions(), st.booleans(), st.sampled_from([-1, 0, 1, 2, 3]))
def test_roi_align(p, aligned, ratio):
    expected = torch_align(*torch_args(p), ratio, aligned)[0]
    walk = roi_align(**p, sampling_ratio=ratio, aligned=aligned)
    check(walk, expected)
    terms = [term for step in walk.steps for term in step.terms]
    for term in terms:
        assert not term.weights or sum(term.weights) == pytest.approx(1)
        assert len(term.weights) == len(term.reads) in (0, 4)


def test_one_channel_needs_no_channel_axis():
    x = np.arange(20.0).reshape(4, 5)
    p = {"input": x[None], "box": [0.3, 0.6, 3.7, 2.9], "output_size": (2, 2), "spatial_scale": 1.0}
    check(roi_pool(x, p["box"]), torch_pool(*torch_args(p))[0, 0])
    check(roi_align(x, p["box"]), torch_align(*torch_args(p))[0, 0])


def test_halves_are_rounded_away_from_zero():
    assert [round_half_away(v) for v in (0.5, 1.5, 2.5, -0.5, -1.5, 2.4)] == [1, 2, 3, -1, -2, 2]
    x = np.arange(16.0).reshape(1, 4, 4)
    assert roi_pool(x, [0.5, 0.5, 2.5, 2.5]).facts["snapped"] == [1, 1, 3, 3]


def test_what_rounding_moved_in_cells_and_pixels():
    facts = roi_pool(np.zeros((15, 20)), [100, 100, 300, 260], 2, 1 / 32).facts
    assert facts["projected"] == [3.125, 3.125, 9.375, 8.125]
    assert facts["snapped"] == [3, 3, 9, 8]
    # The cells 3..9 end at 10: 0.625 cells or 20 pixels beyond 9.375.
    assert facts["moved_cells"] == [-0.125, -0.125, 0.625, 0.875]
    assert facts["moved_pixels"] == [-4, -4, 20, 28]


def test_align_of_a_plane_is_exact_where_pool_is_not():
    """Bilinear sampling reproduces a linear picture: the value at the centre of each bin."""
    ys, xs = np.mgrid[0:8, 0:8].astype(float)
    plane, box = 2 * ys + 3 * xs, [1.3, 2.2, 5.3, 5.2]
    found = roi_align(plane, box, 2, sampling_ratio=2, aligned=True).result
    y, x = np.array([2.95, 4.45]) - 0.5, np.array([2.3, 4.3]) - 0.5
    np.testing.assert_allclose(found, 2 * y[:, None] + 3 * x[None])
    assert np.abs(roi_pool(plane, box, 2).result - found).min() > 0.5


def test_adaptive_points_are_as_many_as_the_bin_has_cells():
    walk = roi_align(np.ones((9, 9)), [0, 0, 7, 5], 2)
    assert walk.facts["points_per_bin"] == [3, 4]
    assert len(walk.facts["points"]) == 4 * 12 == len(walk.steps) - 2


def test_points_off_the_map():
    assert neighbours(-1.01, 0, 3, 3) == [] and neighbours(0, 3.01, 3, 3) == []
    # Within one cell of the map a point is moved onto its edge: here the top right corner.
    edge = neighbours(-1, 3, 3, 3)
    assert sum(weight for cell, weight in edge if cell == (0, 2)) == 1


def test_where_the_gradient_lands_is_what_was_read():
    x = torch.randn(1, 1, 6, 6, dtype=torch.float64, requires_grad=True)
    torch_align(x, [tensor([[0.7, 1.2, 4.4, 5.1]])], 2, 1.0, 2, True)[0, 0, 1, 0].backward()
    walk = roi_align(x.detach()[0, 0].numpy(), [0.7, 1.2, 4.4, 5.1], 2, 1.0, 2, True)
    terms = [t for s in walk.steps for t in s.terms if s.writes[t.to].cell == (1, 0)]
    found = np.zeros((6, 6))
    for term in terms:
        for (_, cell), weight in zip(term.reads, term.weights, strict=True):
            found[cell] += weight / len(terms)
    np.testing.assert_allclose(found, x.grad[0, 0].numpy(), atol=1e-12)


@pytest.mark.parametrize(
    "given",
    [
        {"box": [0, 0, 2]},
        {"box": [3, 0, 2, 2]},
        {"box": [9, 0, 12, 2]},
        {"box": [-9, 0, -2, 2]},
        {"box": [0, 0, 1e9, 2]},
        {"box": [0, 0, 2, 2], "spatial_scale": 0},
        {"box": [0, 0, 2, 2], "output_size": [1, 2, 3]},
    ],
)
@pytest.mark.parametrize("function", [roi_pool, roi_align])
def test_what_does_not_fit_is_said(function, given):
    with pytest.raises(UserError):
        function(np.zeros((4, 4)), **given)
