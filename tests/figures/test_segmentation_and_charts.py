from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from tests.figures import scenes
from vision_core import figures
from vision_core.figures.colours import class_colour, rgb
from vision_core.figures.segmentation import legend, palette, shown_ids
from vision_core.records import Cut


def two_halves() -> np.ndarray:
    class_map = np.zeros((80, 120), np.uint8)
    class_map[:, 60:] = 1
    class_map[:20, 60:] = 2
    return class_map


def test_legend_has_the_pixel_shares_largest_first() -> None:
    shares = legend(scenes.segmentation(two_halves(), ("background", "cat", "dog", "cow")))
    assert [(e.label, e.share) for e in shares] == [
        ("background", 0.5),
        ("cat", 0.375),
        ("dog", 0.125),
    ]


def test_class_map_is_mixed_with_the_photo_and_background_left_as_it_is() -> None:
    trace = scenes.segmentation(two_halves(), ("background", "cat", "dog"))
    picture = figures.draw_class_map(scenes.photo(value=100), trace, opacity=0.5, with_legend=False)
    assert (picture[:, :60] == 100).all()
    assert picture[50, 90] == pytest.approx((100 + np.array(rgb(class_colour("cat")))) / 2, abs=1)


def test_unsure_pixels_are_striped_and_stand_in_the_legend() -> None:
    trace = scenes.segmentation(two_halves(), ("background", "cat", "dog"))
    logits = np.zeros((3, 80, 120), np.float32)
    np.put_along_axis(logits, two_halves()[None].astype(int), 5, 0)
    logits[:, :, 90:] *= 0.1  # the right quarter is unsure
    trace = replace(trace, logits=logits)
    entries = {e.label: e.share for e in legend(trace, 0.7)}
    assert entries["unsure"] == pytest.approx(0.25, abs=0.02) and sum(entries.values()) == 1
    ids = shown_ids(trace, 0.7)
    assert (ids[:, :85] == two_halves()[:, :85]).all() and set(np.unique(ids[:, 95:])) == {254, 255}
    assert np.array_equal(shown_ids(trace), two_halves())
    picture = figures.draw_class_map(
        scenes.photo(value=100), trace, opacity=1, with_legend=False, unsure_below=0.7
    )
    right = picture[40:, 95:].reshape(-1, 3)
    assert {tuple(c) for c in right.tolist()} == {(100, 100, 100), (90, 90, 90)}


def test_the_legend_is_drawn_under_the_picture_whatever_its_width() -> None:
    labels = ("background", *[f"class {i}" for i in range(30)])
    class_map = (np.arange(80 * 120).reshape(80, 120) % 31).astype(np.uint8)
    picture = figures.draw_class_map(scenes.photo(), scenes.segmentation(class_map, labels))
    assert picture.shape[0] > 80 and picture.shape[1] == 120


def test_indexed_png_decodes_to_the_palette_and_its_alpha() -> None:
    ids = two_halves()
    table = palette(("background", "cat", "dog"), 0.4)
    read = np.asarray(Image.open(io.BytesIO(figures.indexed_png(ids, table))).convert("RGBA"))
    assert (read == table[ids]).all()
    assert table[0, 3] == 0 and table[1, 3] == 102


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_png_keeps_every_value(channels) -> None:
    rng = np.random.default_rng(0)
    shape = (13, 17) if channels == 1 else (13, 17, channels)
    picture = rng.integers(0, 256, shape, dtype=np.uint8)
    assert (np.asarray(Image.open(io.BytesIO(figures.png(picture)))) == picture).all()


def test_jpeg_of_a_photo_is_at_most_1460_wide() -> None:
    assert Image.open(io.BytesIO(figures.jpeg(scenes.photo(3000, 300)))).size == (1460, 146)


def test_charts_show_the_numbers_they_are_given() -> None:
    bars = figures.class_distribution([("cat", 0.7), ("dog", 0.2)], chosen="cat").data[0]
    assert list(bars.x) == [0.7, 0.2] and list(bars.y) == ["▸ cat", "dog"]
    stages = (Cut("anchors", 1000, None, "all"), Cut("candidates", 0, None, "left"))
    assert list(figures.funnel(stages).data[0].text) == ["1,000", "0"]
    assert list(figures.timing({"resize": 1.25, "backbone": 40}).data[0].x) == [1.25, 40]
    for empty in (figures.class_distribution([]), figures.funnel(()), figures.timing({})):
        assert empty.layout.height > 0
