"""The race in a browser: started, stopped, gone on with."""

from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import Page

from tests.browser.driver import link
from tests.browser.test_predictions import jpeg_file, upload

pytestmark = pytest.mark.browser
SHARE = """name => Number(document.querySelector(`[data-lane=${name}] [role=progressbar]`)
  ?.getAttribute('aria-valuenow') ?? -1)"""


def give_squares(page: Page) -> None:
    """A photo of few regions: R-CNN, which runs a network for each, takes seconds, not a minute."""
    pixels = np.full((120, 160, 3), 128, np.uint8)
    rng = np.random.default_rng(0)
    for y, x in rng.integers(0, (80, 120), (6, 2)):
        pixels[y : y + 35, x : x + 35] = rng.integers(0, 255, 3)
    page.locator("input[type=file]").wait_for(state="attached", timeout=120_000)
    upload(page, ("squares.jpg", jpeg_file(pixels)))


def test_a_race_is_stopped_and_goes_on_where_it_was(open_again) -> None:
    page = open_again("/race?source=upload")
    give_squares(page)
    page.get_by_role("button", name="Start the race").click()
    page.wait_for_function(f"({SHARE})('rcnn') > 3 && ({SHARE})('rcnn') < 90", timeout=120_000)
    page.locator(".st-key-race_stop button").click()
    page.get_by_role("button", name="Go on").wait_for(timeout=60_000)
    page.wait_for_function(f"({SHARE})('rcnn') >= 0")  # drawn after the button
    stopped = page.evaluate(SHARE, "rcnn")
    assert 0 < stopped < 100 and page.evaluate(SHARE, "faster_rcnn") == 100
    page.get_by_text("R-CNN (stopped)").first.wait_for(state="attached")
    page.get_by_role("button", name="Go on").click()
    page.wait_for_function(f"({SHARE})('rcnn') >= {stopped}", timeout=60_000)
    page.get_by_role("button", name="Run again").wait_for(timeout=180_000)
    assert all(page.evaluate(SHARE, name) == 100 for name in ("rcnn", "sliding_window", "fcos_s"))
    page = open_again(link(page))  # what was finished is there, for everybody who has this photo
    give_squares(page)
    page.get_by_role("button", name="Run again").wait_for(timeout=60_000)


def test_on_a_phone_nothing_is_wider_than_the_screen(open_again) -> None:
    page = open_again("/race", size=(390, 844), is_mobile=True, has_touch=True)
    page.get_by_role("button", name="Start the race").wait_for(timeout=120_000)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
