"""Scores against hand-worked numbers and other libraries."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.metrics import jaccard_score

from vision_core.evaluation.annotations import AnnotatedPhoto
from vision_core.evaluation.classification import likely_from, top1
from vision_core.evaluation.detection import average_precision
from vision_core.evaluation.instances import instance_map
from vision_core.evaluation.pose import person_boxes
from vision_core.evaluation.segmentation import (
    IGNORED,
    confusion,
    intersection_over_union,
    relabel,
)
from vision_core.evaluation.sources import square_around
from vision_core.inference.pose import JOINTS
from vision_core.metrics.pck import pck, torso_lengths
from vision_core.training.segmentation import CANVAS, drawn

NAMES = ("cat", "dog")


def photo(*boxes: tuple[float, ...], scored: bool = False) -> dict[str, torch.Tensor]:
    """Rows of x1, y1, x2, y2, label and perhaps a score."""
    rows = torch.tensor(boxes).reshape(-1, 6 if scored else 5)
    found = {"boxes": rows[:, :4], "labels": rows[:, 4].long()}
    return found | ({"scores": rows[:, 5]} if scored else {})


def test_perfect_boxes() -> None:
    truth = [photo((0, 0, 10, 10, 0), (20, 20, 40, 50, 1)), photo((5, 5, 9, 9, 1))]
    found = [
        photo((0, 0, 10, 10, 0, 0.9), (20, 20, 40, 50, 1, 0.8), scored=True),
        photo((5, 5, 9, 9, 1, 0.7), scored=True),
    ]
    scores = average_precision(truth, found, NAMES)
    assert [scores[k] for k in ("AP50", "AP", "AP50 cat")] == pytest.approx([1.0] * 3)


def test_one_of_two_found_after_a_mistake() -> None:
    """Precision 1/2 up to recall 1/2: 51 of the 101 recall points count."""
    truth = [photo((0, 0, 10, 10, 0), (30, 30, 50, 50, 0))]
    found = [photo((60, 60, 80, 80, 0, 0.9), (0, 0, 10, 10, 0, 0.8), scored=True)]
    scores = average_precision(truth, found, NAMES)
    assert scores["AP50 cat"] == pytest.approx(0.5 * 51 / 101)
    assert math.isnan(scores["AP50 dog"])
    assert scores["AP50"] == pytest.approx(0.5 * 51 / 101)


def test_loose_box_counts_at_half_overlap_only() -> None:
    truth = [photo((0, 0, 10, 10, 0))]
    found = [photo((0, 0, 10, 6, 0, 0.9), scored=True)]  # IoU 0.6
    scores = average_precision(truth, found, NAMES)
    assert scores["AP50"] == pytest.approx(1.0)
    assert scores["AP"] == pytest.approx(0.3)  # 0.50, 0.55 and 0.60 of ten thresholds


def test_what_lies_in_a_crowd_is_not_judged() -> None:
    """The false alarm of the test above lies in a crowd: it no longer costs anything."""
    truth = [photo((0, 0, 10, 10, 0), (30, 30, 50, 50, 0))]
    found = [photo((60, 60, 80, 80, 0, 0.9), (0, 0, 10, 10, 0, 0.8), scored=True)]
    crowd = {"crowds": torch.tensor([[55.0, 55, 100, 100]]), "crowd_labels": torch.tensor([0])}
    scores = average_precision([truth[0] | crowd], found, NAMES)
    assert scores["AP50 cat"] == pytest.approx(51 / 101)


def test_nothing_found() -> None:
    empty = photo(scored=True)
    assert average_precision([photo((0, 0, 1, 1, 0))], [empty], NAMES)["AP50"] == 0.0


def test_iou_equals_sklearn() -> None:
    rng = np.random.default_rng(0)
    truth, predicted = rng.integers(0, 4, (2, 500))
    truth[:50] = IGNORED
    counts = confusion(torch.from_numpy(truth), torch.from_numpy(predicted), 4)
    expected = jaccard_score(truth[50:], predicted[50:], average=None, labels=range(4))
    np.testing.assert_allclose(intersection_over_union(counts).numpy(), expected)


def test_absent_class_is_nan() -> None:
    zeros = torch.zeros(5, dtype=torch.long)
    each = intersection_over_union(confusion(zeros, zeros, 2))
    assert each[0] == 1 and each[1].isnan()


def test_relabel() -> None:
    table = relabel()
    assert table[[0, 8, 12, 17, 255]].tolist() == [0, 1, 3, 6, IGNORED]
    assert table[[1, 7, 20]].tolist() == [0, 0, 0]


def test_top1() -> None:
    logits = torch.tensor([[0.1, 2.0], [3.0, 1.0], [0.0, 1.0]])
    assert top1(logits, torch.tensor([1, 0, 0])) == pytest.approx(2 / 3)


def test_likely_from_where_half_of_the_answers_are_right() -> None:
    """Answers at 0.36 are wrong, at 0.52 half right, at 0.93 right: 0.45 is the lowest start."""
    logits, labels = [], []
    for probability, right in ((0.36, 0), (0.52, 15), (0.93, 30)):
        rest = (1 - probability) / 2
        logits.append(torch.tensor([probability, rest, rest]).log().repeat(30, 1))
        labels += [0] * right + [1] * (30 - right)
    best = torch.cat(logits)
    assert likely_from(best[30:], torch.tensor(labels[30:])) == 0.45
    assert likely_from(best, torch.tensor(labels)) == 0.45
    assert likely_from(best[60:], torch.ones(30, dtype=torch.long)) == 0.95


def person() -> torch.Tensor:
    joints = torch.ones(1, 14, 3)
    joints[0, :, 0] = torch.arange(14) * 10.0
    joints[0, :, 1] = torch.arange(14) * 5.0
    return joints


def test_pck_by_hand() -> None:
    joints = person()
    shoulder, hip = joints[0, JOINTS.index("left_shoulder")], joints[0, JOINTS.index("right_hip")]
    torso = float((shoulder - hip)[:2].norm())
    assert torso_lengths(joints).item() == pytest.approx(torso)
    xy = joints[:, :, :2].clone()
    xy[0, 0, 0] += 0.19 * torso  # still correct
    xy[0, 1, 1] += 0.21 * torso  # no longer
    joints[0, 2, 2] = 0  # not labelled: right hip, so the other diagonal is the measure
    other = joints[0, JOINTS.index("right_shoulder")] - joints[0, JOINTS.index("left_hip")]
    assert torso_lengths(joints).item() == pytest.approx(float(other[:2].norm()))
    joints[0, 2, 2] = 1
    each = pck(xy, joints)
    assert each[0] == 1 and each[1] == 0 and each[14] == pytest.approx(13 / 14)


def test_person_without_torso_does_not_count() -> None:
    joints = person().repeat(2, 1, 1)
    joints[1, 2:4, 2] = 0
    xy = joints[:, :, :2].clone()
    xy[1] += 1000
    assert torso_lengths(joints)[1].isnan()
    assert pck(xy, joints)[14] == 1


def test_person_boxes_leave_unlabelled_joints_out() -> None:
    joints = person()
    joints[0, 13, 2] = 0
    assert person_boxes(joints)[0].tolist() == pytest.approx([-9.6, -9.6, 129.6, 69.6])


def test_square_is_cut_at_the_edge() -> None:
    assert square_around((10, 20, 30, 30), 2.0, (100, 40)) == (0.0, 5.0, 40.0, 40.0)


def mask(y1: int, y2: int) -> torch.Tensor:
    pixels = torch.zeros(1, 40, 40, dtype=torch.bool)
    pixels[0, y1:y2, 10:20] = True
    return pixels


def test_masks_are_compared_not_boxes() -> None:
    """The boxes agree; the masks overlap by 10 of 30 rows in one photo, in full in the other."""
    box = photo((10, 0, 20, 40, 0))
    truth = [box | {"masks": mask(0, 20)}, box | {"masks": mask(0, 20)}]
    found = [
        photo((10, 0, 20, 40, 0, 0.9), scored=True) | {"masks": mask(10, 30)},
        photo((10, 0, 20, 40, 0, 0.8), scored=True) | {"masks": mask(0, 20)},
    ]
    assert average_precision(truth, found, NAMES, "segm")["AP50 cat"] == pytest.approx(
        0.5 * 51 / 101
    )
    assert average_precision(truth, found, NAMES)["AP50 cat"] == pytest.approx(1.0)


def annotated(folder: Path, boxes: list[list[float]], labels: list[int], **more: object):
    Image.new("RGB", (40, 30)).save(folder / "photo.png")
    rows = torch.tensor(boxes, dtype=torch.float32)
    return AnnotatedPhoto(folder / "photo.png", rows, torch.tensor(labels), **more)


def test_class_mask_is_cut_where_instances_do_not_touch(tmp_path: Path) -> None:
    """Two cats whose boxes overlap stay unknown; the dog over one of them is known."""
    classes = np.zeros((30, 40), np.uint8)
    classes[5:20, 2:18] = 8
    classes[10:25, 25:35] = 12
    Image.fromarray(classes).save(tmp_path / "mask.png")
    boxes = [[0.0, 0, 12, 25], [10, 0, 20, 25], [15, 5, 38, 28]]
    note = annotated(tmp_path, boxes, [0, 0, 2], mask=tmp_path / "mask.png", outlines=(None,) * 3)
    pixels, known = instance_map(note)
    assert known.tolist() == [False, False, True]
    assert ((pixels == 3) == (classes == 12)).all()


def test_smaller_polygon_lies_on_the_larger(tmp_path: Path) -> None:
    outer = [[1, 1, 38, 1, 38, 28, 1, 28]]
    inner = [[10, 10, 20, 10, 20, 20, 10, 20]]
    boxes = [[10.0, 10, 20, 20], [1, 1, 38, 28], [0, 0, 5, 5]]
    note = annotated(tmp_path, boxes, [4, 4, 4], mask=None, outlines=(inner, outer, None))
    pixels, known = instance_map(note)
    assert known.tolist() == [True, True, False]
    assert pixels[15, 15] == 1 and pixels[25, 30] == 2 and pixels[0, 0] == 0


def test_a_class_beyond_the_animals_is_cut_too(tmp_path: Path) -> None:
    classes = np.zeros((30, 40), np.uint8)
    classes[4:26, 4:36] = 6  # VOC's bus
    Image.fromarray(classes).save(tmp_path / "mask.png")
    note = annotated(
        tmp_path, [[3.0, 3, 37, 27]], [1], mask=tmp_path / "mask.png", outlines=(None,)
    )
    pixels, known = instance_map(note, ("person", "bus"))
    assert known.all() and ((pixels == 1) == (classes == 6)).all()


def test_polygons_as_labels_leave_what_nobody_drew_unjudged(tmp_path: Path) -> None:
    """A dog with a polygon, a person without one, a crowd: the dog counts, the others do not."""
    dog = [[10, 5, 30, 5, 30, 25, 10, 25]]
    note = annotated(
        tmp_path,
        [[10.0, 5, 30, 25], [0, 0, 6, 12]],
        [2, 4],
        mask=None,
        outlines=(dog, None),
        crowds=torch.tensor([[34.0, 20, 40, 30]]),
    )
    labels = drawn(note)
    assert labels is not None
    at = lambda x, y: int(labels[0, round(y * CANVAS / 30), round(x * CANVAS / 40)])  # noqa: E731
    assert at(20, 15) == 3 and at(3, 6) == IGNORED and at(37, 25) == IGNORED and at(3, 25) == 0
    assert drawn(annotated(tmp_path, [[0.0, 0, 6, 12]], [4], mask=None, outlines=(None,))) is None
    wide = annotated(
        tmp_path, [[10.0, 5, 30, 25], [0, 0, 40, 18]], [2, 4], mask=None, outlines=(dog, None)
    )
    assert drawn(wide) is None, "more than a third would be ignored"


def test_numbers_of_an_instance_mask(tmp_path: Path) -> None:
    numbers = np.zeros((30, 40), np.uint8)
    numbers[:, :10], numbers[:, 20:] = 2, 1
    Image.fromarray(numbers).save(tmp_path / "mask.png")
    boxes = [[0.0, 0, 10, 30], [20, 0, 40, 30]]
    note = annotated(tmp_path, boxes, [4, 4], mask=tmp_path / "mask.png", outlines=(2, 1))
    pixels, known = instance_map(note)
    assert known.all() and pixels[0, 0] == 1 and pixels[0, 30] == 2 and pixels[0, 15] == 0


def test_nothing_found_is_0_where_there_is_a_truth_and_nan_elsewhere() -> None:
    empty = photo(scored=True)
    scores = average_precision([photo((0, 0, 1, 1, 0))], [empty], NAMES)
    assert scores["AP"] == scores["AP50 cat"] == 0.0 and math.isnan(scores["AP50 dog"])
    for found in (empty, photo((0, 0, 1, 1, 0, 0.5), scored=True)):
        assert all(math.isnan(v) for v in average_precision([photo()], [found], NAMES).values())
