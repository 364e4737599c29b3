from __future__ import annotations

import numpy as np
import pytest

from tests.figures import scenes
from vision_core.figures import draw, instance_map
from vision_core.figures.colours import INSTANCES, class_colour, rgb
from vision_core.figures.overlay import visible_joints
from vision_core.records import Keypoints


def is_colour(pixel: np.ndarray, colour: str, by: int = 12) -> bool:
    return bool(np.abs(pixel.astype(int) - rgb(colour)).max() <= by)


def test_a_box_is_where_its_numbers_say() -> None:
    picture = draw(scenes.photo(), scenes.selection([[20, 10, 90, 60]], ["cat"]), labels=False)
    for x, y in ((20, 30), (90, 30), (50, 10), (50, 60)):
        assert is_colour(picture[y, x], class_colour("cat"))
    for x, y in ((50, 35), (10, 30), (100, 70)):
        assert (picture[y, x] == 128).all()


def test_the_photo_is_not_painted_on() -> None:
    photo = scenes.photo()
    draw(photo, scenes.selection([[20, 10, 90, 60]], ["cat"]))
    assert (photo.pixels == 128).all()


@pytest.mark.parametrize(
    ("boxes", "labels"),
    [
        ([], []),
        ([[5, 5, 5, 40]], ["no width"]),
        ([[5, 5, 5, 5]], ["a point"]),
        ([[50, 40, 20, 10]], ["corners swapped"]),
        ([[500, 500, 600, 600]], ["outside"]),
        ([[-1e9, -1e9, 1e9, 1e9]], ["far too large"]),
        ([[np.nan, 0, np.inf, 10]], ["no number"]),
        ([[i, i, i + 9, i + 9] for i in range(70)] * 5, [f"class {i}" for i in range(350)]),
        ([[1, 1, 30, 30]], ["Käse 猫 дом 🐈"]),
        ([[1, 1, 30, 30]], [""]),
        ([[1, 1, 30, 30]], ["a very long name " * 30]),
    ],
)
@pytest.mark.parametrize("with_masks", [False, True])
def test_never_fails(boxes, labels, with_masks) -> None:
    masks = np.ones((len(boxes), 28, 28), np.float32) if with_masks else None
    picture = draw(scenes.photo(), scenes.selection(boxes, labels), masks=masks)
    assert picture.shape == (80, 120, 3) and picture.dtype == np.uint8


@pytest.mark.parametrize(("width", "height"), [(1, 1), (10, 2000), (2000, 10)])
def test_extreme_pictures(width, height) -> None:
    picture = draw(scenes.photo(width, height), scenes.selection([[0, 0, 1, 1]], ["cat"]))
    assert picture.shape[1] == min(width, 1460)


def test_wide_photos_are_drawn_1460_wide_and_boxes_follow() -> None:
    picture = draw(
        scenes.photo(2920, 100), scenes.selection([[1000, 20, 2000, 80]], ["cat"]), labels=False
    )
    assert picture.shape == (50, 1460, 3)
    assert is_colour(picture[25, 500], class_colour("cat"))
    assert is_colour(picture[25, 1000], class_colour("cat"))


def test_the_text_of_labels_reaches_the_picture_also_at_the_upper_edge() -> None:
    chosen = scenes.selection([[10, 0, 100, 70]], ["cat"])
    plain = draw(scenes.photo(), chosen, labels=False)
    named = draw(scenes.photo(), chosen)
    strip = named[:20, 10:60]
    assert (plain[:20, 10:60] != strip).any()
    assert is_colour(strip[2, 2], class_colour("cat"))


def test_overlapping_masks_show_the_small_one_on_top_and_never_black() -> None:
    # torchvision paints overlaps black; here the larger lies under the smaller.
    chosen = scenes.selection([[45, 30, 75, 50], [10, 10, 110, 70]], ["cat", "dog"])
    masks = np.ones((2, 28, 28), np.float32)
    picture = draw(scenes.photo(value=0), chosen, masks=masks, opacity=1.0, labels=False)
    assert is_colour(picture[40, 60], class_colour("cat"))
    assert is_colour(picture[20, 25], class_colour("dog"))


