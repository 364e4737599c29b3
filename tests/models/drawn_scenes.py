"""Four drawn scenes that anyone may show: a street, a standing person, a cat's face, a meadow."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from vision_core.images import Photo, from_array

Picture = np.ndarray
Point = tuple[int, int]


def _gradient(height: int, width: int, top: Point | tuple, bottom: Point | tuple) -> Picture:
    share = np.linspace(0, 1, height)[:, None, None]
    column = np.array(top) * (1 - share) + np.array(bottom) * share
    return np.broadcast_to(column, (height, width, 3)).astype(np.uint8).copy()


def _polygon(picture: Picture, points: list[Point], colour: tuple[int, int, int]) -> None:
    cv2.fillPoly(picture, [np.array(points, np.int32)], colour)


def _grain(picture: Picture, seed: int) -> Picture:
    """A little blur and noise, as from a camera."""
    noise = np.random.default_rng(seed).normal(0, 6, picture.shape)
    soft = cv2.GaussianBlur(picture, (0, 0), 1.0)
    return np.clip(soft + noise, 0, 255).astype(np.uint8)


def _person(picture: Picture, x: int, y: int, size: float, shirt: tuple[int, int, int]) -> None:
    """A standing figure; (x, y) is between the feet, ``size`` its height in pixels."""

    def at(across: float, up: float) -> Point:
        return round(x + across * size), round(y - up * size)

    def limb(points: list[tuple[float, float]], width: float, colour: tuple) -> None:
        path = np.array([at(*p) for p in points], np.int32)
        cv2.polylines(picture, [path], False, colour, max(1, round(width * size)))

    skin, trousers = (214, 170, 140), (44, 52, 82)
    limb([(-0.03, 0.48), (-0.06, 0.25), (-0.06, 0.02)], 0.085, trousers)
    limb([(0.04, 0.48), (0.07, 0.25), (0.08, 0.02)], 0.085, trousers)
    limb([(-0.11, 0.78), (-0.17, 0.62), (-0.15, 0.46)], 0.055, shirt)
    limb([(0.11, 0.78), (0.18, 0.63), (0.16, 0.47)], 0.055, shirt)
    _polygon(picture, [at(-0.13, 0.81), at(0.13, 0.81), at(0.09, 0.46), at(-0.09, 0.46)], shirt)
    cv2.circle(picture, at(-0.15, 0.44), round(0.03 * size), skin, -1)
    cv2.circle(picture, at(0.16, 0.45), round(0.03 * size), skin, -1)
    limb([(0.0, 0.80), (0.0, 0.87)], 0.06, skin)
    axes = (round(0.055 * size), round(0.075 * size))
    cv2.ellipse(picture, at(0.0, 0.92), axes, 0, 0, 360, skin, -1)
    cv2.ellipse(picture, at(0.0, 0.955), (axes[0], axes[1] // 2), 0, 180, 360, (60, 40, 30), -1)


def _car(picture: Picture, x: int, y: int, width: int, colour: tuple[int, int, int]) -> None:
    """A car from behind; (x, y) is the middle of its lower edge."""
    half, height = width // 2, round(width * 0.75)
    cv2.rectangle(picture, (x - half, y - height // 2), (x + half, y - 6), colour, -1)
    roof = round(half * 0.72)
    _polygon(
        picture,
        [
            (x - half, y - height // 2),
            (x - roof, y - height),
            (x + roof, y - height),
            (x + half, y - height // 2),
        ],
        colour,
    )
    glass = round(half * 0.62)
    cv2.rectangle(
        picture,
        (x - glass, y - round(height * 0.93)),
        (x + glass, y - height // 2 - 2),
        (90, 110, 125),
        -1,
    )
    for side in (-1, 1):
        lamp = (x + side * (half - 8), y - round(height * 0.38))
        cv2.circle(picture, lamp, max(3, width // 16), (200, 30, 30), -1)
        wheel = x + side * (half - width // 8)
        cv2.rectangle(
            picture, (wheel - width // 12, y - 12), (wheel + width // 12, y), (20,) * 3, -1
        )


def street() -> Picture:
    """A road between houses, with trees, two cars, a pole, a sign and a pedestrian, 640x480."""
    picture = _gradient(480, 640, (170, 190, 215), (225, 230, 235))
    _polygon(picture, [(0, 300), (640, 300), (640, 480), (0, 480)], (150, 145, 140))
    for corners, wall in (
        ([(0, 60), (210, 150), (210, 310), (0, 360)], (125, 95, 80)),
        ([(640, 20), (430, 140), (430, 310), (640, 370)], (140, 125, 110)),
    ):
        _polygon(picture, corners, wall)
        for column in range(4):
            for row in range(3):
                x = (15 if corners[0][0] == 0 else 455) + column * 48
                cv2.rectangle(
                    picture, (x, 165 + row * 50), (x + 22, 195 + row * 50), (60, 70, 85), -1
                )
    _polygon(picture, [(280, 300), (360, 300), (560, 480), (80, 480)], (95, 95, 100))
    for step in range(5):
        y = 310 + step * 36
        cv2.line(picture, (320, y), (320, y + 8 + step * 3), (225, 225, 220), 2 + step)
    for x, y, r in ((235, 215, 42), (255, 250, 34), (405, 220, 38)):
        cv2.circle(picture, (x, y), r, (60, 85, 45), -1)
        cv2.rectangle(picture, (x - 4, y + r - 8), (x + 4, 312), (70, 55, 40), -1)
    cv2.rectangle(picture, (470, 90), (476, 380), (110, 110, 112), -1)
    cv2.rectangle(picture, (455, 110), (492, 150), (40, 70, 160), -1)
    _car(picture, 345, 345, 66, (150, 40, 40))
    _car(picture, 235, 430, 120, (190, 195, 200))
    _person(picture, 530, 425, 130, (40, 90, 70))
    return _grain(picture, 1)


def person() -> Picture:
    """One standing person on a lawn, 320x420."""
    picture = _gradient(420, 320, (175, 200, 225), (215, 225, 230))
    picture[250:] = _gradient(170, 320, (95, 125, 70), (70, 105, 50))
    _person(picture, 160, 395, 360, (170, 50, 50))
    return _grain(picture, 2)


def cat() -> Picture:
    """A cat's face, 320x280."""
    picture = _gradient(280, 320, (120, 130, 120), (90, 95, 100))
    fur, dark = (196, 140, 84), (120, 75, 40)
    for side in (-1, 1):
        _polygon(
            picture, [(160 + side * 95, 30), (160 + side * 22, 85), (160 + side * 88, 135)], fur
        )
        _polygon(
            picture,
            [(160 + side * 85, 52), (160 + side * 44, 88), (160 + side * 78, 112)],
            (215, 165, 150),
        )
    cv2.ellipse(picture, (160, 155), (98, 88), 0, 0, 360, fur, -1)
    for x in (130, 160, 190):
        cv2.line(picture, (x, 72), (160 + (x - 160) // 2, 112), dark, 6)
    for side in (-1, 1):
        cv2.ellipse(picture, (160 + side * 40, 145), (21, 16), 0, 0, 360, (150, 185, 90), -1)
        cv2.ellipse(picture, (160 + side * 40, 145), (5, 14), 0, 0, 360, (10, 10, 10), -1)
        for drop in (-6, 6, 18):
            cv2.line(picture, (160 + side * 25, 190), (160 + side * 105, 190 + drop), (240,) * 3, 1)
    cv2.ellipse(picture, (160, 200), (40, 26), 0, 0, 360, (228, 205, 180), -1)
    _polygon(picture, [(148, 180), (172, 180), (160, 194)], (205, 120, 120))
    return _grain(picture, 3)


def meadow() -> Picture:
    """A brown four-legged animal with a long neck on a meadow, 480x360."""
    picture = _gradient(360, 480, (160, 195, 230), (220, 230, 235))
    picture[190:] = _gradient(170, 480, (110, 145, 70), (75, 120, 45))
    coat, dark = (115, 70, 40), (50, 30, 20)
    cv2.ellipse(picture, (230, 190), (105, 48), 0, 0, 360, coat, -1)
    for x, bend in ((150, -6), (178, 4), (285, -4), (312, 6)):
        path = np.array([(x, 205), (x + bend, 262), (x, 318)], np.int32)
        cv2.polylines(picture, [path], False, coat, 16)
        cv2.rectangle(picture, (x - 9, 314), (x + 9, 324), dark, -1)
    _polygon(picture, [(290, 165), (345, 85), (378, 100), (330, 215)], coat)
    _polygon(picture, [(290, 160), (340, 82), (352, 84), (308, 170)], dark)
    _polygon(picture, [(345, 82), (425, 112), (418, 136), (355, 122)], coat)
    _polygon(picture, [(346, 86), (352, 62), (364, 88)], coat)
    cv2.circle(picture, (372, 101), 4, (10, 10, 10), -1)
    _polygon(picture, [(128, 175), (100, 215), (96, 275), (116, 230), (140, 200)], dark)
    return _grain(picture, 4)


SCENES: dict[str, Callable[[], Picture]] = {
    "street": street,
    "person": person,
    "cat": cat,
    "meadow": meadow,
}


def photo(name: str) -> Photo:
    """One of ``SCENES``."""
    return from_array(SCENES[name](), name)
