"""NMS, corner pooling and anchors against torchvision, and a slow version close to the paper."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.ops import box_iou
from torchvision.ops import nms as torch_nms

from tests.walkthroughs.checks import PROPERTY, check
from tests.walkthroughs.test_convolution import tensor
from vision_core.errors import UserError
from vision_core.walkthroughs.anchors import anchors
from vision_core.walkthroughs.corner_pairs import corner_pairs
from vision_core.walkthroughs.corner_pool import corner_pool
from vision_core.walkthroughs.nms import nms

MAPS = ("top_left", "bottom_right", "embedding_top_left", "embedding_bottom_right")


@PROPERTY
@given(st.integers(0, 10_000), st.integers(1, 12), st.sampled_from([0.0, 0.3, 0.5, 0.9, 1.0]))
def test_nms(seed, count, limit):
    rng = np.random.default_rng(seed)
    corner = rng.integers(0, 8, (count, 2))
    boxes = np.concatenate([corner, corner + rng.integers(0, 8, (count, 2))], 1)
    scores = rng.integers(1, 9, count) / 10  # equal scores occur, and empty boxes
    kept = torch_nms(tensor(boxes), tensor(scores), limit).tolist()
    walk = nms(boxes, scores, limit)
    assert walk.facts["kept"] == kept
    check(walk, np.where(np.isin(np.arange(count), kept), scores, 0))
    overlaps = np.nan_to_num(box_iou(tensor(boxes), tensor(boxes)).numpy())
    np.testing.assert_allclose(walk.facts["iou"], overlaps)
    for i, by in enumerate(walk.facts["suppressed_by"]):
        assert (by == -1) == (i in kept)
        assert by == -1 or (by in kept and overlaps[i, by] > limit)
    assert len(walk.steps) == len(kept)


@PROPERTY
@given(st.integers(0, 10_000), st.integers(1, 5), st.integers(1, 5), st.booleans(), st.booleans())
def test_corner_pool(seed, height, width, top_left, two):
    rng = np.random.default_rng(seed)
    down, across = rng.integers(-5, 6, (2, height, width))
    across = across if two else down
    expected = np.zeros((height, width))
    for i in range(height):
        for j in range(width):
            column = down[i:, j] if top_left else down[: i + 1, j]
            row = across[i, j:] if top_left else across[i, : j + 1]
            expected[i, j] = column.max() + row.max()
    corner = "top_left" if top_left else "bottom_right"
    check(corner_pool(down, across if two else None, corner), expected)


@PROPERTY
@given(st.integers(0, 10_000), st.integers(1, 4), st.integers(1, 4), st.integers(1, 5))
def test_corner_pairs_are_those_of_a_slow_second_version(seed, height, width, k):
    rng = np.random.default_rng(seed)
    heats = rng.permutation(2 * height * width).reshape(2, height, width) / (2 * height * width)
    tags = rng.integers(0, 4, (2, height, width)) / 2
    walk = corner_pairs(*heats, *tags, k, 0.5)
    cells = [(r, c) for r in range(height) for c in range(width)]
    k = min(k, len(cells))
    first, second = (sorted(cells, key=lambda cell, h=h: -h[cell])[:k] for h in heats)
    expected = np.zeros((k, k))
    for i, (r, c) in enumerate(first):
        for j, (low, right) in enumerate(second):
            if low > r and right > c and abs(tags[0][r, c] - tags[1][low, right]) <= 0.5:
                expected[i, j] = (heats[0][r, c] + heats[1][low, right]) / 2
    check(walk, expected)
    assert len(walk.facts["pairs"]) == (expected > 0).sum()
    assert [p["score"] for p in walk.facts["pairs"]] == sorted(expected[expected > 0])[::-1]


@pytest.mark.parametrize("sizes", [(32,), (8, 20)])
@pytest.mark.parametrize("ratios", [(1.0,), (0.5, 1.0, 2.0), (0.3, 3.1)])
@pytest.mark.parametrize(("grid", "stride"), [((1, 1), (8, 8)), ((2, 3), (16, 4))])
def test_anchors(sizes, ratios, grid, stride):
    maker = AnchorGenerator((sizes,), (ratios,))
    maker.cell_anchors = [maker.generate_anchors(sizes, ratios, torch.float64)]
    expected = maker.grid_anchors([grid], [[torch.tensor(s) for s in stride]])[0]
    check(anchors(grid, stride, sizes, ratios), expected)


@pytest.mark.parametrize(
    ("function", "given"),
    [
        (nms, {"boxes": [[0, 0, 1]], "scores": [1]}),
        (nms, {"boxes": [[2, 0, 1, 1]], "scores": [1]}),
        (nms, {"boxes": [[0, 0, 1, 1]], "scores": [1, 2]}),
        (nms, {"boxes": [[0, 0, 1, 1]], "scores": [1], "iou_threshold": 2}),
        (corner_pool, {"input": [[1]], "input_horizontal": [[1, 2]]}),
        (corner_pool, {"input": [[1]], "corner": "middle"}),
        (corner_pairs, {key: [[1]] for key in MAPS} | {"top_left": [[1, 2]]}),
        (corner_pairs, {key: [[1]] for key in MAPS} | {"distance": -1}),
        (corner_pairs, {key: [[1]] for key in MAPS} | {"k": 0}),
        (anchors, {"feature_size": 2, "stride": 8, "sizes": [0]}),
        (anchors, {"feature_size": 1000, "stride": 8}),
    ],
)
def test_what_does_not_fit_is_said(function, given):
    with pytest.raises(UserError):
        function(**given)