def test_opacity_mixes_photo_and_colour() -> None:
    chosen = scenes.selection([[10, 10, 110, 70]], ["cat"])
    masks = np.ones((1, 28, 28), np.float32)
    picture = draw(scenes.photo(value=100), chosen, masks=masks, opacity=0.25, labels=False)
    expected = 0.75 * 100 + 0.25 * np.array(rgb(INSTANCES[0]))
    assert picture[40, 60] == pytest.approx(expected, abs=1)


def test_mask_threshold_is_inclusive_and_follows_the_probabilities() -> None:
    ramp = np.broadcast_to(np.linspace(0, 1, 28, dtype=np.float32), (28, 28))[None]
    boxes = np.array([[0, 0, 111, 79]], np.float32)
    areas = [np.count_nonzero(instance_map(boxes, ramp, 80, 112, t)) for t in (0.2, 0.5, 0.8)]
    assert areas[0] > areas[1] > areas[2] > 0
    assert areas[1] / (80 * 112) == pytest.approx(0.5, abs=0.05)


def test_instance_map_numbers_detections_from_one() -> None:
    boxes = np.array([[0, 0, 20, 20], [40, 40, 60, 60]], np.float32)
    ids = instance_map(boxes, np.ones((2, 28, 28), np.float32), 80, 120)
    assert ids[10, 10] == 1 and ids[50, 50] == 2 and ids[30, 30] == 0


def test_a_joint_under_its_threshold_goes_with_its_limbs() -> None:
    joints = scenes.one_person([[10, 40], [60, 40], [110, 40]], [0.9, 0.9, 0.2])
    chosen = scenes.selection([[0, 0, 119, 79]], ["person"])
    both = draw(scenes.photo(), chosen, keypoints=joints, labels=False)
    one = draw(scenes.photo(), chosen, keypoints=joints, joint_threshold=0.5, labels=False)
    colour = INSTANCES[0]
    assert is_colour(both[40, 35], colour) and is_colour(both[40, 85], colour)
    assert is_colour(one[40, 35], colour) and (one[40, 85] == 128).all()
    assert (one[40, 110] == 128).all()


def test_joints_that_are_no_numbers_are_left_out() -> None:
    joints = scenes.one_person([[np.nan, 1], [5, 5]], [0.9, 0.9])
    assert visible_joints(joints, None).tolist() == [[False, True]]


def test_the_highlighted_box_is_drawn_wider() -> None:
    chosen = scenes.selection([[20, 10, 90, 60], [5, 5, 15, 15]], ["cat", "dog"])
    plain = draw(scenes.photo(), chosen, labels=False)
    marked = draw(scenes.photo(), chosen, labels=False, highlight=0)
    changed = (plain != marked).any(axis=-1)
    assert changed[8:64, 18:93].any() and not changed[5:16, 5:14].any()


def test_left_and_right_limbs_have_edges_of_their_own() -> None:
    """White beside a left limb, black beside a right one; the same colour inside."""
    names = ("left_wrist", "left_elbow", "right_wrist", "right_elbow")
    xy = np.array([[[10, 20], [110, 20], [10, 60], [110, 60]]], np.float32)
    joints = Keypoints(xy, np.ones((1, 4), np.float32), "probability", names, ((0, 1), (2, 3)))
    chosen = scenes.selection([[0, 0, 119, 79]], ["person"])
    picture = draw(scenes.photo(), chosen, keypoints=joints, labels=False)
    assert picture[20, 60].tolist() == picture[60, 60].tolist() == list(rgb(INSTANCES[0]))
    left, right = picture[10:30, 60].mean(1), picture[50:70, 60].mean(1)
    assert left.max() > 220 and left.min() > 100
    assert right.min() < 40 and right.max() < 180
