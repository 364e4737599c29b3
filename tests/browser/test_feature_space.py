"""Feature space in a browser: a box, a neighbour, a map that is made, photos of one's own."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest
from playwright.sync_api import Page

from tests.browser.driver import link, settled
from vision_core import samples

pytestmark = pytest.mark.browser
START = "/feature_space?photo=astronaut"


def texts(page: Page, key: str) -> list[str]:
    """What the pictures of a sheet or map say on hover."""
    plot = page.locator(f".st-key-{key} .js-plotly-plot").last
    plot.wait_for(timeout=120_000)
    return plot.evaluate("plot => plot.data[0].text")


def ran(page: Page, wanted: str) -> None:
    """Wait for something; a slow machine tells the cost of the run first, and is told to run."""
    start = page.get_by_role("button", name="Run the network")
    there = page.locator(wanted).first
    there.or_(start).first.wait_for(timeout=120_000)
    if start.is_visible():
        start.click()
    there.wait_for(timeout=180_000)


def test_a_box_is_asked_about_and_a_neighbour_is_clicked(open_again) -> None:
    page = open_again(START)
    ran(page, ".st-key-space_near .js-plotly-plot")
    settled(page)
    before = texts(page, "space_near")
    assert len(before) == 8 and len(texts(page, "space_pixels")) == 8
    box = page.locator("canvas[role=application]").last.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.05 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.2 * box["height"], steps=3)
    page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 0.4 * box["height"], steps=3)
    page.mouse.up()
    page.get_by_text("the part of the photo in the box").wait_for(timeout=60_000)
    settled(page)
    assert texts(page, "space_near") != before and "drag=" in page.url
    tile = page.locator(".st-key-space_near .js-plotly-plot").last.bounding_box()
    assert tile is not None
    page.mouse.click(tile["x"] + 20, tile["y"] + tile["height"] / 2)
    page.wait_for_function("location.search.includes('item=')", timeout=60_000)
    page.get_by_text("of its class").first.wait_for(timeout=60_000)
    page.get_by_role("button", name="Back to the photo").click()
    page.wait_for_function("!location.search.includes('item=')", timeout=60_000)


def test_a_map_is_made_and_another_photo_is_placed_into_it(open_again) -> None:
    page = open_again(f"{START}&section=map&map=tsne&perplexity=12")
    ran(page, ".st-key-space_map")
    page.get_by_text("placed into the map that stands").wait_for(timeout=120_000)
    page.get_by_text("after 750 steps").wait_for(timeout=180_000)
    first = texts(page, "space_map")
    assert len(first) == 99
    places = "plot => plot.calcdata[0].slice(0, 98).map(point => point.x)"
    plot = page.locator(".st-key-space_map .js-plotly-plot").last
    before = plot.evaluate(places)
    page = open_again(link(page))
    page.get_by_text("after 750 steps").wait_for(timeout=120_000)
    assert plot.evaluate(places) == before
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280


def test_photos_of_ones_own_become_a_gallery_and_a_bad_one_says_why(open_again, tmp_path) -> None:
    files = []
    for i, name in enumerate(("cat", "coffee", "china", "flower", "cat")):
        path: Path = tmp_path / f"{name}_{i}.jpg"
        cv2.imwrite(str(path), samples.sample(name).pixels[i * 5 :, :, ::-1])
        files.append(str(path))
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    page = open_again("/feature_space?photo=cat&gallery=mine")
    page.get_by_text("The gallery is empty").wait_for(timeout=120_000)
    upload = page.locator(".st-key-space_files input[type=file]")
    upload.set_input_files([*files, str(tmp_path / "broken.jpg")])
    words = texts(page, "space_near")
    assert len(words) == 5 and words[0].startswith("cat_") and "(cat)" in words[0]
    page.get_by_text("broken.jpg is").first.wait_for(timeout=60_000)


def test_on_a_phone_nothing_is_wider_than_the_screen(open_again) -> None:
    for section in ("neighbours", "map", "units"):
        page = open_again(
            f"{START}&section={section}", size=(390, 844), is_mobile=True, has_touch=True
        )
        ran(page, ".js-plotly-plot")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
