"""Scores of class maps against scikit-learn and by hand; truths out of files."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from sklearn import metrics as sk

from vision_core.comparison.truth import Truth
from vision_core.errors import UserError
from vision_core.metrics.class_maps import VOC, Outline, filled, inside, read_class_picture
from vision_core.metrics.pixels import IGNORED, lit, pixel_scores

LABELS = ("background", "cat", "dog", "cow")
maps = st.integers(0, 2**32 - 1).map(
    lambda seed: np.random.default_rng(seed).integers(-1, 4, (2, 6, 7))
)


@settings(deadline=None)
@given(maps)
def test_every_score_is_scikit_learns(pair) -> None:
    truth, said = pair[0], np.abs(pair[1])
    if not (truth >= 0).any():
        return
    a, b = truth[truth >= 0], said[truth >= 0]
    found = pixel_scores(truth, said, LABELS)
    np.testing.assert_array_equal(found.table, sk.confusion_matrix(a, b, labels=range(4)))
    accuracy, mean, iou = (f.value for f in found.formulas())
    present = sorted({*a.tolist(), *b.tolist()})
    assert accuracy == pytest.approx(sk.accuracy_score(a, b))
    recalls = sk.recall_score(a, b, labels=sorted({*a.tolist()}), average="macro")
    assert mean == pytest.approx(recalls)
    assert iou == pytest.approx(sk.jaccard_score(a, b, labels=present, average="macro"))
    for index in present:
        mine, yours = a == index, b == index
        values = [f.value for f in found.of(index).formulas()]
        zero = {"zero_division": np.nan}
        expected = [
            sk.jaccard_score(mine, yours),
            sk.precision_score(mine, yours, **zero),
            sk.recall_score(mine, yours, **zero),
            sk.f1_score(mine, yours),
        ]
        for value, other in zip(values, expected, strict=True):
            assert (value is None and np.isnan(other)) or value == pytest.approx(other)
        counts = found.of(index)
        lights = [int(lit(truth, said, index, which).sum()) for which in ("TP", "FP", "FN")]
        assert lights == [counts.tp, counts.fp, counts.fn]
        assert counts.tp + counts.fp + counts.fn + counts.tn == len(a)


def test_the_numbers_stand_in_the_formulas() -> None:
    truth, said = np.array([[1, 1, 1, 0]]), np.array([[1, 1, 0, 1]])
    found = pixel_scores(truth, said, LABELS)
    iou, precision, recall, dice = found.of(1).formulas()
    assert (iou.numbers, iou.value) == ("2 / (2 + 1 + 1)", 0.5)
    assert precision.numbers == "2 / (2 + 1)" and recall.numbers == "2 / (2 + 1)"
    assert (dice.numbers, dice.value) == ("4 / (4 + 1 + 1)", 2 / 3)
    accuracy, mean, mean_iou = found.formulas()
    assert (accuracy.numbers, accuracy.value) == ("(0 + 2) / 4", 0.5)
    assert mean.numbers == "(0.000 + 0.667) / 2" and mean_iou.numbers == "(0.000 + 0.500) / 2"


@pytest.mark.parametrize(
    ("truth", "said", "words"),
    [
        (np.zeros((2, 3), int), np.zeros((3, 2), int), "one size"),
        (np.full((2, 2), IGNORED), np.zeros((2, 2), int), "No pixel"),
    ],
)
def test_what_cannot_be_scored_is_refused(truth, said, words) -> None:
    with pytest.raises(UserError, match=words):
        pixel_scores(truth, said, LABELS)


def file_of(array: np.ndarray, mode: str | None = None, **more: object) -> bytes:
    out = io.BytesIO()
    picture = Image.fromarray(array)
    if mode == "P":
        picture = Image.fromarray(array, "L")
        picture.putpalette([v for i in range(256) for v in (i, 255 - i, 7)])
    picture.save(out, "PNG", **more)
    return out.getvalue()


INDICES = np.array([[0, 1, 2], [255, 1, 3]], np.uint8)


@pytest.mark.parametrize("mode", ["L", "P"])
def test_indices_are_the_classes_of_the_network_and_255_does_not_count(mode) -> None:
    picture = read_class_picture(file_of(INDICES, mode), 3, 2)
    assert not picture.coloured and picture.found[1] == 2
    truth = picture.truth(picture.guesses(LABELS))
    np.testing.assert_array_equal(truth, np.where(INDICES == 255, IGNORED, INDICES.astype(int)))


def test_indices_beyond_the_networks_are_pascal_vocs() -> None:
    indices = np.array([[0, VOC.index("cat"), VOC.index("dog"), VOC.index("boat")]], np.uint8)
    picture = read_class_picture(file_of(indices), 4, 1)
    assert picture.truth(picture.guesses(LABELS)).tolist() == [[0, 1, 2, IGNORED]]


def test_colours_are_pascal_vocs_by_name() -> None:
    # Published: background black, cat (64, 0, 0), dog (64, 0, 128), cow (64, 128, 0), void 224.
    colours = [[0, 0, 0], [64, 0, 0], [64, 0, 128], [64, 128, 0], [224, 224, 192]]
    picture = read_class_picture(file_of(np.array([colours], np.uint8)), 5, 1)
    assert picture.coloured and picture.word(0x400080) == "#400080"
    assert picture.truth(picture.guesses(LABELS)).tolist() == [[0, 1, 2, 3, IGNORED]]


def test_a_larger_truth_is_scaled_without_new_values() -> None:
    large = INDICES.repeat(4, 0).repeat(4, 1)
    picture = read_class_picture(file_of(large), 3, 2)
    np.testing.assert_array_equal(picture.values, INDICES)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"no picture", "must be a PNG"),
        (file_of(INDICES)[:40], "cannot be read"),
        (file_of(np.zeros((9, 3), np.uint8)), "another shape"),
        (
            file_of(np.random.default_rng(0).integers(0, 256, (20, 30, 3)).astype(np.uint8)),
            "different values",
        ),
    ],
)
def test_a_file_that_is_no_truth_is_refused(data, words) -> None:
    with pytest.raises(UserError, match=words):
        read_class_picture(data, 3, 2)


def test_boxes_are_filled_with_the_smallest_on_top() -> None:
    boxes = np.array([[1, 0, 2, 1], [0, 0, 3, 2], [3, 0, 4, 1]], np.float32)
    made = filled(Truth(boxes, ("Dog", "cat", "zebra")), 5, 2, LABELS)
    assert made.tolist() == [[1, 2, 1, IGNORED, 0], [1, 1, 1, 0, 0]]
    assert filled(Truth(boxes[:1], ("dog",)), 5, 1, LABELS[1:])[0, 0] == IGNORED


def holds(corners: list[tuple[float, float]], x: float, y: float) -> bool:
    """Whether a polygon holds a point: a ray to the right, edge by edge."""
    odd = False
    for (x1, y1), (x2, y2) in zip(corners, [*corners[1:], corners[0]], strict=True):
        if (y1 > y) != (y2 > y) and x >= x1 + (y - y1) * (x2 - x1) / (y2 - y1):
            odd = not odd
    return odd


places = st.tuples(st.floats(-3, 14, width=16), st.floats(-3, 12, width=16))


@settings(deadline=None)
@given(st.lists(places, min_size=3, max_size=7))
def test_a_polygon_holds_the_pixels_whose_centre_it_holds(corners) -> None:
    made = inside(np.array(corners, np.float64), 11, 9)
    expected = [[holds(corners, x + 0.5, y + 0.5) for x in range(11)] for y in range(9)]
    np.testing.assert_array_equal(made, expected)


def test_an_outline_lies_on_a_larger_box() -> None:
    box = Truth(np.array([[0, 0, 6, 6]], np.float32), ("cat",))
    corner = Outline("dog", np.array([[0, 0], [3, 0], [0, 3]], np.float64))
    made = filled(box, 6, 6, LABELS, [corner])
    assert made[0].tolist() == [2, 2, 1, 1, 1, 1] and made[1].tolist() == [2, 1, 1, 1, 1, 1]
    assert (made == 2).sum() == 3 and (made == 1).sum() == 33
