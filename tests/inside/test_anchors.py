"""Codes and boxes of anchors against torchvision's coders and the grid detector's slow text."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torchvision.models.detection._utils import BoxCoder

from tests.inside.nets import EVERY, looked_into, model
from vision_core.inference.families import network
from vision_core.inside.anchors import (
    cell_classes,
    class_scores,
    code_weights,
    coder_of,
    codes,
    decode,
    describe,
    encode,
    unclipped,
)
from vision_core.inside.coordinates import follow
from vision_core.records import ANCHOR_FATES

SPANS = st.tuples(*[st.floats(-500, 500)] * 2, *[st.floats(1, 800)] * 2)
ANCHORED = [n for n in EVERY if "fcos" not in n and "yolo" not in n]


def as_box(span: tuple[float, ...]) -> np.ndarray:
    x, y, width, height = span
    return np.array([[x, y, x + width, y + height]])


@given(SPANS, SPANS)
def test_encode_is_that_of_the_coder_and_decode_undoes_it(first, second):
    anchor, box = as_box(first), as_box(second)
    coder = BoxCoder((1.0, 1.0, 1.0, 1.0))
    deltas = encode(anchor, box)
    expected = coder.encode_single(torch.tensor(box), torch.tensor(anchor)).numpy()
    np.testing.assert_allclose(deltas, expected, rtol=1e-9, atol=1e-9)
    decoded = coder.decode_single(torch.tensor(deltas), torch.tensor(anchor)).numpy()
    np.testing.assert_allclose(decode(anchor, deltas), decoded, rtol=1e-9, atol=1e-7)
    if max(second[2] / first[2], second[3] / first[3]) < 60:
        np.testing.assert_allclose(decode(anchor, deltas), box, rtol=1e-7, atol=1e-6)


@pytest.mark.parametrize("name", [n for n in EVERY if "yolo" not in n])
def test_boxes_are_those_of_the_networks_own_coder(name):
    here = looked_into(name)
    rows = np.arange(0, len(here.codes), 37)
    anchors = torch.from_numpy(here.trace.field.anchors_net[rows].astype(np.float64))
    said = torch.from_numpy(here.codes[rows].astype(np.float64))
    coder = coder_of(here)
    one = coder.decode if "fcos" in name else coder.decode_single
    np.testing.assert_allclose(unclipped(here, rows), one(said, anchors), rtol=1e-6, atol=1e-4)


@pytest.mark.parametrize("name", EVERY)
def test_clipped_they_are_the_boxes_of_the_trace(name):
    here = looked_into(name)
    rows = np.arange(len(here.codes))
    width, height = here.trace.info.network_size
    clipped = unclipped(here, rows).clip(0, [width, height, width, height])
    np.testing.assert_allclose(clipped, here.trace.field.boxes_net, rtol=1e-4, atol=2e-3)


@pytest.mark.parametrize("name", ANCHORED)
def test_encoding_the_box_gives_the_code_back(name):
    here = looked_into(name)
    rows = np.arange(0, len(here.codes), 101)
    rows = rows[(codes(here, rows)[:, 2:] < 4).all(1)]
    assert len(rows) > 10
    back = encode(here.trace.field.anchors_net[rows], unclipped(here, rows))
    np.testing.assert_allclose(back, codes(here, rows), atol=1e-6)
    assert code_weights(here) == ((10, 10, 5, 5) if "ssd" in name else (1, 1, 1, 1))


@pytest.mark.parametrize("name", EVERY)
def test_scores_of_all_classes_are_those_of_the_trace(name):
    here = looked_into(name)
    if here.two_stage:
        expected, rows = here.trace.source_objectness[:, None], here.trace.source_index
    else:
        expected, rows = here.trace.class_scores, here.trace.source_index
    if "fcos" in name or "yolo" in name:  # a product with centerness or confidence
        expected = expected * here.trace.source_objectness[:, None]
    assert len(rows) >= 5
    np.testing.assert_allclose(
        class_scores(here, rows) if "fcos" not in name else class_scores(here, rows) ** 2,
        expected,
        rtol=1e-4,
        atol=1e-6,
    )
    best = class_scores(here, rows)[:, 1 if "ssd" in name else 0 :].max(1)
    np.testing.assert_allclose(best, here.trace.field.scores[rows], rtol=1e-4)


@pytest.mark.parametrize("name", EVERY)
def test_a_place_is_described(name):
    here = looked_into(name)
    width, height = here.trace.info.photo_size
    for at in follow(here, 0.4 * width, 0.6 * height).levels:
        found = describe(here, at.anchors)
        assert len(found) == at.level.per_place
        for one in found:
            assert (one.level, one.row, one.column) == (at.level.index, at.row, at.column)
            assert one.fate == ANCHOR_FATES[here.trace.field.fate[one.index]]
            assert one.ratio == pytest.approx(one.height / one.width)
            assert one.score == pytest.approx(float(here.trace.field.scores[one.index]), rel=1e-4)
            assert (one.label is None) == here.two_stage
            assert one.label is None or one.label in network(model(name)).labels
            assert (one.confidence is None) == (
                name not in ("fcos_s", "fcos_resnet50_fpn", "yolo_s")
            )


def test_fcos_says_distances_from_its_point():
    here = looked_into("fcos_s")
    for one in describe(here, range(60, 75)):
        level = here.levels[one.level]
        x, y = (one.column * level.stride[0], one.row * level.stride[1])
        left, top, right, bottom = one.code.values()
        assert min(one.code.values()) >= 0
        np.testing.assert_allclose(
            one.box_net, [x - left, y - top, x + right, y + bottom], atol=0.6
        )


def test_yolo_against_the_papers_text():
    here = looked_into("yolo_s")
    sigmoid = lambda v: 1 / (1 + math.exp(-v))  # noqa: E731
    for row in (0, 7, 133, 199):
        cell, (one,) = row // 2, describe(here, [row])
        column, line = cell % 10, cell // 10
        x, y, w, h = (sigmoid(float(v)) for v in here.codes[row])
        middle_x, middle_y = (column + x) * 32, (line + y) * 32
        half_w, half_h = w * w * 160, h * h * 160
        expected = [middle_x - half_w, middle_y - half_h, middle_x + half_w, middle_y + half_h]
        np.testing.assert_allclose(one.box_net, expected, rtol=1e-6)
        assert one.confidence == pytest.approx(sigmoid(float(here.logits[row, 0])), rel=1e-6)
        powers = [math.exp(v) for v in here.classes[cell].tolist()]
        shares = [p / sum(powers) for p in powers]
        np.testing.assert_allclose(cell_classes(here, [row])[0], shares, rtol=1e-5)
        assert one.score == pytest.approx(one.confidence * max(shares), rel=1e-5)
    with pytest.raises(ValueError, match="no cells"):
        cell_classes(looked_into("fcos_s"), [0])
