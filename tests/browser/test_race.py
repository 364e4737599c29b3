"""The race in a browser: started, stopped, gone on with."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser
SHARE = """name => Number(document.querySelector(`[data-lane=${name}] [role=progressbar]`)
  ?.getAttribute('aria-valuenow') ?? -1)"""


def test_a_race_is_stopped_and_goes_on_where_it_was(open_page) -> None:
    page = open_page("/race?photo=coffee")
    page.get_by_role("button", name="Start the race").click()
    page.wait_for_function(f"({SHARE})('rcnn') > 3 && ({SHARE})('rcnn') < 90", timeout=120_000)
    page.locator(".st-key-race_stop button").click()
    page.get_by_role("button", name="Go on").wait_for(timeout=60_000)
    stopped = page.evaluate(SHARE, "rcnn")
    assert 0 < stopped < 100 and page.evaluate(SHARE, "faster_rcnn") == 100
    page.get_by_text("R-CNN (stopped)").first.wait_for(state="attached")
    page.get_by_role("button", name="Go on").click()
    page.wait_for_function(f"({SHARE})('rcnn') >= {stopped}", timeout=60_000)
    page.get_by_role("button", name="Run again").wait_for(timeout=180_000)
    assert all(page.evaluate(SHARE, name) == 100 for name in ("rcnn", "sliding_window", "fcos_s"))
    page.reload()  # what was finished is there, for everybody
    page.get_by_role("button", name="Run again").wait_for(timeout=60_000)


def test_on_a_phone_nothing_is_wider_than_the_screen(open_page) -> None:
    page = open_page("/race", size=(390, 844), is_mobile=True, has_touch=True)
    page.get_by_role("button", name="Start the race").wait_for(timeout=120_000)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
