"""The lecture's examples give the lecture's results; the registry refuses what does not fit."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch.nn.functional as F
from torchvision.ops import roi_align, roi_pool

from tests.walkthroughs.checks import check
from tests.walkthroughs.test_convolution import tensor
from vision_core.errors import UserError
from vision_core.walkthroughs import OPERATORS, PRESETS, build, parameters
from vision_core.walkthroughs.presets import ONES, REGION

ALL = [(name, p.name) for name, presets in PRESETS.items() for p in presets]
A, B, C, D = 1, 2, 3, 4  # the lecture's input (a, b, c, d) ...
X, Y, Z = 1, 10, 100  # ... and its kernel (x, y, z)
STRIDE_1 = [A * Y + B * Z, A * X + B * Y + C * Z, B * X + C * Y + D * Z, C * X + D * Y]
STRIDE_2 = [A * Y + B * Z, B * X + C * Y + D * Z]
BACK_1 = [A * X, A * Y + B * X, A * Z + B * Y + C * X, B * Z + C * Y + D * X, C * Z + D * Y, D * Z]
BACK_2 = [A * X, A * Y, A * Z + B * X, B * Y, B * Z, 0]
LECTURE = {
    ("convolution", "one-dimensional"): STRIDE_1,
    ("convolution_matrix", "stride-1"): [
        [X, Y, Z, 0, 0, 0],
        [0, X, Y, Z, 0, 0],
        [0, 0, X, Y, Z, 0],
        [0, 0, 0, X, Y, Z],
    ],
    ("convolution_matrix", "stride-2"): [[X, Y, Z, 0, 0, 0], [0, 0, X, Y, Z, 0]],
    ("convolution_matrix", "forward-stride-1"): STRIDE_1,
    ("convolution_matrix", "transposed-stride-1"): BACK_1,
    ("convolution_matrix", "transposed-stride-2"): BACK_2,
    ("transposed_convolution", "one-dimensional-stride-1"): BACK_1,
    ("transposed_convolution", "one-dimensional-stride-2"): BACK_2,
    ("max_pool", "grid"): [[6, 9], [3, 4]],
    ("nms", "four-scores"): [0.9, 0, 0.82, 0],
    ("max_pool", "stairs"): [[6, 8], [3, 4]],
    ("max_pool", "switches"): [[5, 6], [7, 8]],
    ("nearest_unpool", "doubling"): [[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 4], [3, 3, 4, 4]],
    ("bed_of_nails", "doubling"): [[1, 0, 2, 0], [0, 0, 0, 0], [3, 0, 4, 0], [0, 0, 0, 0]],
    ("max_unpool", "switches"): [[0, 0, 2, 0], [0, 1, 0, 0], [0, 0, 0, 0], [3, 0, 0, 4]],
    ("max_pool_backward", "switches"): [[0, 0, 2, 0], [0, 1, 0, 0], [0, 0, 0, 0], [3, 0, 0, 4]],
}


@pytest.mark.parametrize(("name", "which"), LECTURE)
def test_the_lectures_results(name, which):
    check(build(name, which), LECTURE[name, which])


def test_stride_2_of_the_lecture():
    # The lecture's (ay+bz, bx+cy+dz).
    check(build("convolution_matrix", "forward-stride-2"), STRIDE_2)


@pytest.mark.parametrize(("name", "which"), ALL)
def test_every_preset_is_plain_consistent_and_short(name, which):
    walk = build(name, which)
    check(walk, walk.frame(len(walk.steps) - 1))
    assert len(walk.steps) <= 60 and walk.name == name
    shown = next(p for p in PRESETS[name] if p.name == which)
    assert json.loads(json.dumps(shown.params)) is not None and shown.shows.endswith(".")


def test_every_operator_has_presets_with_names_of_their_own():
    assert set(PRESETS) == set(OPERATORS)
    assert len(set(ALL)) == len(ALL)


def test_the_switches_of_the_unpooling_are_those_of_the_pooling():
    pooled = build("max_pool", "switches")
    assert (
        pooled.facts["switches"]
        == build("max_unpool", "switches").operands["indices"].array.tolist()
    )


def test_stride_2_makes_four_of_two():
    walk = build("transposed_convolution", "stride-2-doubles")
    w = tensor([[1, 2, 1], [2, 4, 2], [1, 2, 1]])[None, None]
    expected = F.conv_transpose2d(tensor([[1, 2], [3, 4]])[None, None], w, None, 2, 1, 1)[0, 0]
    check(walk, expected)
    assert walk.result.shape == (4, 4)


def test_a_constant_input_shows_the_checkerboard_and_the_way_out():
    board = build("transposed_convolution", "checkerboard").result[2:-2, 2:-2]
    even = build("transposed_convolution", "even-overlap").result[1:-1, 1:-1]
    assert len(np.unique(board)) > 1 and len(np.unique(even)) == 1
    # Resize, then convolve: nearest neighbours of a constant are constant.
    wide = build("nearest_unpool", input=ONES).result
    assert len(np.unique(build("convolution", input=wide, weight=[[1] * 3] * 3).result)) == 1


@pytest.mark.parametrize(("name", "exact"), [("roi_pool", roi_pool), ("roi_align", roi_align)])
def test_the_region_of_the_640x480_photo(name, exact):
    more = {} if name == "roi_pool" else {"sampling_ratio": 2, "aligned": True}
    features = tensor(REGION["input"])[None, None]
    assert features.shape[2:] == (480 // 32, 640 // 32)
    expected = exact(features, [tensor([REGION["box"]])], 2, 1 / 32, **more)[0, 0]
    check(build(name), expected)


def test_build_takes_presets_aliases_and_changes():
    plain = build("convolution", input=[1, 2, 3], weight=[1, 1])
    assert build("convolution", input=[1, 2, 3], kernel=[1, 1]).result.tolist() == [3, 5]
    assert plain.result.tolist() == [3, 5]
    changed = build("convolution", "one-dimensional", stride=2)
    assert changed.result.tolist() == [STRIDE_1[0], STRIDE_1[2]]
    assert build("max_pool").result.tolist() == [[6, 9], [3, 4]]
    assert parameters("convolution")["input"] is ... and parameters("convolution")["stride"] == 1


BAD = [
    ("convolutoin", {}, "did you mean convolution"),
    ("zzz", {}, "choose one of"),
    ("convolution", {"input": [1, 2]}, "still needs weight"),
    ("convolution", {"input": [1, 2], "weight": [1], "kernel": [1]}, "given twice"),
    ("convolution", {"size": 3}, "has no parameter size"),
    ("max_pool", {"input": [1, 2], "kernel": 2}, "has no parameter kernel"),
    ("convolution", {"input": [[1, 2], [3]], "weight": [[1]]}, "rows of equal length"),
    ("convolution", {"input": [1, "2"], "weight": [1]}, "rows of equal length"),
    ("convolution", {"input": [1, float("nan")], "weight": [1]}, "finite numbers"),
    ("convolution", {"input": [], "weight": [1]}, "holds no number"),
    ("convolution", {"input": [[[[1]]]], "weight": [[1]]}, "has 4 dimensions"),
    ("convolution", {"input": [1, 2], "weight": [1, 2, 3]}, "kernel spans 3"),
    ("convolution", {"input": [1, 2], "weight": [1], "stride": 0}, "stride must be"),
    ("convolution", {"input": [1, 2], "weight": [1], "stride": 1.5}, "stride must be"),
    ("convolution", {"input": [1, 2], "weight": [1], "stride": [1, 1]}, "one whole number or 1"),
    ("convolution", {"input": [1, 2], "weight": [1], "padding": -1}, "padding must be"),
    ("convolution", {"input": [1, 2], "weight": [1], "groups": 2}, "groups must divide"),
    ("convolution", {"input": [[1], [2]], "weight": [[[1]]]}, "made for 1 input channels"),
    ("convolution", {"input": [1, 2], "weight": [1], "bias": [1, 2]}, "bias needs one"),
    ("convolution", {"input": [1, 2], "weight": [1], "flip": 1}, "flip must be true or false"),
    ("convolution", {"input": np.ones((300, 300)), "weight": [[1]]}, "too large to step"),
    (
        "transposed_convolution",
        {"input": [1], "weight": [1], "output_padding": 1},
        "output_padding must be smaller",
    ),
    ("transposed_convolution", {"input": [1], "weight": [1], "padding": 1}, "Nothing is left"),
    ("transposed_convolution", {"input": [1], "weight": [1], "view": "up"}, "view must be one of"),
    (
        "transposed_convolution",
        {"input": [[1] * 9] * 9, "weight": [[1]], "stride": 9999},
        "too large to step",
    ),
    (
        "roi_pool",
        {"input": [[1]], "box": [0, 0, 1, 1], "spatial_scale": 10**400},
        "spatial_scale must be a finite number",
    ),
    ("roi_align", {"input": [[1, 2]] * 2, "box": [0, 0, 1e6, 1e6]}, "too large to step"),
]


@pytest.mark.parametrize(("name", "params", "words"), BAD)
def test_what_does_not_fit_is_said_in_one_sentence(name, params, words):
    with pytest.raises(UserError, match=words) as caught:
        build(name, **params)
    assert "\n" not in str(caught.value)


def test_frames_and_operands_cannot_be_changed():
    walk = build("max_pool")
    with pytest.raises(ValueError):
        walk.operands["input"].array[0, 0] = 1
    for step in (-2, len(walk.steps)):
        with pytest.raises(UserError, match="There is no step"):
            walk.frame(step)
    with pytest.raises(UserError, match="no preset called"):
        build("max_pool", "other")
