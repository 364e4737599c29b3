"""Training in a browser: it is started, stopped while it learns, and taken back."""

from __future__ import annotations

import re

import pytest

from tests.browser.runs import idle

pytestmark = pytest.mark.browser


def epoch(page) -> int:
    told = page.get_by_text(re.compile(r"^Epoch \d+")).first.inner_text()
    return int(re.match(r"Epoch (\d+)", told)[1])


def test_stop_is_heard_while_it_learns_and_epochs_are_taken_back(open_again) -> None:
    page = open_again("/training?until=100")
    page.get_by_role("button", name="Start", exact=True).click(timeout=120_000)
    page.get_by_text(re.compile(r"^Epoch [3-9]")).wait_for(timeout=60_000)
    page.locator(".st-key-learn_stop button").click()
    page.get_by_role("button", name="Go on").wait_for(timeout=60_000)
    idle(page)  # the numbers follow the buttons
    stopped = epoch(page)
    page.wait_for_timeout(1500)
    assert 3 <= stopped < 100 and epoch(page) == stopped
    page.locator(".st-key-learn_back button").click()
    page.get_by_text(re.compile(rf"^Epoch {stopped - 1}\b")).wait_for(timeout=60_000)


def test_on_a_phone_nothing_is_wider_than_the_screen(open_again) -> None:
    page = open_again("/training?until=5", size=(390, 844), is_mobile=True, has_touch=True)
    page.get_by_role("button", name="Start", exact=True).click(timeout=120_000)
    page.get_by_role("button", name="Go on").wait_for(timeout=60_000)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
