"""Which level serves a box, against torchvision's mapper, FCOS's training and brute force."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torchvision.ops.poolers import LevelMapper

from tests.inside.nets import EVERY, TWO_STAGE, looked_into, module_of
from tests.inside.slow import iou
from vision_core.inside.levels import by_mapper, fcos_ranges, pooler_levels, served

SIDES = st.floats(0.5, 2000)


@given(SIDES, SIDES, st.sampled_from([(2, 5, 224, 4), (3, 5, 112, 4), (2, 6, 100, 3)]))
def test_the_rule_is_that_of_the_mapper(width, height, constants):
    mapper = LevelMapper(*constants)
    box = torch.tensor([[3.0, 5.0, 3.0 + width, 5.0 + height]], dtype=torch.float64)
    names = tuple(str(k) for k in range(constants[0], constants[1] + 1))
    w, h = (box[0, 2:] - box[0, :2]).tolist()
    answer = by_mapper(w, h, names, mapper)
    edge = np.log2(np.sqrt(w * h) / constants[2])
    if abs(edge - round(edge) + 1e-6) > 1e-9:  # rounding alone decides there
        assert answer.levels == (int(mapper([box])[0]),)
    assert sum(row.serves for row in answer.rows) == 1
    row = answer.rows[answer.levels[0]]
    assert row.low * (1 - 1e-6) <= answer.terms[0].value < row.high
    assert answer.terms[-1].value == constants[0] + answer.levels[0]


def test_the_256_of_the_paper():
    mapper = LevelMapper(2, 5)
    names = ("P2", "P3", "P4", "P5")
    sizes = {112: "P3", 223: "P3", 224: "P4", 447: "P4", 448: "P5", 5: "P2", 5000: "P5"}
    for side, name in sizes.items():
        assert names[by_mapper(side, side, names, mapper).levels[0]] == name
    assert str(by_mapper(448, 448, names, mapper).terms[1]) == "k = floor(4 + log2(448 / 224)) = 5"


@pytest.mark.parametrize("name", TWO_STAGE)
def test_two_stages_ask_the_pooler_of_the_model(name):
    here, pool = looked_into(name), module_of(name).roi_heads.box_roi_pool
    names, mapper = pooler_levels(here)
    assert set(names) == set(pool.featmap_names) & set(here.features)
    boxes = torch.from_numpy(here.trace.source_boxes_net[:40].astype(np.float64))
    expected = mapper([boxes]).tolist()
    assert [served(here, box).levels[0] for box in boxes.tolist()] == expected
    if pool.map_levels is not None:
        assert mapper is pool.map_levels


@pytest.mark.parametrize("name", ["fcos_s", "fcos_resnet50_fpn"])
def test_the_ranges_of_fcos_grow_and_leave_no_gap_below_the_last(name):
    here = looked_into(name)
    ranges = fcos_ranges(here)
    assert ranges[0][0] == 0 and ranges[-1][1] == np.inf
    for finer, coarser in itertools.pairwise(ranges):
        assert finer[1] == coarser[0]
    for side in (5, 70, 150, 300, 5000):
        answer = served(here, (0, 0, side, side / 2))
        assert [ranges[i][0] < side / 2 < ranges[i][1] for i in answer.levels] == [True]


@pytest.mark.parametrize("name", ["retinanet_resnet50_fpn", "ssd300_vgg16"])
def test_anchors_decide_by_their_best_overlap(name):
    here = looked_into(name)
    box = (40.0, 30.0, 130.0, 150.0)
    anchors = here.trace.field.anchors_net.astype(np.float64)
    overlaps = np.array([iou(anchor, box) for anchor in anchors])
    answer = served(here, box)
    best = overlaps.argmax()
    assert answer.levels == (int(here.trace.field.level[best]),)
    assert answer.rows[answer.levels[0]].low == pytest.approx(overlaps[best], abs=1e-9)


@pytest.mark.parametrize("name", EVERY)
def test_a_box_without_area_is_refused(name):
    with pytest.raises(ValueError, match="no area"):
        served(looked_into(name), (5, 5, 5, 9))


def test_a_grid_has_one_level():
    assert served(looked_into("yolo_s"), (0, 0, 9, 9)).rule == "one"
