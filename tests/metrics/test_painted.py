"""Brush strokes: the pixels they cover, erasing, and the text that stands for them."""

from __future__ import annotations

import base64
import math
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vision_core.metrics.painted import BrushStroke, covered, from_text, painted, to_text

LABELS = ("background", "cat", "dog")
points = st.lists(st.tuples(st.integers(-4, 16), st.integers(-4, 14)), min_size=1, max_size=5)


def stroke(label: str, radius: float, *at: tuple[int, int]) -> BrushStroke:
    return BrushStroke(label, radius, np.array(at, np.int64).reshape(-1, 2))


def near(x: float, y: float, a: tuple[int, int], b: tuple[int, int]) -> float:
    """Distance of a point from a line between two points."""
    length = math.dist(a, b)
    if not length:
        return math.dist((x, y), a)
    along = ((x - a[0]) * (b[0] - a[0]) + (y - a[1]) * (b[1] - a[1])) / length**2
    along = min(max(along, 0), 1)
    return math.dist((x, y), (a[0] + along * (b[0] - a[0]), a[1] + along * (b[1] - a[1])))


@settings(deadline=None)
@given(points, st.sampled_from([0.5, 1.0, 2.3, 6.0]))
def test_a_stroke_covers_the_pixels_whose_centre_is_near_its_line(at, radius) -> None:
    made = covered(stroke("cat", radius, *at), 12, 10)
    ends = list(zip(at, at[1:] or at, strict=False))
    expected = [
        [min(near(x + 0.5, y + 0.5, a, b) for a, b in ends) <= radius for x in range(12)]
        for y in range(10)
    ]
    # the two ways of computing may differ where a centre lies exactly on the edge
    edge = np.array(
        [
            [
                abs(min(near(x + 0.5, y + 0.5, a, b) for a, b in ends) - radius) < 1e-9
                for x in range(12)
            ]
            for y in range(10)
        ]
    )
    assert ((made == expected) | edge).all()


def test_strokes_lie_on_each_other_and_erasing_shows_what_lies_below() -> None:
    below = np.zeros((9, 9), np.int32)
    below[:, :4] = 2
    cat = stroke("Cat", 20, (4, 4))
    whole = painted(below, [cat], LABELS)
    assert (whole == 1).all() and (below[:, :4] == 2).all(), "the map below stays as it is"
    hole = stroke("", 2, (4, 4))
    made = painted(below, [cat, hole], LABELS)
    mask = covered(hole, 9, 9)
    assert mask.any() and (made[mask] == below[mask]).all() and (made[~mask] == 1).all()
    assert (painted(below, [cat, hole, stroke("background", 20, (4, 4))], LABELS) == 0).all()
    assert (painted(below, [stroke("zebra", 20, (4, 4))], LABELS) == below).all()


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["cat", "", "traffic light; é"]),
            st.floats(0.1, 500).map(lambda v: round(v, 1)),
            points,
        ),
        max_size=4,
    )
)
def test_strokes_survive_as_text(rows) -> None:
    made = [stroke(label, radius, *at) for label, radius, at in rows]
    text = to_text(made)
    assert set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    back = from_text(text)
    assert [(s.label, s.radius, s.points.tolist()) for s in back] == [
        (s.label, s.radius, s.points.tolist()) for s in made
    ]


def packed(text: bytes) -> str:
    return base64.urlsafe_b64encode(zlib.compress(text)).decode()


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "no text at all",
        packed(b"[[]]"),
        packed(b'[["cat", 0, 1, 1]]'),
        packed(b'[["cat", 5, 1]]'),
        packed(b'[["cat", 5]]'),
        packed(b'[["cat", 5, 1, 99999]]'),
        packed(b"[[3, 5, 1, 1]]"),
        packed(b'[["cat", 5, 1.5, "1"]]'),
        packed(b'[["cat", 1, 1, 1' + 500_000 * b" " + b"]]"),
        packed(b"{}" + b"x"),
    ],
)
def test_a_text_that_is_none_is_refused(text) -> None:
    with pytest.raises(ValueError, match="strokes of a brush"):
        from_text(text)
