"""A map of pictures: each lies where its point does, and the whole of it is in the frame."""

from __future__ import annotations

import base64

import cv2
import numpy as np

from vision_core.figures.colours import KERNEL, class_colour, rgb
from vision_core.figures.space import dot_map, picture_map, side_of, thumbnail


def test_a_thumbnail_holds_the_whole_picture_in_a_square():
    tall = np.full((200, 50, 3), 7, np.uint8)
    square = thumbnail(tall, 40)
    assert square.shape == (40, 40, 3)
    inside = (square == 7).all(2)
    assert inside.sum() == 40 * 10 and inside[:, 15:25].all()
    assert thumbnail(np.zeros((1, 900, 3), np.uint8), 40).shape == (40, 40, 3)


def sheet_of(figure) -> np.ndarray:
    data = base64.b64decode(figure.layout.images[0].source.split(",")[1])
    bgra = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    return cv2.cvtColor(bgra, cv2.COLOR_BGRA2RGBA)


def near(pixel: np.ndarray, colour: tuple[int, int, int]) -> bool:
    return bool(np.abs(pixel[:3].astype(int) - colour).max() < 40) and pixel[3] > 200


def test_pictures_lie_at_their_points_in_the_colours_of_their_classes():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(30, 2)) * [1e-3, 400]
    greys = [np.full((60, 90, 3), 40 + 6 * i, np.uint8) for i in range(30)]
    labels = ["cat" if i % 2 else "dog" for i in range(30)]
    made = picture_map(points, greys, labels, [f"picture {i}" for i in range(30)], chosen=4)
    sheet, trace = sheet_of(made), made.data[0]
    height, width = sheet.shape[:2]
    side = side_of(30)
    assert trace.x.min() > side / 2 and trace.x.max() < width - side / 2
    assert trace.y.min() > side / 2 and trace.y.max() < height - side / 2
    assert (np.argsort(trace.x) == np.argsort(points[:, 0])).all()
    assert (np.argsort(-trace.y) == np.argsort(points[:, 1])).all(), "up is up"
    x, y = int(trace.x[4]), int(trace.y[4])
    assert near(sheet[y, x], (64, 64, 64)), "the chosen one lies on top"
    assert near(sheet[y, x + side // 2 + 2], rgb(KERNEL))
    last = 29  # of the others it is the topmost
    x, y = int(trace.x[last]), int(trace.y[last])
    assert near(sheet[y, x], (214, 214, 214)) or abs(x - trace.x[4]) < side
    named = {t.name: t.marker.color for t in made.data[1:]}
    assert named == {"cat (15)": class_colour("cat"), "dog (15)": class_colour("dog")}
    assert (sheet[..., 3] == 0).any(), "what is empty lets the page's own colour through"


def test_points_that_are_all_the_same_and_dots():
    made = picture_map(np.zeros((2, 2)), [np.zeros((9, 9, 3), np.uint8)] * 2, ["a"] * 2, ["", ""])
    assert np.isfinite(made.data[0].x).all()
    dots = dot_map(np.random.default_rng(0).normal(size=(9, 2)), ["a"] * 9)
    assert len(dots.data[0].x) == 9 and dots.data[1].name == "a (9)"
