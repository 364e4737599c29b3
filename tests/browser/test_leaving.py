"""What is pressed just before, and just after, another page is chosen on a slow server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, WebSocketRoute

from tests.browser.driver import settled, wait_scene
from tests.browser.runs import LISTEN
from tests.browser.test_journeys import TITLES, by_menu
from tests.browser.test_walkthroughs import ready, step

pytestmark = pytest.mark.browser

LONG = 700  # milliseconds, more than any control waits for the next key
WAIT = "time => new Promise((done) => setTimeout(done, time))"


class Slow:
    """What the server says from ``stop`` on reaches the page only with ``go``."""

    def __init__(self, page: Page) -> None:
        self._held: list[Any] | None = None
        page.route_web_socket(re.compile("_stcore/stream"), self._route)

    def _route(self, route: WebSocketRoute) -> None:
        self._tell = route.send
        route.connect_to_server().on_message(self._hear)

    def _hear(self, message: Any) -> None:
        if self._held is None:
            self._tell(message)
        else:
            self._held.append(message)

    def stop(self) -> None:
        self._held = []

    def go(self) -> None:
        held, self._held = self._held or [], None
        for message in held:
            self._tell(message)


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    """A page of its own, since its messages go another way."""
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    context.add_init_script(LISTEN)
    yield context.new_page()
    context.close()


@pytest.fixture(scope="module")
def slow(page: Page, server: str) -> Slow:
    """The server of a page that came from NMS to a convolution."""
    slow = Slow(page)
    page.goto(server + "/nms?step=1")
    ready(page)
    return slow


def to_convolution(page: Page) -> None:
    by_menu(page, "convolution")
    ready(page)


def whole(page: Page) -> str:
    """The page that is shown: address, title and heading are of one page."""
    path = urlsplit(page.url).path.strip("/")
    assert page.title() == f"{TITLES[path]} · ConvScope"
    assert [path] == [name for name in ("nms", "convolution") if TITLES[name] in headings(page)]
    return path


def headings(page: Page) -> list[str]:
    return page.locator("h1").all_inner_texts()


def leave(page: Page, way: str) -> None:
    if way == "back":
        page.evaluate("history.back()")
    else:
        page.locator("[data-testid=stTopNavSection]", has_text="Operators").click()
        page.locator("a[data-testid^=stTopNav][href$='/nms']").click(no_wait_after=True)


@pytest.mark.parametrize("way", ["menu", "back"])
def test_a_step_does_not_bring_back_the_page_that_is_left(page: Page, slow: Slow, way: str) -> None:
    to_convolution(page)
    slow.stop()  # or its answer to the step may come first, which Back would go to
    page.locator(".player .on").first.press("Home" if step(page) else "End")
    leave(page, way)
    page.evaluate(WAIT, LONG)
    slow.go()
    ready(page)
    assert whole(page) == "nms"


def test_a_press_on_the_page_that_is_left_shows_one_page_whole(page: Page, slow: Slow) -> None:
    to_convolution(page)
    slow.stop()
    leave(page, "back")
    page.wait_for_url(re.compile("/nms"))
    page.locator(".player .first" if step(page) else ".player .last").first.click()
    page.evaluate(WAIT, LONG)
    slow.go()
    ready(page)
    assert whole(page) in ("nms", "convolution")


def test_back_on_the_same_page_shows_what_the_address_says(
    page: Page, slow: Slow, server: str
) -> None:
    page.goto(server + "/predictions?score=0.3")
    settled(page)
    dial = page.get_by_role("slider", name="Score threshold")
    dial.press("End")
    page.wait_for_url(re.compile("score=1"))
    settled(page)
    slow.stop()
    dial.press("Home")
    leave(page, "back")
    page.wait_for_url(re.compile("score=0.3"))
    page.evaluate(WAIT, LONG)
    slow.go()
    settled(page)
    wait_scene(page, "view.controls.dials.score.input.value === '0.3'")
    assert "score=0.3" in page.url
