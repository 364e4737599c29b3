"""Signed maps as pictures: zero stays neutral, signs stay, scales are what they say."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image
from plotly.subplots import make_subplots

from vision_core import samples
from vision_core.figures.saliency import (
    NEUTRAL,
    MapPanel,
    by_colour,
    encoded,
    over_photo,
    own_limit,
    panels,
    signed_colours,
)


def test_zero_is_neutral_and_signs_keep_their_colour() -> None:
    values = np.array([[-2.0, -1.0, 0.0, 1.0, 2.0, 4.0]])
    shown = signed_colours(values, 2.0).astype(int)
    assert "#{:02X}{:02X}{:02X}".format(*shown[0, 2]) == NEUTRAL
    assert shown[0, 0, 2] > shown[0, 0, 0], "negative is blue"
    assert shown[0, 4, 0] > shown[0, 4, 2], "positive is vermilion"
    assert (shown[0, 4] == shown[0, 5]).all(), "what lies beyond the limit gets its colour"
    assert (signed_colours(0 * values, 0.0) == 255).all(), "no amplified noise"
    assert (signed_colours(values, own_limit(0 * values)) == 255).all()


def test_a_shared_scale_tells_a_map_from_its_double_and_own_scales_do_not() -> None:
    a = np.random.default_rng(0).normal(size=(20, 30))
    limit = own_limit(2 * a)
    assert not np.array_equal(signed_colours(a, limit), signed_colours(2 * a, limit))
    assert np.array_equal(signed_colours(a, own_limit(a)), signed_colours(2 * a, own_limit(2 * a)))


def test_the_overlay_at_full_opacity_is_the_picture_and_never_depends_on_the_photo() -> None:
    photo = samples.sample("cat")
    values = np.linspace(-1, 1, photo.height * photo.width).reshape(photo.height, photo.width)
    shown = signed_colours(values, 1.0)
    assert np.array_equal(over_photo(photo, shown, 1.0), shown)
    bare = over_photo(photo, shown, 0.0)
    assert (bare[..., 0] == bare[..., 1]).all(), "grey"


def test_the_hottest_pixel_is_vermilion_in_rgb() -> None:
    from vision_core.figures.colours import KERNEL, rgb

    assert tuple(signed_colours(np.array([[5.0]]), 1.0)[0, 0]) == rgb(KERNEL)


def test_gradients_by_colour_are_grey_at_zero() -> None:
    values = np.zeros((1, 2, 3))
    values[0, 1] = [1.0, -1.0, 0.0]
    assert by_colour(values, 1.0).tolist() == [[[128, 128, 128], [255, 0, 128]]]
    assert (by_colour(values, 0.0) == 128).all()


@pytest.mark.parametrize("count", [1, 2, 5])
def test_panels_are_linked(count) -> None:
    picture = np.zeros((30, 40, 3), np.uint8)
    figure = panels([MapPanel(f"map {i}", picture, 0.5) for i in range(count)], 3)
    assert len(figure.layout.images) == count
    axes = [figure.layout[k] for k in figure.layout if str(k).startswith("xaxis")]
    assert all(axis.matches == "x" for axis in axes)
    assert "± 0.5" in figure.layout.annotations[0].text


@pytest.mark.parametrize(("count", "columns"), [(1, 1), (2, 3), (5, 3), (7, 2)])
def test_panels_stand_where_plotlys_own_grid_has_them(count: int, columns: int) -> None:
    titles = [f"map {i}" for i in range(count)]
    made = panels([MapPanel(t, np.zeros((30, 40, 3), np.uint8)) for t in titles], columns, 280)
    rows = -(-count // columns)
    gap = min(62 / (280 * rows), 0.5 / rows)
    grid = make_subplots(
        rows, columns, subplot_titles=titles, horizontal_spacing=0.02, vertical_spacing=gap
    )
    for i in range(count):
        for axis in (f"xaxis{i + 1}", f"yaxis{i + 1}"):
            assert made.layout[axis].domain == pytest.approx(grid.layout[axis].domain)
            assert made.layout[axis].anchor == grid.layout[axis].anchor
        mine, theirs = made.layout.annotations[i], grid.layout.annotations[i]
        assert mine.text == theirs.text and mine.font == theirs.font
        assert (mine.x, mine.y) == pytest.approx((theirs.x, theirs.y))
        axes = grid.get_subplot(i // columns + 1, i % columns + 1)
        assert made.data[i].xaxis == axes.yaxis.anchor and made.data[i].yaxis == axes.xaxis.anchor


def test_a_picture_that_is_a_file_already_is_shown_as_it_is() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    file = encoded(picture)
    read = Image.open(io.BytesIO(base64.b64decode(file.url.split(",")[1])))
    assert (np.asarray(read) == picture).all()
    assert panels([MapPanel("a", file)], 1) == panels([MapPanel("a", picture)], 1)
